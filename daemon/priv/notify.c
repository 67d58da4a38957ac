/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Readiness. The protocol is one datagram of text (sd_notify(3), "Notes"), so libsystemd is not
 * needed for it.
 */
#include "daemon/priv/notify.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/log.h"

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

int notify_open(struct notify *n, int ready_fd, struct diag *d)
{
	n->ready_fd = ready_fd;
	if (ready_fd >= 0 && fcntl(ready_fd, F_SETFD, FD_CLOEXEC))
		return diag_set(d, ERR_USAGE, "--ready-fd %d is not an open descriptor", ready_fd);
	n->manager = connect_manager(getenv("NOTIFY_SOCKET"));
	(void)unsetenv("NOTIFY_SOCKET");
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
