/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The UAPI socket (wg_sock.h): finding, binding, removing and asking. What goes through it is
 * wg_uapi.c's. Used by wg_user.c alone.
 */
#include "daemon/priv/wg_sock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"

#define FOLDER	    "/run/wireguard"
#define ASK_SECONDS 10
#define CHUNK_BYTES 16384

int wg_sock_folder(gid_t gid, struct diag *d)
{
	struct stat st;

	if (mkdir(FOLDER, 0755) < 0 && errno != EEXIST)
		return diag_errno(d, "cannot make the folder %s", FOLDER);
	if (lstat(FOLDER, &st) < 0)
		return diag_errno(d, "cannot look at the folder %s", FOLDER);
	if (!S_ISDIR(st.st_mode) || st.st_uid != 0)
		return diag_set(d, ERR_CONFLICT, "%s is not a folder of root's: remove it", FOLDER);
	if (st.st_gid == gid && (st.st_mode & 07777) == 01775)
		return 0;
	if (chown(FOLDER, 0, gid) < 0 || chmod(FOLDER, 01775) < 0)
		return diag_errno(d, "cannot give the folder %s to the group %u", FOLDER,
				  (unsigned)gid);
	return 0;
}

static void address(struct sockaddr_un *out, const char *interface)
{
	memset(out, 0, sizeof(*out));
	out->sun_family = AF_UNIX;
	(void)snprintf(out->sun_path, sizeof(out->sun_path), "%s/%s.sock", FOLDER, interface);
}

/* A connected descriptor, or -1 and errno. */
static int dial(const struct sockaddr_un *to)
{
	struct timeval limit = {.tv_sec = ASK_SECONDS};
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
	    connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
		return -1;
	return take_fd(&fd);
}

int wg_sock_state(const char *interface, enum wg_sock_state *state, struct diag *d)
{
	struct sockaddr_un sa;
	auto_close int fd = -1;

	address(&sa, interface);
	fd = dial(&sa);
	if (fd >= 0)
		*state = WG_SOCK_LIVE;
	else if (errno == ENOENT)
		*state = WG_SOCK_NONE;
	else if (errno == ECONNREFUSED)
		*state = WG_SOCK_STALE;
	else if (errno == EACCES || errno == EPERM)
		return diag_set(d, ERR_NOT_PERMITTED,
				"%s belongs to another user's WireGuard: end it, or choose another "
				"interface name",
				sa.sun_path);
	else
		return diag_errno(d, "cannot connect to %s", sa.sun_path);
	return 0;
}

int wg_sock_remove(const char *interface, struct diag *d)
{
	struct sockaddr_un sa;
	struct stat st;

	address(&sa, interface);
	if (lstat(sa.sun_path, &st) < 0)
		return errno == ENOENT ? 0 : diag_errno(d, "cannot look at %s", sa.sun_path);
	if (!S_ISSOCK(st.st_mode))
		return diag_set(d, ERR_CONFLICT, "%s is not a socket: remove it", sa.sun_path);
	if (unlink(sa.sun_path) < 0 && errno != ENOENT)
		return diag_errno(d, "cannot remove the stale socket %s", sa.sun_path);
	return 0;
}

int wg_sock_bind(const char *interface, int *fd, struct diag *d)
{
	struct sockaddr_un sa;
	auto_close int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address(&sa, interface);
	/* Before the bind the mode is the descriptor's alone; bind creates the file with it. */
	if (s < 0 || fchmod(s, 0600) < 0 || bind(s, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return diag_errno(d, "cannot bind %s", sa.sun_path);
	*fd = take_fd(&s);
	return 0;
}

static int send_all(int fd, const char *text, size_t n, struct diag *d)
{
	while (n) {
		ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return diag_errno(d, "cannot write to wireguard-go");
		text += sent;
		n -= (size_t)sent;
	}
	return 0;
}

static int read_answer(int fd, struct uapi_reader *r, struct diag *d)
{
	char chunk[CHUNK_BYTES];
	int rc = 0;

	while (rc == 0 && !r->done) {
		ssize_t n = recv(fd, chunk, sizeof(chunk), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = diag_errno(d, "wireguard-go does not answer");
		else if (n == 0)
			rc = diag_set(d, ERR_KERNEL, "wireguard-go ended instead of answering");
		else
			rc = uapi_read(r, chunk, (size_t)n, d);
	}
	key_wipe(chunk, sizeof(chunk)); /* keys went through it */
	return rc;
}

static int answer_error(int error, struct diag *d)
{
	if (error == EADDRINUSE)
		return diag_set(d, ERR_KERNEL,
				"wireguard-go: the UDP port is taken by another program");
	return diag_set(d, ERR_KERNEL, "wireguard-go refused the change: %s", strerror(error));
}

static int peer_pidfd(int fd, int *out, struct diag *d)
{
	struct ucred who;
	socklen_t n = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) < 0)
		return diag_errno(d, "cannot tell which process answers for the interface");
	if (who.pid <= 0)
		return diag_set(d, ERR_CONFLICT,
				"the process behind the interface is in another PID namespace");
	*out = pidfd_open(who.pid, 0);
	return *out < 0 ? diag_errno(d, "cannot watch process %d", (int)who.pid) : 0;
}

int wg_sock_ask(const char *interface, const char *text, size_t n, struct uapi_reader *r,
		int *pidfd, struct diag *d)
{
	struct sockaddr_un sa;
	auto_close int fd = -1;
	auto_close int process = -1;
	int rc;

	address(&sa, interface);
	fd = dial(&sa);
	if (fd < 0)
		return diag_errno(d, "cannot connect to %s", sa.sun_path);
	rc = pidfd ? peer_pidfd(fd, &process, d) : 0;
	rc = rc ? rc : send_all(fd, text, n, d);
	rc = rc ? rc : read_answer(fd, r, d);
	if (rc)
		return rc;
	if (r->error)
		return answer_error(r->error, d);
	if (pidfd)
		*pidfd = take_fd(&process);
	return 0;
}
