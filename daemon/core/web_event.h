/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page in the log: who logged in from where. Never a password, never a session's name.
 */
#pragma once

#include "daemon/core/request.h"
#include "db/store.h"

/* The peer that has this address in the tunnel: the barrier in the kernel lets nobody else use it.
 * ERR_NOT_FOUND. */
int web_event_peer(struct core *c, const struct endpoint *at, struct store_peer *out,
		   struct diag *d) __attribute__((warn_unused_result));

/* Is it a phone's address in the tunnel? *place is by what its tries are counted: both addresses of a
 * phone are its one of IPv4. (All phones share the /64 that one machine has elsewhere.) */
bool web_event_place(const struct core *c, const struct endpoint *from, struct endpoint *place);

/* Writes one event; from NULL: from nowhere. more: so many of its kind were not written before. */
int web_event(const struct request *r, const char *action, const struct endpoint *from,
	      unsigned more, struct diag *d) __attribute__((warn_unused_result));
