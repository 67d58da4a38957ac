/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The doctor's checks: for `printgate doctor`, and in a line on the owner's page.
 */
#pragma once

#include "common/control.h"

struct core;

typedef void (*doctor_fn)(void *arg, const struct control_check *check);

/* Calls fn for each check that was made. Asks printgated, which reads every firewall's rules. */
void doctor_run(struct core *c, doctor_fn fn, void *arg);
