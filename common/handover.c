/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SCM_RIGHTS (unix(7)), with the checks that its receiver needs.
 */
#include "common/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"

#define END_BYTES      19 /* family, port (little-endian), address */
#define HANDOVER_BYTES (2 * END_BYTES)

union handover_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static void end_put(uint8_t out[END_BYTES], const struct endpoint *e)
{
	out[0] = e->family;
	out[1] = (uint8_t)e->port;
	out[2] = (uint8_t)(e->port >> 8);
	memcpy(out + 3, e->addr, sizeof(e->addr));
}

/* Both families are what TCP has; anything else is not from printgate-tls. */
static bool end_get(struct endpoint *e, const uint8_t in[END_BYTES])
{
	*e = (struct endpoint){.family = in[0], .port = (uint16_t)(in[1] | in[2] << 8)};
	memcpy(e->addr, in + 3, sizeof(e->addr));
	return e->family == 4 || e->family == 6;
}

int handover_send(int line, int fd, const struct handover *ends, struct diag *d)
{
	uint8_t bytes[HANDOVER_BYTES];
	union handover_control control = {.bytes = {0}};
	struct iovec io = {bytes, sizeof(bytes)};
	struct msghdr msg = {.msg_iov = &io,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	end_put(bytes, &ends->from);
	end_put(bytes + END_BYTES, &ends->to);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	if (sendmsg(line, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)sizeof(bytes))
		return diag_set(d, ERR_UNREACHABLE, "the page takes no connection: %s",
				strerror(errno));
	return 0;
}

int handover_recv(int line, struct handover *ends, struct diag *d)
{
	uint8_t bytes[HANDOVER_BYTES];
	union handover_control control = {.bytes = {0}};
	struct iovec io = {bytes, sizeof(bytes)};
	struct msghdr msg = {.msg_iov = &io,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	const ssize_t n = recvmsg(line, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *c = n >= 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	struct handover got;
	auto_close int fd = -1;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR
			       ? ERR_LIMIT
			       : diag_errno(d, "the line of printgate-tls");
	if (n == 0)
		return diag_set(d, ERR_UNREACHABLE, "printgate-tls has gone");
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	if (fd < 0 || n != HANDOVER_BYTES || (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ||
	    !end_get(&got.from, bytes) || !end_get(&got.to, bytes + END_BYTES))
		return diag_set(d, ERR_PROTOCOL, "printgate-tls hands over no connection");
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return diag_errno(d, "a connection handed over");
	*ends = got;
	return take_fd(&fd);
}
