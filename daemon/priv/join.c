/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One datagram each time, from printgated to a companion that has yet to become one. Both sides are this
 * program, and nobody else can connect: the manager listens, and printgated's account alone may connect.
 */
#include "daemon/priv/join.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "daemon/priv/dirs.h"
#include "daemon/priv/page_tls.h"
#include "daemon/priv/sock.h"

#define FD_LISTENER 3 /* SD_LISTEN_FDS_START (sd-daemon.h) */
#define ARGS_BYTES  4096
#define OWN_MAX	    PAGE_TLS_FILES		  /* descriptors that a companion adds */
#define FDS_MAX	    (SPAWN_FDS_MAX - OWN_MAX - 1) /* the call is added, too */

_Static_assert(ARGS_BYTES > SPAWN_ARGS_MAX * (CONF_NAME_BYTES + 1), "arguments are names at most");

union fds_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * FDS_MAX)];
};

/* ---- printgated's side --------------------------------------------------------------------------- */

static int dial(const struct spawn *s, struct diag *d)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	auto_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return diag_errno(d, "cannot make a socket");
	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%.86s/%.14s.start", s->runtime,
		       s->program);
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
		return diag_set(d, ERR_UNREACHABLE,
				"cannot have %s started at %s: %s (`systemctl status %s.socket`)",
				s->program, sa.sun_path, strerror(errno), s->program);
	return take_fd(&fd);
}

/* Each with its NUL. */
static size_t pack_args(char out[ARGS_BYTES], const struct spawn *s)
{
	size_t n = 0;

	for (unsigned i = 0; i < SPAWN_ARGS_MAX && s->args[i]; i++)
		n += (size_t)snprintf(out + n, ARGS_BYTES - n, "%s", s->args[i]) + 1;
	return n;
}

/* Those that are not the companion's own to add. */
static int pack_fds(struct msghdr *msg, const struct spawn *s)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int fds[FDS_MAX] = {-1};
	size_t n = 0;

	for (unsigned i = 0; i < s->fd_count; i++) {
		if (s->fds[i] < 0)
			continue;
		if (n == FDS_MAX)
			return -1;
		fds[n++] = s->fds[i];
	}
	n *= sizeof(int);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n);
	memcpy(CMSG_DATA(c), fds, n);
	msg->msg_controllen = CMSG_SPACE(n);
	return 0;
}

int join_call(const struct spawn *s, struct diag *d)
{
	union fds_control control = {.bytes = {0}};
	char args[ARGS_BYTES];
	struct iovec io = {args, pack_args(args, s)};
	struct msghdr msg = {.msg_iov = &io,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	auto_close int fd = dial(s, d);

	if (fd < 0)
		return fd;
	/* Without arguments there would be nothing to send, and an empty datagram is an end of file. */
	if (!io.iov_len) {
		args[0] = '\0';
		io.iov_len = 1;
	}
	if (pack_fds(&msg, s))
		return diag_set(d, ERR_INTERNAL, "too many descriptors for %s", s->program);
	if (sendmsg(fd, &msg, MSG_NOSIGNAL) != (ssize_t)io.iov_len)
		return diag_errno(d, "cannot tell %s what to do", s->program);
	return take_fd(&fd);
}

/* ---- the companion's side ------------------------------------------------------------------------ */

/* What a program of ours is by the configuration, as printgated's main.c and page_tls.c have it, and which
 * of its descriptors it makes itself: where they begin, how many. */
struct role {
	const char *program;
	size_t user; /* where in struct conf */
	bool page;
	unsigned own_at, own_count;
	int (*own)(int *out, const struct conf *c, struct diag *d);
};

static const struct role *find_role(const char *program)
{
	static const struct role roles[] = {
		/* A control socket that nobody else can put another in the place of. */
		{"printgate-core", offsetof(struct conf, core), false, 1, 1, sock_control},
		{"printgate-web", offsetof(struct conf, web), true, 0, 0, NULL},
		/* Started as root, whose certificate and key are. */
		{"printgate-tls", offsetof(struct conf, tls_user), true, PAGE_TLS_FILES_AT,
		 PAGE_TLS_FILES, page_tls_files},
	};

	for (size_t i = 0; i < ARRAY_LEN(roles); i++)
		if (!strcmp(roles[i].program, program))
			return &roles[i];
	return NULL;
}

static int no_role(const char *program, struct diag *d)
{
	return diag_set(d, ERR_USAGE, "no companion is called \"%.40s\"", program);
}

/* The variables say that the descriptor is meant for this process, and not for who started it. */
static int take_listener(struct diag *d)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	const int fd = FD_LISTENER;

	if (!pid || !count || strtol(pid, NULL, 10) != getpid() || strcmp(count, "1") != 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC))
		return diag_set(
			d, ERR_USAGE,
			"--companion is for the units of printgate.service, which hand over "
			"a listening socket");
	return fd;
}

