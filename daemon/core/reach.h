/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does a printer answer? Asked by a TCP connection that is begun and dropped (check.h), only for
 * printers that somebody looks at, only as often as this says, and never while the gateway is locked:
 * when nobody looks, nothing goes out.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "db/store.h"

#define REACH_EVERY_MS (10L * 1000) /* between two checks of one printer */
#define REACH_KEEP_MS                                                                              \
	(120L * 1000) /* so long a result is told: with 1,024 printers a round of checks
				      * takes a minute or more */
#define REACH_AT_ONCE 16

struct core;
struct reach_item;

struct reaches {
	struct reach_item **item; /* by printer id; each is ours */
	size_t n, cap;
	unsigned running;
};

/* The rules, apart from the network: where a printer is to be asked. Port 0: nowhere (a subnet, or
 * one without a TCP service, or closed because it moved). */
void reach_target(const struct store_printer *p, uint32_t gateway, uint32_t *address,
		  uint16_t *port);

/* What is known of a printer that somebody looks at now: enum reach. */
uint8_t reach_look(struct core *c, const struct store_printer *p);
/* After the printers of one look: begins the checks that are due, oldest first, and forgets printers
 * that nobody has looked at for long. */
void reach_go(struct core *c);
void reach_free(struct core *c);
