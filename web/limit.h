/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one listening socket may cost: so many connections at once, each alive for so long in all.
 * (evhttp has neither limit: its time-out starts anew with every byte read.) Each listening socket
 * has its own, so that a host in the LAN cannot take the page away from the tunnel.
 */
#pragma once

#include <event2/event.h>
#include <event2/http.h>

#define LIMIT_CONNECTIONS 16
#define LIMIT_SECONDS	  15 /* from accept to the last byte */

struct limit;

/* Takes over the evhttp's making of connections. `bound` is its only listening socket. */
struct limit *limit_new(struct event_base *base, struct evhttp *http,
			struct evhttp_bound_socket *bound) __attribute__((returns_nonnull));
/* After evhttp_free. NULL is allowed. */
void limit_free(struct limit *l);
