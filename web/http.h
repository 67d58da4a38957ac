/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An HTTP server of one request per connection: what comes in passes head.h first; what it may cost
 * (connections in all and per address, bytes, seconds) is bounded here. What requests mean is the
 * site's business.
 */
#pragma once

#include <event2/event.h>

#include "common/inet.h"
#include "web/head.h"

#define LIMIT_CONNECTIONS     256 /* at a time, by each listening socket */
#define LIMIT_ADDRESS	      16  /* of them, from one address (IPv6 outside the tunnel: one /64) */
#define LIMIT_ADDRESS_LOCAL   64  /* from a loopback address: tunnels of ssh end there */
#define LIMIT_REQUEST_SECONDS 10  /* from accept to the last byte of the request */
#define LIMIT_ANSWER_SECONDS  30  /* until the site has answered: a password takes its time */
#define LIMIT_WRITE_SECONDS   30  /* until the answer has been taken */
#define LIMIT_STALL_SECONDS   10  /* until any byte of a stream has been */
#define LIMIT_SILENT_SECONDS  60  /* without a sign of life from the viewer's machine (TCP) */
#define LIMIT_LINGER_SECONDS  2	  /* for the viewer to close, once it has the answer */
#define LIMIT_STREAM_BYTES    (256 << 10) /* not yet taken by a viewer of a stream */

struct http_request {
	struct head head;
	const char *body; /* "" if there is none; a NUL behind it */
	size_t body_bytes;
	struct endpoint from, to; /* both ends of the connection */
	bool tls;
};

struct http_field {
	const char *name, *value;
};

struct http_answer {
	int status;
	const char *type;		 /* Content-Type */
	const struct http_field *fields; /* further ones */
	size_t n_fields;
	const char *body;
	size_t bytes;
};

struct http;
struct http_conn;

/* A request. It is answered now or later by http_reply or http_stream, once; *r is valid until then. */
typedef void (*http_fn)(struct http_conn *c, const struct http_request *r, void *arg);
typedef void (*http_gone_fn)(void *arg);

struct http_shape {
	const char *policy;	       /* Content-Security-Policy of every answer */
	const char *const *post_paths; /* those that take POST; NULL ends them */
	const char *const
		*names; /* by which the page may be called besides its addresses; NULL ends them */
	http_fn fn;
	void *arg;
};

/* *shape and what it points to stay the caller's and live on. */
struct http *http_new(struct event_base *base, const struct http_shape *shape)
	__attribute__((returns_nonnull));
/* Without a further word to viewers; no gone is called. NULL is allowed. */
void http_free(struct http *h);

/* Serves on a listening TCP socket (taken over). ERR_SYSTEM if it is not one. */
int http_listen(struct http *h, int listener, struct diag *d) __attribute__((warn_unused_result));
/* Serves connections that printgate-tls hands over on this SOCK_SEQPACKET socket (common/handover.h;
 * taken over). ERR_SYSTEM. */
int http_adopt(struct http *h, int line, struct diag *d) __attribute__((warn_unused_result));

/* Sends the answer (for HEAD its head) and closes. */
void http_reply(struct http_conn *c, const struct http_answer *a);
/* Begins an answer without an end. */
void http_stream(struct http_conn *c, const char *type);
/* False if the viewer has not taken LIMIT_STREAM_BYTES yet: nothing is sent, say all anew later. */
bool http_stream_send(struct http_conn *c, const char *data, size_t n);
/* After what was sent has been taken. */
void http_stream_end(struct http_conn *c);
/* fn is called once if the viewer leaves, or is made to, before it has its answer or while its stream
 * runs; c is no more then. NULL: never mind. */
void http_on_gone(struct http_conn *c, http_gone_fn fn, void *arg);
