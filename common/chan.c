/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records in datagrams. Free of libsodium, because printgate-web uses it: buffers are wiped by
 * explicit_bzero(3).
 */
#include "common/chan.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/cleanup.h"
#include "common/mono.h"

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

/* Waits until the socket is ready for `events` or has failed. */
static int chan_wait(int fd, short events, int timeout_ms, struct diag *d)
{
	const int n = mono_poll(fd, events, timeout_ms);

	if (n < 0)
		return diag_errno(d, "poll");
	return n ? 0 : diag_set(d, ERR_UNREACHABLE, "no answer within %d ms", timeout_ms);
}

/* ---- records --------------------------------------------------------------------------------- */

int chan_record(const uint8_t *in, size_t n, struct diag *d)
{
	const size_t length = n < CHAN_LENGTH_BYTES ? 0 : (size_t)(in[0] | in[1] << 8);

	if (n < CHAN_LENGTH_BYTES || length > n - CHAN_LENGTH_BYTES || length > WIRE_BYTES_MAX)
		return diag_set(d, ERR_PROTOCOL, "a datagram that is not made of whole messages");
	return (int)length;
}

void chan_record_begin(uint8_t out[CHAN_LENGTH_BYTES], size_t n)
{
	out[0] = (uint8_t)n;
	out[1] = (uint8_t)(n >> 8);
}

void chan_open(struct chan *c, int fd, const struct wire_table *in, const struct wire_table *out)
{
	c->fd = fd;
	c->in = in;
	c->out = out;
	c->in_at = c->in_end = c->out_end = 0;
}

/* Forgets the datagram in hand. */
static void in_drop(struct chan *c)
{
	explicit_bzero(c->in_bytes, c->in_end);
	c->in_at = c->in_end = 0;
}

static void out_drop(struct chan *c)
{
	explicit_bzero(c->out_bytes, c->out_end);
	c->out_end = 0;
}

void chan_close(struct chan *c)
{
	in_drop(c);
	out_drop(c);
	c->fd = -1;
}

bool chan_pending(const struct chan *c)
{
	return c->in_at < c->in_end;
}

/* ---- sending --------------------------------------------------------------------------------- */

int chan_try_flush(struct chan *c, struct diag *d)
{
	while (c->out_end > 0) {
		if (send(c->fd, c->out_bytes, c->out_end, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			out_drop(c);
		else if (errno == EAGAIN)
			return 1;
		else if (errno != EINTR)
			return diag_set(d, ERR_UNREACHABLE, "the other side is gone (%s)",
					strerror(errno));
	}
	return 0;
}

int chan_flush(struct chan *c, struct diag *d)
{
	int r;

	while ((r = chan_try_flush(c, d)) == 1) {
		r = chan_wait(c->fd, POLLOUT, -1, d);
		if (r)
			break;
	}
	return r;
}

/* Encoded beside the datagram first: how long it is shows only then. */
int chan_try_put(struct chan *c, uint16_t type, const void *msg, struct diag *d)
{
	uint8_t buf[WIRE_BYTES_MAX];
	const int n = wire_encode(c->out, type, msg, buf);
	int r = 0;

	if (n < 0)
		r = diag_set(d, ERR_PROTOCOL, "message %u cannot be sent: a field is out of range",
			     (unsigned)type);
	else if (c->out_end + CHAN_LENGTH_BYTES + (size_t)n > sizeof(c->out_bytes))
		r = chan_try_flush(c, d);
	if (r == 0) {
		chan_record_begin(c->out_bytes + c->out_end, (size_t)n);
		memcpy(c->out_bytes + c->out_end + CHAN_LENGTH_BYTES, buf, (size_t)n);
		c->out_end += CHAN_LENGTH_BYTES + (size_t)n;
	}
	explicit_bzero(buf, n < 0 ? sizeof(buf) : (size_t)n);
	return r;
}

int chan_put(struct chan *c, uint16_t type, const void *msg, struct diag *d)
{
	int r = chan_try_put(c, type, msg, d);

	if (r == 1)
		r = chan_flush(c, d);
	else
		return r;
	return r ? r : chan_try_put(c, type, msg, d);
}

int chan_send(struct chan *c, uint16_t type, const void *msg, struct diag *d)
{
	int r = chan_put(c, type, msg, d);

	return r ? r : chan_flush(c, d);
}

/* ---- receiving ------------------------------------------------------------------------------- */

/* The next datagram, if one is there: 0, or 1 if there is none. */
static int in_fill(struct chan *c, struct diag *d)
{
	ssize_t got;

	do
		got = recv(c->fd, c->in_bytes, sizeof(c->in_bytes), MSG_TRUNC | MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got < 0 && errno == EAGAIN)
		return 1;
	if (got < 0)
		return diag_set(d, ERR_UNREACHABLE, "the other side is gone (%s)", strerror(errno));
	if (got == 0)
		return diag_set(d, ERR_UNREACHABLE, "the other side closed the connection");
	c->in_end = (size_t)got;
	if (c->in_end <= sizeof(c->in_bytes))
		return 0;
	c->in_end = sizeof(c->in_bytes);
	in_drop(c);
	return diag_set(d, ERR_PROTOCOL, "a datagram of %zd bytes is too long", got);
}

int chan_try_recv(struct chan *c, uint16_t *type, void *msg, size_t room, struct diag *d)
{
	int n, r = chan_pending(c) ? 0 : in_fill(c, d);

	if (r)
		return r;
	n = chan_record(c->in_bytes + c->in_at, c->in_end - c->in_at, d);
	if (n >= 0)
		r = wire_decode(c->in, c->in_bytes + c->in_at + CHAN_LENGTH_BYTES, (size_t)n, type,
				msg, room, d);
	c->in_at += n < 0 ? 0 : CHAN_LENGTH_BYTES + (size_t)n;
	if (n < 0 || r || !chan_pending(c))
		in_drop(c); /* read to its end, or not worth reading on */
	return n < 0 ? n : r;
}

/* Tried before it is waited for: in the middle of a long answer the next message is there already. */
int chan_recv(struct chan *c, uint16_t *type, void *msg, size_t room, int timeout_ms,
	      struct diag *d)
{
	int64_t end = mono_ms() + timeout_ms;
	int r;

	while ((r = chan_try_recv(c, type, msg, room, d)) == 1) {
		int64_t left = timeout_ms < 0 ? -1 : end - mono_ms();

		if (timeout_ms >= 0 && left < 0)
			left = 0;
		r = chan_wait(c->fd, POLLIN, (int)left, d);
		if (r)
			break;
	}
	return r;
}
