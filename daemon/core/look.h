/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a host name leads to, and which machine is there: the name is looked up, then the LAN is
 * asked for the hardware address. Both take their time, so both are events.
 */
#pragma once

#include <stdint.h>

#include "common/privmsg.h"

#define LOOK_SECONDS 5 /* for the hardware address: the kernel asks three times, a second apart */

struct core;
struct look;

struct look_result {
	int code; /* 0, or ERR_NOT_FOUND: the name leads nowhere; ERR_BAD_ADDRESS: to no printer */
	struct diag why;
	uint32_t address;
	/* enum neighbour_state; ASKED: it is on-link, and nobody has answered. */
	uint8_t state;
	struct hardware hardware; /* with KNOWN */
};

typedef void (*look_fn)(void *arg, const struct look_result *result);

/* Begins; fn is called once, later, unless it is cancelled before. `address` is preferred if the name
 * leads to several (0: none is); with host "" only the machine at `address` is asked for. ERR_LIMIT, ERR_SYSTEM. */
int look_start(struct core *c, const struct host *host, uint32_t address, look_fn fn, void *arg,
	       struct look **out, struct diag *d) __attribute__((warn_unused_result));
void look_cancel(struct look *l); /* NULL is allowed */
