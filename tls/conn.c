/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a connection: a handshake within its time; a socket pair, one end of which goes to the
 * page; bytes both ways, no faster than they are taken; each side's end told to the other.
 */
#include "tls/conn.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>

#include <openssl/err.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/mem.h"
#include "tls/conn_own.h"

#define WAITING_MAX (64 << 10) /* bytes not yet taken by a side, before the other is read no more */

static const struct timeval handshake_time = {.tv_sec = CONN_HANDSHAKE_SECONDS};
static const struct timeval close_time = {.tv_sec = CONN_CLOSE_SECONDS};

void conn_drop(struct conn *c)
{
	*c->at = c->next;
	if (c->next)
		c->next->at = c->at;
	c->door->count--;
	event_free(c->deadline);
	for (size_t i = 0; i < ARRAY_LEN(c->bev); i++)
		if (c->bev[i])
			bufferevent_free(c->bev[i]);
	ERR_clear_error();
	free(c);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	conn_drop(arg);
}

static enum side side_of(const struct conn *c, const struct bufferevent *bev)
{
	return bev == c->bev[SIDE_CLIENT] ? SIDE_CLIENT : SIDE_PAGE;
}

static enum side other(enum side s)
{
	return s == SIDE_CLIENT ? SIDE_PAGE : SIDE_CLIENT;
}

static size_t waiting_for(const struct conn *c, enum side s)
{
	return evbuffer_get_length(bufferevent_get_output(c->bev[s]));
}

/* Tells the other side that this one sends no more. A farewell of TLS first: without it a client could not
 * tell the end from a cut. */
static void pass_end(struct conn *c, enum side from)
{
	const enum side to = other(from);

	if (to == SIDE_CLIENT) {
		(void)SSL_shutdown(bufferevent_openssl_get_ssl(c->bev[to]));
		ERR_clear_error();
	}
	(void)shutdown(bufferevent_getfd(c->bev[to]), SHUT_WR);
	c->passed[from] = true;
}

/* Passes an end on once all before it has been taken. May free the connection. */
static void settle(struct conn *c, enum side from)
{
	if (c->ended[from] && !c->passed[from] && waiting_for(c, other(from)) == 0)
		pass_end(c, from);
	if (c->passed[SIDE_CLIENT] && c->passed[SIDE_PAGE])
		conn_drop(c);
}

/* ---- bytes ------------------------------------------------------------------------------------- */

static void on_readable(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;
	const enum side to = other(side_of(c, bev));

	if (!c->bev[to])
		return; /* it waits in the input until there is a page */
	if (bufferevent_read_buffer(bev, bufferevent_get_output(c->bev[to])) < 0)
		abort(); /* memory only */
	if (waiting_for(c, to) >= WAITING_MAX)
		(void)bufferevent_disable(bev, EV_READ);
}

/* This side has taken all: the other is read again. */
static void on_written(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;
	const enum side from = other(side_of(c, bev));

	if (!c->bev[from])
		return; /* of the handshake */
	if (!c->ended[from])
		(void)bufferevent_enable(c->bev[from], EV_READ);
	settle(c, from);
}

static void hand_over(struct conn *c);

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct conn *c = arg;
	const enum side from = side_of(c, bev);

	if (what & BEV_EVENT_CONNECTED) {
		hand_over(c);
		return;
	}
	if (!(what & BEV_EVENT_EOF) || !c->bev[SIDE_PAGE]) {
		conn_drop(c);
		return;
	}
	c->ended[from] = true;
	if (from == SIDE_PAGE)
		(void)event_add(c->deadline, &close_time);
	else
		(void)bufferevent_enable(bev, EV_WRITE); /* libevent has stopped both ways */
	settle(c, from);
}

/* ---- begin ------------------------------------------------------------------------------------- */

/* The other end is the page's now, which counts and times by its own rules. */
static int open_page(struct conn *c, struct diag *d)
{
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
		return diag_errno(d, "socketpair");
	r = handover_send(c->door->line, pair[1], &c->ends, d);
	(void)close(pair[1]);
	if (r) {
		(void)close(pair[0]);
		return r;
	}
	c->bev[SIDE_PAGE] = bufferevent_socket_new(c->door->base, pair[0], BEV_OPT_CLOSE_ON_FREE);
	if (!c->bev[SIDE_PAGE])
		abort();
	return 0;
}

static void hand_over(struct conn *c)
{
	struct diag d = {0};

	if (c->bev[SIDE_PAGE])
		return;
	if (open_page(c, &d)) {
		log_debug("conn", "%s", d.text);
		conn_drop(c);
		return;
	}
	(void)event_del(c->deadline);
	bufferevent_setcb(c->bev[SIDE_PAGE], on_readable, on_written, on_event, c);
	(void)bufferevent_enable(c->bev[SIDE_PAGE], EV_READ | EV_WRITE);
	(void)bufferevent_enable(c->bev[SIDE_CLIENT], EV_READ | EV_WRITE);
}

/* A client that has vanished without a word does not hold its place for ever: nothing is sent on a
 * stream for long times. What cannot be set is not worth a connection. */
static void set_socket(int fd)
{
	static const int on = 1, idle = CONN_SILENT_SECONDS / 2, every = 10, count = 3;
	static const unsigned unacknowledged = CONN_SILENT_SECONDS * 1000U;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged,
			 sizeof(unacknowledged));
}

void conn_begin(struct door *door, int fd, const struct handover *ends)
{
	struct conn *c = mem_zalloc(1, sizeof(*c));
	SSL *ssl = SSL_new(door->context);

	set_socket(fd);
	c->door = door;
	c->ends = *ends;
	c->deadline = event_new(door->base, -1, 0, on_deadline, c);
	c->bev[SIDE_CLIENT] = !ssl ? NULL
				   : bufferevent_openssl_socket_new(door->base, fd, ssl,
								    BUFFEREVENT_SSL_ACCEPTING,
								    BEV_OPT_CLOSE_ON_FREE);
	if (!c->deadline || !c->bev[SIDE_CLIENT])
		abort(); /* memory only */
	c->next = door->conns;
	c->at = &door->conns;
	if (c->next)
		c->next->at = &c->next;
	door->conns = c;
	door->count++;
	bufferevent_setcb(c->bev[SIDE_CLIENT], on_readable, on_written, on_event, c);
	(void)event_add(c->deadline, &handshake_time);
}
