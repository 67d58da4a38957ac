/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who comes in. Connections are counted in all and by address, so that one machine of the LAN does
 * not keep the others out.
 */
#include "tls/conn_own.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/mem.h"

#define PAUSE_SECONDS 1 /* without accepting, when descriptors or memory have run out */

static bool from_tunnel(const struct door *door, const struct endpoint *e)
{
	uint32_t v4;

	if (e->family == 6)
		return door->tunnel6.len && tunnel6_back(&door->tunnel6, e->addr, &v4);
	memcpy(&v4, e->addr, sizeof(v4));
	return prefix4_contains(door->tunnel, ntohl(v4));
}

/* One address, or one network of the size that a single machine gets (RFC 6177). */
static unsigned count_from(const struct door *door, const struct endpoint *from)
{
	unsigned n = 0;

	for (const struct conn *c = door->conns; c; c = c->next)
		n += c->ends.from.family == from->family &&
		     memcmp(c->ends.from.addr, from->addr, from->family == 6 ? 8 : 4) == 0;
	return n;
}

/* The one that has been at its handshake for longest. NULL: there is none. */
static struct conn *slowest(const struct door *door)
{
	struct conn *found = NULL;

	for (struct conn *c = door->conns; c; c = c->next)
		if (!c->bev[SIDE_PAGE])
			found = c;
	return found;
}

/* A full house loses who has not got through the handshake yet. */
static bool make_room(const struct door *door)
{
	struct conn *out;

	if (door->count < CONN_MAX)
		return true;
	out = slowest(door);
	if (!out)
		return false;
	conn_drop(out);
	return true;
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int len,
		      void *arg)
{
	struct sockaddr_storage here = {0};
	socklen_t here_len = sizeof(here);
	struct handover ends = {.from = endpoint_of(sa)};
	struct door *door = arg;

	(void)l;
	(void)len;
	if (getsockname(fd, (struct sockaddr *)&here, &here_len) == 0)
		ends.to = endpoint_of((const struct sockaddr *)&here);
	if (!ends.from.family || !ends.to.family || from_tunnel(door, &ends.from) ||
	    count_from(door, &ends.from) >= CONN_ADDRESS_MAX || !make_room(door))
		evutil_closesocket(fd);
	else
		conn_begin(door, fd, &ends);
}

static void on_pause_over(evutil_socket_t fd, short what, void *arg)
{
	struct door *door = arg;

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < door->listener_count; i++)
		(void)evconnlistener_enable(door->listeners[i]);
}

/* Trying again at once would only burn the processor. */
static void on_accept_error(struct evconnlistener *l, void *arg)
{
	const struct timeval tv = {.tv_sec = PAUSE_SECONDS};
	struct door *door = arg;

	log_warn("door", "no connection can be accepted: %s", strerror(errno));
	(void)evconnlistener_disable(l);
	(void)event_add(door->pause, &tv);
}

struct door *door_new(struct event_base *base, SSL_CTX *context, int line, struct prefix4 tunnel,
		      const struct prefix6 *tunnel6)
{
	struct door *door = mem_zalloc(1, sizeof(*door));

	door->base = base;
	door->context = context;
	door->line = line;
	door->tunnel = tunnel;
	door->tunnel6 = *tunnel6;
	door->pause = event_new(base, -1, 0, on_pause_over, door);
	if (!door->pause)
		abort();
	return door;
}

int door_listen(struct door *door, int listener, struct diag *d)
{
	socklen_t len = sizeof(int);
	struct evconnlistener *l;
	int listening = 0;

	if (door->listener_count == ARRAY_LEN(door->listeners) ||
	    getsockopt(listener, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0 || !listening)
		return diag_set(d, ERR_SYSTEM, "descriptor %d is not a listening socket", listener);
	if (evutil_make_socket_nonblocking(listener) < 0)
		return diag_errno(d, "descriptor %d", listener);
	l = evconnlistener_new(door->base, on_accept, door,
			       LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, listener);
	if (!l)
		abort();
	evconnlistener_set_error_cb(l, on_accept_error);
	door->listeners[door->listener_count++] = l;
	return 0;
}

void door_free(struct door *door)
{
	if (!door)
		return;
	while (door->conns)
		conn_drop(door->conns);
	for (unsigned i = 0; i < door->listener_count; i++)
		evconnlistener_free(door->listeners[i]);
	event_free(door->pause);
	free(door);
}
