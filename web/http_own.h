/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What http*.c share: http.c has the connections' lives, http_door.c lets them in, http_answer.c
 * writes.
 */
#pragma once

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "web/http.h"

enum conn_state {
	CONN_READS, /* a request */
	CONN_WAITS, /* for the site's answer */
	CONN_STREAMS,
	CONN_WRITES,  /* the rest of an answer */
	CONN_LINGERS, /* until the viewer closes */
};

struct http_door {
	struct http *http;
	struct evconnlistener *listener; /* NULL: connections are handed over */
	struct event *line, *pause;
	struct http_conn *conns; /* newest first */
	unsigned count;
	struct http_door *next;
};

struct http_conn {
	struct http_door *door;
	struct http_conn *next, **at;
	struct bufferevent *bev;
	struct event *deadline;
	enum conn_state state;
	struct http_request request;
	char *bytes; /* of the request; NULL until it is whole */
	http_gone_fn gone;
	void *gone_arg;
};

struct http {
	struct event_base *base;
	const struct http_shape *shape;
	struct http_door *doors;
};

/* A connection that has been let in; takes fd over, and closes one that is none. */
void conn_begin(struct http_door *door, int fd, const struct endpoint *from,
		const struct endpoint *to, bool tls);
/* Frees it; tells who waits for it. */
void conn_drop(struct http_conn *c);
void conn_deadline(struct http_conn *c, int seconds);
/* Nothing more is written but what the buffer has; then it lingers. */
void conn_finish(struct http_conn *c);
void http_refuse(struct http_conn *c, int status);
void http_door_free(struct http_door *door);
