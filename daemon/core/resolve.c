/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Core's side of a look-up: starts the copy, waits for its answer by events, believes nothing of it
 * but its length, ends it. The copy is reaped by its own number, when it has ended.
 */
#include "daemon/core/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon/core/core.h"
#include "daemon/core/desired.h"
#include "daemon/core/resolve_own.h"

#define EXIT_EXEC 127

struct resolve {
	struct core *core;
	int fd;
	struct event *answer;
	resolve_fn fn;
	void *arg;
	pid_t pid;
};

/* ---- the copies that have not been reaped yet --------------------------------------------------- */

static void on_child(evutil_socket_t fd, short what, void *arg)
{
	struct resolvers *all = arg;

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < all->n;) {
		if (waitpid(all->pid[i], NULL, WNOHANG) == 0)
			i++;
		else
			all->pid[i] = all->pid[--all->n];
	}
}

/* The signal is watched from the first look-up on: who has no printer by name needs none of this. */
static int watch_children(struct core *c, struct diag *d)
{
	struct resolvers *all = &c->resolvers;

	if (!all->child)
		all->child = evsignal_new(c->base, SIGCHLD, on_child, all);
	if (!all->child || evsignal_add(all->child, NULL))
		return diag_set(d, ERR_SYSTEM, "cannot watch for the end of look-ups");
	if (all->n >= ARRAY_LEN(all->pid))
		return diag_set(d, ERR_LIMIT,
				"too many host names are being looked up: try again "
				"in a moment");
	return 0;
}

void resolvers_free(struct core *c)
{
	if (c->resolvers.child)
		event_free(c->resolvers.child);
}

/* ---- one look-up ------------------------------------------------------------------------------- */

/* In the child, between fork and exec: nothing but system calls. */
static void __attribute__((noreturn)) become_copy(int out, const char *name)
{
	char *argv[] = {(char *)(uintptr_t) "printgate-core", (char *)(uintptr_t)RESOLVE_VERB,
			(char *)(uintptr_t)name, NULL};
	char *env[] = {NULL};
	const int null = open("/dev/null", O_RDWR);
	sigset_t none;

	(void)sigemptyset(&none);
	if (null < 0 || sigprocmask(SIG_SETMASK, &none, NULL) || dup2(out, RESOLVE_FD) < 0)
		_exit(EXIT_EXEC);
	for (int fd = 0; fd < RESOLVE_FD; fd++)
		if (dup2(null, fd) < 0)
			_exit(EXIT_EXEC);
	if (close_range(RESOLVE_FD + 1, ~0U, 0) == 0)
		(void)execve("/proc/self/exe", argv, env);
	_exit(EXIT_EXEC);
}

/* Descriptors 3 to 5 are core's own, so neither end of the pipe can be RESOLVE_FD already. */
static int start_copy(struct resolve *r, const struct host *host, struct diag *d)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return diag_errno(d, "cannot make a pipe");
	r->fd = ends[0];
	r->pid = fork();
	if (r->pid == 0)
		become_copy(ends[1], host->s);
	(void)close(ends[1]);
	if (r->pid < 0)
		return diag_errno(d, "cannot start a look-up");
	r->core->resolvers.pid[r->core->resolvers.n++] = r->pid;
	return 0;
}

/* While it is in the list it is not reaped, so the number is still its own. */
static void end_copy(const struct resolve *r)
{
	const struct resolvers *all = &r->core->resolvers;

	for (unsigned i = 0; i < all->n; i++)
		if (all->pid[i] == r->pid)
			(void)kill(r->pid, SIGKILL);
}

static void resolve_free(struct resolve *r)
{
	if (r->pid > 0)
		end_copy(r);
	if (r->answer)
		event_free(r->answer);
	if (r->fd >= 0)
		(void)close(r->fd);
	free(r);
}

void resolve_cancel(struct resolve *r)
{
	if (r)
		resolve_free(r);
}

static void on_answer(evutil_socket_t fd, short what, void *arg)
{
	struct resolve *r = arg;
	struct resolve_answer a = {0};
	const resolve_fn fn = r->fn;
	struct core *c = r->core;
	void *const to = r->arg;

	if (what & EV_TIMEOUT || read(fd, &a, sizeof(a)) != sizeof(a) ||
	    a.count > RESOLVE_ADDRESSES_MAX)
		a.count = 0;
	resolve_free(r);
	fn(to, a.address, a.count);
	desired_resync(c);
	presence_news(c);
}

int resolve_start(struct core *c, const struct host *host, resolve_fn fn, void *arg,
		  struct resolve **out, struct diag *d)
{
	static const struct timeval patience = {.tv_sec = RESOLVE_SECONDS};
	struct resolve *r;
	int rc = watch_children(c, d);

	if (rc)
		return rc;
	r = mem_zalloc(1, sizeof(*r));
	*r = (struct resolve){.core = c, .fd = -1, .fn = fn, .arg = arg};
	rc = start_copy(r, host, d);
	if (!rc)
		r->answer = event_new(c->base, r->fd, EV_READ, on_answer, r);
	if (!rc && (!r->answer || event_add(r->answer, &patience)))
		rc = diag_set(d, ERR_SYSTEM, "cannot wait for a look-up");
	if (rc) {
		resolve_free(r);
		return rc;
	}
	*out = r;
	return 0;
}