int join_take(const char *program, struct diag *d)
{
	auto_close int listener = find_role(program) ? take_listener(d) : no_role(program, d);
	int fd;

	if (listener < 0)
		return listener;
	do {
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	} while (fd < 0 && errno == EINTR);
	return fd < 0 ? diag_errno(d, "cannot take printgated's connection") : fd;
}

static int unpack_args(struct spawn *s, char *args, size_t n)
{
	unsigned count = 0;

	if (!n || args[n - 1])
		return -1;
	for (char *a = args; a < args + n; a += strlen(a) + 1) {
		if (count == SPAWN_ARGS_MAX)
			return -1;
		if (*a)
			s->args[count++] = a;
	}
	return 0;
}

static int unpack_fds(struct spawn *s, const struct cmsghdr *c)
{
	size_t n;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return -1;
	n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	if (n > FDS_MAX)
		return -1;
	memcpy(s->fds, CMSG_DATA(c), n * sizeof(int));
	s->fd_count = (unsigned)n;
	return 0;
}

/* ERR_UNREACHABLE: it has gone again before it said anything. */
static int take_message(struct spawn *s, char args[ARGS_BYTES], int call, struct diag *d)
{
	union fds_control control = {.bytes = {0}};
	struct iovec io = {args, ARGS_BYTES};
	struct msghdr msg = {.msg_iov = &io,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	ssize_t n;

	do {
		n = recvmsg(call, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return diag_errno(d, "printgated's connection");
	if (n == 0)
		return diag_set(d, ERR_UNREACHABLE, "printgated has gone");
	if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC) || unpack_args(s, args, (size_t)n) ||
	    unpack_fds(s, CMSG_FIRSTHDR(&msg)))
		return diag_set(d, ERR_PROTOCOL,
				"not understood: are printgated and its units of one version?");
	return 0;
}

static int insert_own(struct spawn *s, const struct role *role, const int *own, struct diag *d)
{
	if (s->fd_count < role->own_at)
		return diag_set(d, ERR_PROTOCOL, "only %u descriptors", s->fd_count);
	memmove(s->fds + role->own_at + role->own_count, s->fds + role->own_at,
		(s->fd_count - role->own_at) * sizeof(int));
	memcpy(s->fds + role->own_at, own, role->own_count * sizeof(int));
	s->fd_count += role->own_count;
	return 0;
}

/* What printgated says is heard only after root, where it was that, has been given up. */
static int prepare(struct spawn *s, const struct role *role, int own[OWN_MAX], const struct conf *c,
		   struct diag *d)
{
	int rc = role->own ? role->own(own, c, d) : 0;

	s->program = role->program;
	s->user = *(const struct conf_user *)((const char *)c + role->user);
	s->may_chroot = role->page;
	if (!rc)
		rc = spawn_identity(s, d);
	return rc ? rc : dirs_of_companion(&s->folder, c, role->page, d);
}

int join_answer(const char *program, int call, const struct conf *c, struct diag *d)
{
	const struct role *role = find_role(program);
	struct spawn s = {.folder = -1};
	int own[OWN_MAX] = {-1, -1};
	char args[ARGS_BYTES];
	int rc = role ? prepare(&s, role, own, c, d) : no_role(program, d);

	if (!rc)
		rc = take_message(&s, args, call, d);
	if (!rc)
		rc = insert_own(&s, role, own, d);
	if (rc)
		return rc;
	s.fds[s.fd_count++] = call; /* it ends with the program */
	return spawn_become(&s, d);
}
