/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who comes in: connections are counted by socket and by address, so that neither one phone nor the
 * whole LAN can keep the others out.
 */
#include "web/http_own.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/handover.h"
#include "common/log.h"
#include "common/mem.h"

#define PAUSE_SECONDS 1	 /* without accepting, when descriptors or memory have run out */
#define HANDOVERS     16 /* at a time, before others have their turn */

void http_door_free(struct http_door *door)
{
	while (door->conns) {
		door->conns->gone = NULL;
		conn_drop(door->conns);
	}
	if (door->listener)
		evconnlistener_free(door->listener);
	if (door->line)
		event_free(door->line);
	if (door->pause)
		event_free(door->pause);
	free(door);
}

/* One address; or, of IPv6 in the LAN, one network of the size that a single machine gets (RFC 6177).
 * In the tunnel all phones share such a network, and each has one address of it. */
static bool same_place(const struct http_door *door, const struct endpoint *a,
		       const struct endpoint *b)
{
	const size_t six = door->listener ? sizeof(a->addr) : 8;

	return a->family == b->family && memcmp(a->addr, b->addr, a->family == 6 ? six : 4) == 0;
}

static unsigned count_from(const struct http_door *door, const struct endpoint *from)
{
	unsigned n = 0;

	for (const struct http_conn *c = door->conns; c; c = c->next)
		n += same_place(door, &c->request.from, from);
	return n;
}

/* The one that has been reading its request for longest. NULL: there is none. */
static struct http_conn *slowest(const struct http_door *door)
{
	struct http_conn *found = NULL;

	for (struct http_conn *c = door->conns; c; c = c->next)
		if (c->state == CONN_READS)
			found = c; /* newest first, so the last is the oldest */
	return found;
}

/* Lets the connection in, or closes it. A full house loses who has not said anything yet. */
static void let_in(struct http_door *door, int fd, const struct endpoint *from,
		   const struct endpoint *to, bool tls)
{
	const unsigned most = endpoint_is_loopback(from) ? LIMIT_ADDRESS_LOCAL : LIMIT_ADDRESS;
	struct http_conn *out;

	if (count_from(door, from) >= most) {
		evutil_closesocket(fd);
		return;
	}
	if (door->count >= LIMIT_CONNECTIONS) {
		out = slowest(door);
		if (!out) {
			evutil_closesocket(fd);
			return;
		}
		conn_drop(out);
	}
	conn_begin(door, fd, from, to, tls);
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int len,
		      void *arg)
{
	struct sockaddr_storage here = {0};
	socklen_t here_len = sizeof(here);
	struct endpoint from, to = {0};

	(void)l;
	(void)len;
	from = endpoint_of(sa);
	if (getsockname(fd, (struct sockaddr *)&here, &here_len) == 0)
		to = endpoint_of((const struct sockaddr *)&here);
	let_in(arg, fd, &from, &to, false);
}

static void on_pause_over(evutil_socket_t fd, short what, void *arg)
{
	struct http_door *door = arg;

	(void)fd;
	(void)what;
	(void)evconnlistener_enable(door->listener);
}

/* Out of descriptors or memory: trying again at once would only burn the processor. */
static void on_accept_error(struct evconnlistener *l, void *arg)
{
	const struct timeval tv = {.tv_sec = PAUSE_SECONDS};
	struct http_door *door = arg;

	log_warn("http", "no connection can be accepted: %s", strerror(errno));
	(void)evconnlistener_disable(l);
	(void)event_add(door->pause, &tv);
}

static struct http_door *door_new(struct http *h)
{
	struct http_door *door = mem_zalloc(1, sizeof(*door));

	door->http = h;
	door->next = h->doors;
	h->doors = door;
	return door;
}

/* A phone that vanishes, by its tunnel being switched off, say, takes leave of nobody, and a stream may
 * have nothing to send for hours: its connection would hold its place, and be looked for, for ever.
 * Connections inherit this (tcp(7)); what cannot be set is not worth the page. */
static void set_patience(int listener)
{
	static const int on = 1, idle = LIMIT_SILENT_SECONDS / 2, every = 10, count = 3;
	static const unsigned unacknowledged = LIMIT_SILENT_SECONDS * 1000U;

	(void)setsockopt(listener, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(listener, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(listener, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
	(void)setsockopt(listener, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	(void)setsockopt(listener, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged,
			 sizeof(unacknowledged));
}

int http_listen(struct http *h, int listener, struct diag *d)
{
	socklen_t len = sizeof(int);
	struct http_door *door;
	int listening = 0;

	if (getsockopt(listener, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0 || !listening)
		return diag_set(d, ERR_SYSTEM, "descriptor %d is not a listening socket", listener);
	if (evutil_make_socket_nonblocking(listener) < 0)
		return diag_errno(d, "descriptor %d", listener);
	set_patience(listener);
	door = door_new(h);
	door->pause = event_new(h->base, -1, 0, on_pause_over, door);
	door->listener =
		evconnlistener_new(h->base, on_accept, door,
				   LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, listener);
	if (!door->pause || !door->listener)
		abort();
	evconnlistener_set_error_cb(door->listener, on_accept_error);
	return 0;
}

static void on_line(evutil_socket_t line, short what, void *arg)
{
	struct http_door *door = arg;
	struct handover ends;
	struct diag d = {0};
	int fd;

	(void)what;
	for (unsigned i = 0; i < HANDOVERS; i++) {
		fd = handover_recv(line, &ends, &d);
		if (fd == ERR_LIMIT)
			return;
		if (fd < 0) {
			log_warn("http", "%s; the page is not served in the LAN any more", d.text);
			(void)event_del(door->line);
			return;
		}
		let_in(door, fd, &ends.from, &ends.to, true);
	}
}

int http_adopt(struct http *h, int line, struct diag *d)
{
	socklen_t len = sizeof(int);
	struct http_door *door;
	int type = 0;

	if (getsockopt(line, SOL_SOCKET, SO_TYPE, &type, &len) < 0 || type != SOCK_SEQPACKET)
		return diag_set(d, ERR_SYSTEM, "descriptor %d is not the line to printgate-tls",
				line);
	door = door_new(h);
	door->line = event_new(h->base, line, EV_READ | EV_PERSIST, on_line, door);
	if (!door->line || event_add(door->line, NULL) < 0)
		abort();
	return 0;
}
