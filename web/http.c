/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a connection: one request, read whole within its time; one answer; a clean end.
 */

#include "web/http.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "web/http_own.h"
#include "common/mem.h"

struct http *http_new(struct event_base *base, const struct http_shape *shape)
{
	struct http *h = mem_zalloc(1, sizeof(*h));

	h->base = base;
	h->shape = shape;
	return h;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	while (h->doors) {
		struct http_door *door = h->doors;

		h->doors = door->next;
		http_door_free(door);
	}
	free(h);
}

/* ---- its end ----------------------------------------------------------------------------------- */

/* A request may hold a password. */
static void forget(struct http_conn *c)
{
	if (c->bytes)
		explicit_bzero(c->bytes, HEAD_BYTES_MAX + HEAD_BODY_BYTES_MAX + 1);
	free(c->bytes);
	c->bytes = NULL;
}

void conn_drop(struct http_conn *c)
{
	const http_gone_fn gone = c->gone;
	void *arg = c->gone_arg;

	*c->at = c->next;
	if (c->next)
		c->next->at = c->at;
	c->door->count--;
	event_free(c->deadline);
	bufferevent_free(c->bev);
	forget(c);
	free(c);
	if (gone)
		gone(arg);
}

void http_on_gone(struct http_conn *c, http_gone_fn fn, void *arg)
{
	c->gone = fn;
	c->gone_arg = arg;
}

void conn_deadline(struct http_conn *c, int seconds)
{
	const struct timeval tv = {.tv_sec = seconds};

	if (event_add(c->deadline, &tv) < 0)
		abort(); /* memory only */
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct http_conn *c = arg;

	(void)fd;
	(void)what;
	if (c->state == CONN_READS)
		http_refuse(c, 408);
	else if (c->state == CONN_WAITS)
		http_refuse(c, 503);
	else
		conn_drop(c);
}

/* Closing while bytes of the viewer's are unread would reset the connection, and the viewer might
 * never see the answer (RFC 9112, 9.6): the sending side is closed, the rest is read away. */
static void linger(struct http_conn *c)
{
	c->state = CONN_LINGERS;
	(void)shutdown(bufferevent_getfd(c->bev), SHUT_WR);
	conn_deadline(c, LIMIT_LINGER_SECONDS);
}

void conn_finish(struct http_conn *c)
{
	forget(c);
	c->gone = NULL;
	c->state = CONN_WRITES;
	conn_deadline(c, LIMIT_WRITE_SECONDS);
	(void)bufferevent_set_timeouts(c->bev, NULL, NULL);
	if (evbuffer_get_length(bufferevent_get_output(c->bev)) == 0)
		linger(c);
}

static void on_written(struct bufferevent *bev, void *arg)
{
	struct http_conn *c = arg;

	(void)bev;
	if (c->state == CONN_WRITES)
		linger(c);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct http_conn *c = arg;

	(void)bev;
	/* A half-closed viewer may still read: `printf … | nc` is one. */
	if ((what & BEV_EVENT_EOF) && (c->state == CONN_WAITS || c->state == CONN_WRITES))
		return;
	conn_drop(c);
}

/* ---- the request ------------------------------------------------------------------------------- */

/* Is it meant for us? A web site that has rebound its name to our address says that name. */
static bool host_is_ours(const struct http_conn *c)
{
	const struct endpoint *to = &c->request.to;
	const char *host = c->request.head.host;
	char text[INET6_ADDRSTRLEN + 2];

	if (to->family == 6) {
		char bare[INET6_ADDRSTRLEN];

		(void)snprintf(text, sizeof(text), "[%s]",
			       inet_ntop(AF_INET6, to->addr, bare, sizeof(bare)));
	} else if (to->family == 4) {
		(void)inet_ntop(AF_INET, to->addr, text, sizeof(text));
	}
	if (to->family && head_host_is(host, text))
		return true;
	if (endpoint_is_loopback(to) && head_host_is(host, "localhost"))
		return true;
	for (const char *const *name = c->door->http->shape->names; *name; name++)
		if (head_host_is(host, *name))
			return true;
	return false;
}

static bool takes_post(const struct http *h, const char *path)
{
	for (const char *const *p = h->shape->post_paths; *p; p++)
		if (strcmp(*p, path) == 0)
			return true;
	return false;
}

/* The request is whole: its head `n` bytes of c->bytes, its body behind it. */
static void serve(struct http_conn *c, size_t n)
{
	struct http_request *r = &c->request;
	const struct http *h = c->door->http;

	r->body = c->bytes + n;
	r->body_bytes = r->head.body_bytes;
	c->bytes[n + r->body_bytes] = '\0';
	if (!host_is_ours(c)) {
		http_refuse(c, 421);
	} else if (memchr(r->body, '\0', r->body_bytes) ||
		   (r->body_bytes && r->head.method != HTTP_POST)) {
		http_refuse(c, 400);
	} else if (r->head.method == HTTP_POST && !takes_post(h, r->head.path)) {
		http_refuse(c, 405);
	} else {
		c->state = CONN_WAITS;
		conn_deadline(c, LIMIT_ANSWER_SECONDS);
		h->shape->fn(c, r, h->shape->arg);
	}
}

/* The bytes so far, copied for the parser to write into; what it has decided stays decided. */
static void on_readable(struct bufferevent *bev, void *arg)
{
	struct http_conn *c = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t have = evbuffer_get_length(in);
	const size_t room = HEAD_BYTES_MAX + HEAD_BODY_BYTES_MAX;
	int n;

	if (c->state != CONN_READS) {
		(void)evbuffer_drain(in, have);
		return;
	}
	if (!c->bytes)
		c->bytes = mem_zalloc(room + 1, 1);
	have = have < room ? have : room;
	if (evbuffer_copyout(in, c->bytes, have) != (ssize_t)have)
		abort();
	n = head_parse(&c->request.head, c->bytes, have);
	if (n < 0)
		http_refuse(c, -n);
	else if (n > 0 && evbuffer_get_length(in) > (size_t)n + c->request.head.body_bytes)
		http_refuse(c, 400); /* one request a connection */
	else if (n > 0 && have == (size_t)n + c->request.head.body_bytes)
		serve(c, (size_t)n);
}

void conn_begin(struct http_door *door, int fd, const struct endpoint *from,
		const struct endpoint *to, bool tls)
{
	struct http_conn *c = mem_zalloc(1, sizeof(*c));

	c->door = door;
	c->request.from = *from;
	c->request.to = *to;
	c->request.tls = tls;
	c->next = door->conns;
	c->at = &door->conns;
	if (c->next)
		c->next->at = &c->next;
	door->conns = c;
	door->count++;
	c->deadline = event_new(door->http->base, -1, 0, on_deadline, c);
	c->bev = bufferevent_socket_new(door->http->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!c->deadline || !c->bev)
		abort();
	bufferevent_setwatermark(c->bev, EV_READ, 0, HEAD_BYTES_MAX + HEAD_BODY_BYTES_MAX + 1);
	bufferevent_setcb(c->bev, on_readable, on_written, on_event, c);
	conn_deadline(c, LIMIT_REQUEST_SECONDS);
	/* What printgate-tls hands over may be no connection at all. */
	if (bufferevent_enable(c->bev, EV_READ | EV_WRITE) < 0)
		conn_drop(c);
}
