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

#define HANDOVER_BYTES 19 /* family, port (little-endian), address */

union handover_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

int handover_send(int line, int fd, const struct endpoint *client, struct diag *d)
{
	uint8_t bytes[HANDOVER_BYTES] = {client->family, (uint8_t)client->port,
					 (uint8_t)(client->port >> 8)};
	union handover_control control = {.bytes = {0}};
	struct iovec io = {bytes, sizeof(bytes)};
	struct msghdr msg = {.msg_iov = &io,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	memcpy(bytes + 3, client->addr, sizeof(client->addr));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	if (sendmsg(line, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)sizeof(bytes))
		return diag_set(d, ERR_UNREACHABLE, "the page takes no connection: %s",
				strerror(errno));
	return 0;
}

int handover_recv(int line, struct endpoint *client, struct diag *d)
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
	    (bytes[0] != 4 && bytes[0] != 6))
		return diag_set(d, ERR_PROTOCOL, "printgate-tls hands over no connection");
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return diag_errno(d, "a connection handed over");
	*client =
		(struct endpoint){.family = bytes[0], .port = (uint16_t)(bytes[1] | bytes[2] << 8)};
	memcpy(client->addr, bytes + 3, sizeof(client->addr));
	return take_fd(&fd);
}
