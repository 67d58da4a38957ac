/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocking exchange of messages. Free of libsodium, because printgate-web uses it: buffers are wiped
 * by explicit_bzero(3).
 */
#include "common/chan.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "common/cleanup.h"

static int connect_failed(const char *path, int error, struct diag *d)
{
	if (error == EACCES || error == EPERM)
		return diag_set(d, ERR_NOT_PERMITTED,
				"no permission to use %s: run this as root, or as a member of the "
				"group that owns it",
				path);
	return diag_set(d, ERR_UNREACHABLE, "nothing answers at %s (%s): is printgated running?",
			path, strerror(error));
}

int chan_connect(const char *path, struct diag *d)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	size_t n = strlen(path);
	auto_close int fd = -1;

	if (n == 0 || n >= sizeof(addr.sun_path))
		return diag_set(d, ERR_UNREACHABLE,
				"\"%.80s\" cannot be a socket: a socket's path has 1 to %zu bytes",
				path, sizeof(addr.sun_path) - 1);
	memcpy(addr.sun_path, path, n);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return diag_errno(d, "socket");
	while (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)))
		if (errno != EINTR)
			return connect_failed(path, errno, d);
	return take_fd(&fd);
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits until the socket is ready for `events` or has failed. */
static int chan_wait(int fd, short events, int timeout_ms, struct diag *d)
{
	int64_t end = now_ms() + timeout_ms;
	struct pollfd p = {.fd = fd, .events = events};

	for (;;) {
		int64_t left = timeout_ms < 0 ? -1 : end - now_ms();
		int n = poll(&p, 1, timeout_ms >= 0 && left < 0 ? 0 : (int)left);

		if (n > 0)
			return 0;
		if (n == 0)
			return diag_set(d, ERR_UNREACHABLE, "no answer within %d ms", timeout_ms);
		if (errno != EINTR)
			return diag_errno(d, "poll");
	}
}

/* 0, or 1 if there is no room now. */
static int send_bytes(int fd, const uint8_t *p, size_t n, struct diag *d)
{
	while (send(fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		if (errno == EAGAIN)
			return 1;
		if (errno != EINTR)
			return diag_set(d, ERR_UNREACHABLE, "the other side is gone (%s)",
					strerror(errno));
	}
	return 0;
}

int chan_try_send(int fd, const struct wire_table *table, uint16_t type, const void *msg,
		  struct diag *d)
{
	uint8_t buf[WIRE_BYTES_MAX];
	int n = wire_encode(table, type, msg, buf);
	int err;

	if (n < 0)
		err = diag_set(d, ERR_PROTOCOL,
			       "message %u cannot be sent: a field is out of range",
			       (unsigned)type);
	else
		err = send_bytes(fd, buf, (size_t)n, d);
	explicit_bzero(buf, n < 0 ? sizeof(buf) : (size_t)n);
	return err;
}

int chan_send(int fd, const struct wire_table *table, uint16_t type, const void *msg,
	      struct diag *d)
{
	int r;

	while ((r = chan_try_send(fd, table, type, msg, d)) == 1) {
		r = chan_wait(fd, POLLOUT, -1, d);
		if (r)
			break;
	}
	return r;
}

/* One datagram, if one is there: 0 and *n, its length, which is larger than the room if it was cut;
 * or 1 if there is none. */
static int recv_bytes(int fd, uint8_t *p, size_t room, size_t *n, struct diag *d)
{
	ssize_t got;

	do
		got = recv(fd, p, room, MSG_TRUNC | MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got < 0 && errno == EAGAIN)
		return 1;
	if (got < 0)
		return diag_set(d, ERR_UNREACHABLE, "the other side is gone (%s)", strerror(errno));
	if (got == 0)
		return diag_set(d, ERR_UNREACHABLE, "the other side closed the connection");
	*n = (size_t)got;
	return 0;
}

int chan_try_recv(int fd, const struct wire_table *table, uint16_t *type, void *msg, size_t room,
		  struct diag *d)
{
	uint8_t buf[WIRE_BYTES_MAX];
	size_t n = 0;
	int err = recv_bytes(fd, buf, sizeof(buf), &n, d);

	if (!err && n > sizeof(buf))
		err = diag_set(d, ERR_PROTOCOL, "a message of %zu bytes is too long", n);
	else if (!err)
		err = wire_decode(table, buf, n, type, msg, room, d);
	explicit_bzero(buf, n < sizeof(buf) ? n : sizeof(buf));
	return err;
}

/* Tried before it is waited for: in the middle of a long answer the next message is there already. */
int chan_recv(int fd, const struct wire_table *table, uint16_t *type, void *msg, size_t room,
	      int timeout_ms, struct diag *d)
{
	int64_t end = now_ms() + timeout_ms;
	int r;

	while ((r = chan_try_recv(fd, table, type, msg, room, d)) == 1) {
		int64_t left = timeout_ms < 0 ? -1 : end - now_ms();

		if (timeout_ms >= 0 && left < 0)
			left = 0;
		r = chan_wait(fd, POLLIN, (int)left, d);
		if (r)
			break;
	}
	return r;
}
