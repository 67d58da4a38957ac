/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel should have, read from the store, as items of the privilege line. The full change
 * and the small ones of the requests are made of the same functions, so they cannot disagree.
 */
#pragma once

#include <stdbool.h>

#include "daemon/core/clock.h"
#include "db/store.h"

struct core;

/* Sends the whole of what should be; the kernel is equal to the store afterwards. */
int desired_sync(struct core *c, struct diag *d) __attribute__((warn_unused_result));

/* The same if printgated has asked for it since the last time; ends the process if it fails. To be
 * called at the end of whatever used the line: RESYNC may have come in between. */
void desired_resync(struct core *c);

/* Is the peer let in at all: not disabled, and its time has not ended? */
bool desired_peer_open(const struct clock_view *v, const struct store_peer *p);
/* When the kernel must end the grant: at its own end or its peer's. */
int64_t desired_grant_end(int64_t grant_expires, int64_t peer_expires);

/* Items of a change that has begun. */
/* A printer that is closed has nothing in the kernel but its grants, which lead nowhere then. */
void desired_printer_put(struct core *c, const struct store_printer *p);
void desired_printer_del(struct core *c, const struct store_printer *p);
/* The same services at another address, or by another machine. */
void desired_printer_move(struct core *c, const struct store_printer *from,
			  const struct store_printer *to);
void desired_grant_put(struct core *c, const struct clock_view *v, uint32_t peer,
		       struct prefix4 vpn, int64_t end); /* not if the end has passed */
void desired_grant_del(struct core *c, uint32_t peer, struct prefix4 vpn);
void desired_peer_put(struct core *c, const struct store_peer *p);
void desired_peer_del(struct core *c, const struct store_peer *p);
