/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control connections. Every socket is non-blocking and is read only while its out-queue is empty,
 * so a client that does not read its answer waits for itself and for nobody else. What does not
 * decode disconnects the client that sent it.
 */
#include "daemon/core/client.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/chan.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon/core/core.h"
#include "daemon/core/desired.h"
#include "daemon/core/queue.h"
#include "daemon/core/request.h"

#define SEND_BURST 8 /* datagrams; that many fit the default socket buffer */

#define SEND_AHEAD	  (4 * CHAN_BYTES_MAX)
#define REQUEST_BYTES_MAX (CHAN_LENGTH_BYTES + WIRE_BYTES_MAX)

struct client {
	struct clients *all;
	struct client *next; /* clients::first */
	int fd;
	uid_t uid;
	bool web;
	bool held;
	bool broken; /* to be disconnected instead of flushed */
	char actor[sizeof(((struct control_event *)0)->actor)];
	struct event *readable, *writable;
	struct queue queue;
	size_t unsent; /* bytes queued since the last try to send */
};

struct clients {
	struct core *core;
	int listen_fd;
	struct event *acceptable;
	struct client *first;
	unsigned count;
};

bool client_is_web(const struct client *cl)
{
	return cl->web;
}

const char *client_actor(const struct client *cl)
{
	return cl->actor;
}

static void unlink_client(struct client *cl)
{
	struct client **at = &cl->all->first;

	while (*at && *at != cl)
		at = &(*at)->next;
	if (*at)
		*at = cl->next;
	/* There is room again for one that waits. */
	if (cl->all->count-- == CLIENTS_MAX)
		(void)event_add(cl->all->acceptable, NULL);
}

static void client_release(struct client *cl)
{
	if (cl->readable)
		event_free(cl->readable);
	if (cl->writable)
		event_free(cl->writable);
	provision_forget(cl->all->core, cl);
	(void)close(cl->fd);
	queue_clear(&cl->queue);
	free(cl);
}

static void client_free(struct client *cl)
{
	unlink_client(cl);
	client_release(cl);
}

/* The web process may be silent for as long as nobody looks at the page. */
static const struct timeval *patience(const struct client *cl)
{
	static const struct timeval idle = {.tv_sec = CLIENT_IDLE_SECONDS};

	return cl->web ? NULL : &idle;
}

