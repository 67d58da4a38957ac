/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds a reference to each connection's bufferevent beside evhttp's. Once a second, while there
 * are any, it lets go of those that evhttp has finished with and cuts those that are past their time.
 * While the table is full the listening socket is not read: the kernel's queue does the waiting.
 */
#include "web/limit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "common/mem.h"

struct slot {
	struct bufferevent *bev; /* NULL: free */
	time_t end;		 /* monotonic */
};

struct limit {
	struct event_base *base;
	struct evconnlistener *listener;
	struct event *tick;
	unsigned used;
	struct slot slot[LIMIT_CONNECTIONS];
};

static const struct timeval second = {.tv_sec = 1};

static time_t now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail with this clock */
	return ts.tv_sec;
}

/* evhttp takes its callbacks away when it frees a connection; then only our reference is left. */
static bool finished(struct bufferevent *bev)
{
	bufferevent_event_cb on_event = NULL;

	bufferevent_getcb(bev, NULL, NULL, &on_event, NULL);
	return !on_event;
}

static void slot_release(struct limit *l, struct slot *s)
{
	(void)bufferevent_decref(s->bev);
	s->bev = NULL;
	l->used--;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct limit *l = arg;
	time_t t = now();

	(void)fd;
	(void)what;
	for (size_t i = 0; i < LIMIT_CONNECTIONS; i++) {
		struct slot *s = &l->slot[i];

		if (!s->bev)
			continue;
		if (finished(s->bev))
			slot_release(l, s);
		else if (t >= s->end)
			(void)shutdown(bufferevent_getfd(s->bev), SHUT_RDWR); /* evhttp ends it */
	}
	if (l->used < LIMIT_CONNECTIONS)
		(void)evconnlistener_enable(l->listener);
	if (l->used)
		(void)event_add(l->tick, &second);
}

/* A connection has been accepted: evhttp asks for its bufferevent and puts the descriptor in. The
 * listener is off while the table is full, so there is a free slot. */
static struct bufferevent *on_connection(struct event_base *base, void *arg)
{
	struct limit *l = arg;
	struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	size_t i = 0;

	if (!bev)
		abort();
	while (i < LIMIT_CONNECTIONS && l->slot[i].bev)
		i++;
	if (i == LIMIT_CONNECTIONS)
		abort();
	bufferevent_incref(bev);
	l->slot[i].bev = bev;
	l->slot[i].end = now() + LIMIT_SECONDS;
	if (++l->used == LIMIT_CONNECTIONS)
		(void)evconnlistener_disable(l->listener);
	if (!event_pending(l->tick, EV_TIMEOUT, NULL))
		(void)event_add(l->tick, &second);
	return bev;
}

struct limit *limit_new(struct event_base *base, struct evhttp *http,
			struct evhttp_bound_socket *bound)
{
	struct limit *l = mem_zalloc(1, sizeof(*l));

	l->base = base;
	l->listener = evhttp_bound_socket_get_listener(bound);
	l->tick = event_new(base, -1, 0, on_tick, l);
	if (!l->tick)
		abort();
	evhttp_set_bevcb(http, on_connection, l);
	return l;
}

void limit_free(struct limit *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < LIMIT_CONNECTIONS; i++)
		if (l->slot[i].bev)
			slot_release(l, &l->slot[i]);
	event_free(l->tick);
	free(l);
}
