/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Readiness and the watchdog. The protocol is datagrams of text (sd_notify(3), "Notes") and two
 * variables (sd_watchdog_enabled(3)), so libsystemd is not needed for it.
 */
#include "daemon/priv/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/log.h"

/* Three times within the manager's patience: one that comes late does no harm. */
#define FEEDS 3

static int connect_manager(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	size_t n = path ? strlen(path) : 0;
	int fd;

	if (n < 2 || n >= sizeof(sa.sun_path) || (path[0] != '/' && path[0] != '@'))
		return -1;
	memcpy(sa.sun_path, path, n);
	if (path[0] == '@') /* abstract (unix(7)) */
		sa.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&sa,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n))) {
		(void)close(fd);
		log_warn("notify", "cannot reach the service manager at %s", path);
		return -1;
	}
	return fd;
}

/* A positive decimal number, 0 for anything else. */
static long long number(const char *text)
{
	char *end;
	long long v;

	if (!text || *text < '0' || *text > '9')
		return 0;
	errno = 0;
	v = strtoll(text, &end, 10);
	return errno || *end ? 0 : v;
}

/* $WATCHDOG_PID names the process that is to feed it: not a child that inherited the environment. */
static int feed_every(void)
{
	const char *pid = getenv("WATCHDOG_PID");
	long long ms = number(getenv("WATCHDOG_USEC")) / 1000 / FEEDS;

	if (pid && number(pid) != getpid())
		return 0;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

int notify_open(struct notify *n, int ready_fd, struct diag *d)
{
	n->ready_fd = ready_fd;
	if (ready_fd >= 0 && fcntl(ready_fd, F_SETFD, FD_CLOEXEC))
		return diag_set(d, ERR_USAGE, "--ready-fd %d is not an open descriptor", ready_fd);
	n->manager = connect_manager(getenv("NOTIFY_SOCKET"));
	n->feed_ms = n->manager >= 0 ? feed_every() : 0;
	n->fed = 0;
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
	return 0;
}

void notify_ready(struct notify *n)
{
	static const char ready[] = "READY=1\nSTATUS=The gate is open to enrolled phones.";

	if (n->manager >= 0 && send(n->manager, ready, sizeof(ready) - 1, MSG_NOSIGNAL) < 0)
		log_warn("notify", "the service manager does not listen");
	if (n->ready_fd >= 0) {
		if (write(n->ready_fd, "\n", 1) != 1)
			log_warn("notify", "nobody reads the ready descriptor");
		(void)close(n->ready_fd);
		n->ready_fd = -1;
	}
}

int notify_feed(struct notify *n, int64_t now)
{
	static const char alive[] = "WATCHDOG=1";

	if (!n->feed_ms)
		return -1;
	if (!n->fed || now - n->fed >= n->feed_ms) {
		n->fed = now;
		/* A manager whose queue is full is not waited for: the next one comes soon. */
		(void)send(n->manager, alive, sizeof(alive) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	return (int)(n->fed + n->feed_ms - now);
}