/* Sends some of the oldest datagrams and drops what went out. 0, or -1 and errno. */
static int push_some(struct client *cl)
{
	struct mmsghdr m[SEND_BURST] = {0};
	struct iovec datagram[SEND_BURST];
	const unsigned n = queue_peek(&cl->queue, datagram, SEND_BURST);
	size_t bytes = 0;
	int sent;

	for (unsigned i = 0; i < n; i++)
		m[i].msg_hdr = (struct msghdr){.msg_iov = &datagram[i], .msg_iovlen = 1};
	sent = sendmmsg(cl->fd, m, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	for (int i = 0; i < sent; i++)
		bytes += datagram[i].iov_len;
	if (bytes)
		queue_drop(&cl->queue, bytes);
	return sent < 0 ? -1 : 0;
}

/* 0: all is out; 1: the rest waits; -1: the client has gone. */
static int push(struct client *cl)
{
	while (!queue_empty(&cl->queue)) {
		if (push_some(cl) == 0 || errno == EINTR)
			continue;
		return errno == EAGAIN ? 1 : -1;
	}
	return 0;
}

/* Sends what it can and waits for the right thing next. May free the client. */
static void client_flush(struct client *cl)
{
	const int r = cl->broken ? -1 : push(cl);

	if (r == 1) {
		(void)event_del(cl->readable);
		(void)event_add(cl->writable, patience(cl));
	} else if (r == 0) {
		if (!cl->held)
			(void)event_add(cl->readable, patience(cl));
	} else {
		client_free(cl);
	}
}

void client_hold(struct client *cl)
{
	cl->held = true;
}

void client_resume(struct client *cl)
{
	cl->held = false;
	client_flush(cl);
}

void client_send(struct client *cl, uint16_t type, const void *msg)
{
	uint8_t message[WIRE_BYTES_MAX];
	const int n = wire_encode(&control_table, type, msg, message);

	if (n < 0) {
		log_error("control", "an answer of type %u cannot be encoded", (unsigned)type);
		cl->broken = true;
	} else if (!queue_put(&cl->queue, message, (size_t)n, CLIENT_QUEUE_BYTES_MAX)) {
		log_warn("control", "%s does not read its answer: disconnected", cl->actor);
		cl->broken = true;
	} else if ((cl->unsent += (size_t)n) > SEND_AHEAD && !cl->broken) {
		/* A long answer is read while the rest of it is made. */
		cl->broken = push(cl) < 0;
		cl->unsent = 0;
	}
	explicit_bzero(message, n < 0 ? sizeof(message) : (size_t)n);
}

/* The length of the datagram (the true one, if it was longer than the buffer), 0 if the client has
 * gone or sent an empty one, -1 if there is nothing to read. */
static ssize_t pull(struct client *cl, uint8_t datagram[REQUEST_BYTES_MAX])
{
	ssize_t n;

	do
		n = recv(cl->fd, datagram, REQUEST_BYTES_MAX, MSG_TRUNC | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? -1 : 0;
	return n;
}

static int decode(const uint8_t *datagram, size_t n, uint16_t *type, union control_any *msg,
		  struct diag *d)
{
	const int length = n > REQUEST_BYTES_MAX ? ERR_PROTOCOL : chan_record(datagram, n, d);

	if (length < 0 || (size_t)length + CHAN_LENGTH_BYTES != n)
		return diag_set(d, ERR_PROTOCOL, "not one whole request");
	return wire_decode(&control_table, datagram + CHAN_LENGTH_BYTES, (size_t)length, type, msg,
			   sizeof(*msg), d);
}

static void client_read(struct client *cl)
{
	uint8_t datagram[REQUEST_BYTES_MAX];
	union control_any msg;
	struct diag d = {0};
	uint16_t type = 0;
	const ssize_t n = pull(cl, datagram);

	if (n < 0)
		return;
	if (n == 0) {
		cl->broken = true;
	} else if (decode(datagram, (size_t)n, &type, &msg, &d)) {
		log_warn("control", "%s sent what cannot be understood (%s): disconnected",
			 cl->actor, d.text);
		cl->broken = true;
	} else {
		request_run(cl->all->core, cl, type, &msg);
	}
	/* It may have been a password. */
	explicit_bzero(datagram, sizeof(datagram));
	explicit_bzero(&msg, sizeof(msg));
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct client *cl = arg;
	struct core *c = cl->all->core;

	(void)fd;
	if (what & EV_TIMEOUT)
		cl->broken = true;
	else
		client_read(cl);
	client_flush(cl);
	desired_resync(c);
	presence_news(c);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct client *cl = arg;

	(void)fd;
	if (what & EV_TIMEOUT)
		cl->broken = true;
	client_flush(cl);
}

static void client_new(struct clients *all, int fd, bool web, uid_t uid, const char *actor)
{
	struct client *cl = mem_zalloc(1, sizeof(*cl));

	*cl = (struct client){.all = all, .next = all->first, .fd = fd, .uid = uid, .web = web};
	(void)snprintf(cl->actor, sizeof(cl->actor), "%s", actor);
	all->first = cl;
	all->count++;
	cl->readable = event_new(all->core->base, fd, EV_READ, on_readable, cl);
	cl->writable = event_new(all->core->base, fd, EV_WRITE, on_writable, cl);
	if (!cl->readable || !cl->writable)
		core_fatal("no memory for a connection");
	client_flush(cl);
}

/* The user's name, if it is one that can stand in a log line. */
static void actor_of(uid_t uid, char *out, size_t size)
{
	const struct passwd *pw = getpwuid(uid);

	if (pw && strlen(pw->pw_name) < size && name_valid(pw->pw_name, strlen(pw->pw_name)))
		(void)snprintf(out, size, "%s", pw->pw_name);
	else
		(void)snprintf(out, size, "uid %u", (unsigned)uid);
}

/* Members of the group share less than all of the room, each a part of it: nobody can shut out
 * another, nor root. */
static bool has_room(const struct clients *all, uid_t uid)
{
	unsigned others = 0, same = 0;

	for (const struct client *cl = all->first; cl; cl = cl->next) {
		others += !cl->web && cl->uid != 0;
		same += !cl->web && cl->uid == uid;
	}
	return uid == 0 || (others < CLIENTS_OTHERS_MAX && same < CLIENTS_USER_MAX);
}

static void turn_away(int conn)
{
	struct control_error e = {.code = ERR_LIMIT,
				  .text = "too many connections at once: try again in a moment"};
	struct diag d;

	static struct chan line;

	chan_open(&line, conn, &control_table, &control_table);
	if (chan_send(&line, CTL_ERROR, &e, &d))
		log_debug("core", "%s", d.text);
	chan_close(&line);
	(void)close(conn);
}

static void on_acceptable(evutil_socket_t fd, short what, void *arg)
{
	struct clients *all = arg;
	char actor[sizeof(((struct client *)0)->actor)];
	struct ucred who = {.uid = (uid_t)-1};
	socklen_t len = sizeof(who);
	const int conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)what;
	if (conn < 0) {
		/* The client may have left meanwhile; anything else would be tried for ever. */
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			core_fatal("cannot accept connections: %s", strerror(errno));
		return;
	}
	if (getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &who, &len) || !has_room(all, who.uid)) {
		turn_away(conn);
		return;
	}
	actor_of(who.uid, actor, sizeof(actor));
	client_new(all, conn, false, who.uid, actor);
	if (all->count == CLIENTS_MAX)
		(void)event_del(all->acceptable);
}

static int nonblocking(int fd, struct diag *d)
{
	const int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK))
		return diag_errno(d, "descriptor %d", fd);
	return 0;
}

int clients_open(struct core *c, int listen_fd, const int web_fd[CLIENTS_WEB], struct diag *d)
{
	struct clients *all;
	int r = nonblocking(listen_fd, d);

	for (unsigned i = 0; i < CLIENTS_WEB && r == 0; i++)
		r = nonblocking(web_fd[i], d);
	if (r)
		return r;
	all = mem_zalloc(1, sizeof(*all));
	all->core = c;
	all->listen_fd = listen_fd;
	all->acceptable = event_new(c->base, listen_fd, EV_READ | EV_PERSIST, on_acceptable, all);
	if (!all->acceptable || event_add(all->acceptable, NULL)) {
		free(all);
		return diag_set(d, ERR_SYSTEM, "cannot watch the control socket");
	}
	c->clients = all;
	for (unsigned i = 0; i < CLIENTS_WEB; i++)
		client_new(all, web_fd[i], true, 0, "page");
	return 0;
}

void clients_free(struct clients *all)
{
	struct client *next;

	if (!all)
		return;
	for (struct client *cl = all->first; cl; cl = next) {
		next = cl->next;
		client_release(cl);
	}
	event_free(all->acceptable);
	(void)close(all->listen_fd);
	free(all);
}
