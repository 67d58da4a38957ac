/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does a machine answer at all? One TCP connection is begun and dropped; a refusal is an answer.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

#define CHECK_SECONDS 3 /* the first SYN and its repetition (RFC 6298: after one second) */

struct core;
struct check;

typedef void (*check_fn)(void *arg, bool answers);

/* Begins; fn is called once, later, unless it is cancelled before. ERR_SYSTEM. */
int check_start(struct core *c, uint32_t address, uint16_t port, check_fn fn, void *arg,
		struct check **out, struct diag *d) __attribute__((warn_unused_result));
void check_cancel(struct check *k); /* NULL is allowed */
