/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Binding sockets, at start-up.
 */
#include "daemon/priv/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "daemon/priv/dirs.h"

#define SOCK_BACKLOG	  64
#define PORT_UNPRIVILEGED 1024 /* net.ipv4.ip_unprivileged_port_start's default (ip-sysctl.rst) */

int sock_control(int *out, const struct conf *c, struct diag *d)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	const struct group *gr = NULL;
	char folder[PATH_MAX];
	const bool flat = !dirs_runtime(folder, c, DIRS_CORE);
	auto_close int fd = -1;
	mode_t mask;
	int rc;

	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%.94s/" SOCK_CONTROL_NAME, folder);
	if (unlink(sa.sun_path) && errno != ENOENT)
		return diag_errno(d, "cannot replace %s", sa.sun_path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return diag_errno(d, "cannot make a socket");
	/* The package's folder gives it its group (setgid), so nothing is done there by path. */
	mask = umask(flat ? 0177 : 0117);
	rc = bind(fd, (struct sockaddr *)&sa, sizeof(sa));
	(void)umask(mask);
	if (rc || listen(fd, SOCK_BACKLOG))
		return diag_errno(d, "cannot listen on %s", sa.sun_path);
	if (flat)
		gr = getgrnam(SOCK_GROUP);
	if (gr && (chown(sa.sun_path, 0, gr->gr_gid) || chmod(sa.sun_path, 0660)))
		return diag_errno(d, "cannot open %s to the group " SOCK_GROUP, sa.sun_path);
	*out = take_fd(&fd);
	return 0;
}

/* Fills a socket address from an endpoint with `port` in place of its own. */
static socklen_t page_address(struct sockaddr_storage *sa, const struct endpoint *at, uint16_t port)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)sa;
	struct sockaddr_in *four = (struct sockaddr_in *)sa;

	memset(sa, 0, sizeof(*sa));
	if (at->family == 6) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(port);
		memcpy(&six->sin6_addr, at->addr, sizeof(six->sin6_addr));
		return sizeof(*six);
	}
	four->sin_family = AF_INET;
	four->sin_port = htons(port);
	memcpy(&four->sin_addr, at->addr, sizeof(four->sin_addr));
	return sizeof(*four);
}

static int page_socket(const struct conf_listen *l, struct diag *d)
{
	const bool six = l->at.family == 6;
	const int on = 1;
	auto_close int fd =
		socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return diag_errno(d, "cannot make a socket for the page");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		return diag_errno(d, "SO_REUSEADDR");
	/* The tunnel address does not exist yet when the interface is made later. */
	if (l->tunnel && (six ? setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on))
			      : setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on))))
		return diag_errno(d, "IP_FREEBIND");
	return take_fd(&fd);
}

static int cannot_listen(const char *at, uint16_t port, struct diag *d)
{
	if (errno == EACCES && port < PORT_UNPRIVILEGED)
		return diag_set(
			d, ERR_NOT_PERMITTED,
			"the page cannot listen on %s: ports below %d take one right more "
			"(`systemctl edit printgate`, [Service], CapabilityBoundingSet= and "
			"AmbientCapabilities=CAP_NET_BIND_SERVICE)",
			at, PORT_UNPRIVILEGED);
	return diag_errno(d, "the page cannot listen on %s", at);
}

int sock_page(const struct conf_listen *l, int *out, uint16_t *bound_port, struct diag *d)
{
	uint16_t port = l->tunnel ? SOCK_PAGE_PORT : l->at.port;
	unsigned tries = l->tunnel ? SOCK_PAGE_TRIES : 1;
	char text[ENDPOINT_TEXT_BYTES];
	struct sockaddr_storage sa;

	endpoint_format(text, &l->at);
	for (; tries; tries--, port++) {
		socklen_t n = page_address(&sa, &l->at, port);
		auto_close int fd = page_socket(l, d);

		if (fd < 0)
			return fd;
		if (!bind(fd, (struct sockaddr *)&sa, n) && !listen(fd, SOCK_BACKLOG)) {
			*out = take_fd(&fd);
			*bound_port = port;
			return 0;
		}
	}
	return cannot_listen(text, l->at.port, d);
}

int sock_tls(const struct endpoint *at, int *out, struct diag *d)
{
	const struct conf_listen l = {.at = *at};
	char text[ENDPOINT_TEXT_BYTES];
	struct sockaddr_storage sa;
	const socklen_t n = page_address(&sa, at, at->port);
	auto_close int fd = page_socket(&l, d);
	const int on = 1;

	if (fd < 0)
		return fd;
	endpoint_format(text, at);
	/* So that [::] and 0.0.0.0 can be given side by side. */
	if ((at->family == 6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on))) ||
	    bind(fd, (struct sockaddr *)&sa, n) || listen(fd, SOCK_BACKLOG))
		return cannot_listen(text, at->port, d);
	*out = take_fd(&fd);
	return 0;
}

int sock_pair(int out[2], struct diag *d)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, out))
		return diag_errno(d, "cannot make a socket pair");
	return 0;
}
