/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection that is not waited for. Nothing is sent or read: printers of some kinds answer one
 * client at a time, and some log each.
 */
#include "daemon/core/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/mem.h"
#include "daemon/core/core.h"

struct check {
	int fd;
	int error; /* of connect(2) if it failed at once */
	struct event *event;
	check_fn fn;
	void *arg;
};

void check_cancel(struct check *k)
{
	if (!k)
		return;
	if (k->event)
		event_free(k->event);
	if (k->fd >= 0)
		(void)close(k->fd);
	free(k);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
	struct check *k = arg;
	const check_fn fn = k->fn;
	void *const to = k->arg;
	int error = k->error;
	socklen_t n = sizeof(error);
	bool answers;

	if (!error && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n))
		error = errno;
	answers = !(what & EV_TIMEOUT) && (error == 0 || error == ECONNREFUSED);
	check_cancel(k);
	fn(to, answers);
}

int check_start(struct core *c, uint32_t address, uint16_t port, check_fn fn, void *arg,
		struct check **out, struct diag *d)
{
	static const struct timeval patience = {.tv_sec = CHECK_SECONDS};
	const struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
	struct check *k = mem_zalloc(1, sizeof(*k));

	*k = (struct check){.fn = fn, .arg = arg};
	k->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (k->fd >= 0 && connect(k->fd, (const struct sockaddr *)&to, sizeof(to)) &&
	    errno != EINPROGRESS)
		k->error = errno;
	if (k->fd >= 0)
		k->event = event_new(c->base, k->fd, EV_WRITE, on_event, k);
	if (!k->event || event_add(k->event, &patience)) {
		check_cancel(k);
		return diag_set(d, ERR_SYSTEM, "cannot look whether a printer answers");
	}
	*out = k;
	return 0;
}
