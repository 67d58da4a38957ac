/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Printers that were given by name and may move. Each is looked at once a period; when it has not
 * answered twice, its name is looked up and the machine there is asked for. It is followed to
 * another address only as the same machine; otherwise it is closed, until it is back or the owner
 * confirms what its name leads to. Without such a printer there is no timer.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "db/store.h"

struct core;
struct event;
struct mover;
struct attempt;

#define MOVING_MISSES	 2  /* before the name is looked up */
#define MOVING_PAUSE_MAX 30 /* periods between two look-ups that found nothing: 1, 2, 4 … */

struct moving {
	struct mover *item;
	size_t n, cap;
	struct event *timer;
	struct attempt *attempt; /* the look at one of them that is under way */
};

int moving_open(struct core *c, struct diag *d) __attribute__((warn_unused_result));
void moving_free(struct core *c);
/* Reads which there are; once, before requests are served. */
int moving_begin(struct core *c, struct diag *d) __attribute__((warn_unused_result));

/* Looks after a printer from now on, if it has a host name. */
void moving_add(struct core *c, const struct store_printer *p);
/* No more; what was under way is undone. Before whatever else changes the printer. */
void moving_forget(struct core *c, int64_t id);

/* Changes of store and kernel, with an event; *p becomes what it is then. `why` is one sentence
 * without the printer's name. */
int moving_close(struct core *c, struct store_printer *p, const char *actor, const char *why,
		 struct diag *d) __attribute__((warn_unused_result));
int moving_settle(struct core *c, struct store_printer *p, uint32_t address,
		  const struct hardware *hardware, const char *actor, struct diag *d)
	__attribute__((warn_unused_result));

/* Periods until the next look-up, after one that had to wait so many (0: none yet). */
unsigned moving_pause(unsigned last);
