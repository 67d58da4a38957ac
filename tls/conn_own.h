/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What door.c, which lets connections in and counts them, and conn.c, which lives their lives, share.
 */
#pragma once

#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "common/handover.h"
#include "tls/conn.h"

struct door {
	struct event_base *base;
	SSL_CTX *context;
	int line;
	struct prefix4 tunnel;
	struct prefix6 tunnel6;
	struct evconnlistener *listeners[4];
	unsigned listener_count;
	struct event *pause;
	struct conn *conns; /* newest first */
	unsigned count;
};

/* Both ends of a connection; each has a bufferevent. */
enum side { SIDE_CLIENT, SIDE_PAGE };

struct conn {
	struct door *door;
	struct conn *next, **at;
	struct handover ends;
	struct bufferevent *bev[2]; /* by side; the page's is NULL until the handshake is done */
	struct event *deadline;
	bool ended[2];	/* this side sends no more … */
	bool passed[2]; /* … and the other has been told */
};

/* Takes fd over. */
void conn_begin(struct door *door, int fd, const struct handover *ends);
void conn_drop(struct conn *c);
