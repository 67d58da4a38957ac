/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The panic switch: while it is on nobody reaches any printer, whatever is granted. It lies in the
 * store, so it outlives this process and the machine's power.
 */
#pragma once

#include "common/err.h"

struct core;

/* Reads from the store whether the gateway is locked; before the first full change. */
int lock_open(struct core *c, struct diag *d) __attribute__((warn_unused_result));
