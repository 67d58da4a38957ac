/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Core's side of its copies: starts them, reaps each by its own number, ends them.
 */
#include "daemon/core/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "daemon/core/core.h"

#define EXIT_EXEC 127

static void on_child(evutil_socket_t fd, short what, void *arg)
{
	struct copies *all = arg;

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < all->n;) {
		if (waitpid(all->item[i].pid, NULL, WNOHANG) == 0)
			i++;
		else
			all->item[i] = all->item[--all->n];
	}
}

/* The signal is watched from the first copy on: who needs no copy needs none of this. */
static int watch_children(struct core *c, struct diag *d)
{
	struct copies *all = &c->copies;

	if (!all->child)
		all->child = evsignal_new(c->base, SIGCHLD, on_child, all);
	if (!all->child || evsignal_add(all->child, NULL))
		return diag_set(d, ERR_SYSTEM, "cannot watch for the end of a process");
	return 0;
}

static int has_room(const struct copies *all, const char *verb, unsigned at_once, struct diag *d)
{
	unsigned same = 0;

	for (unsigned i = 0; i < all->n; i++)
		same += all->item[i].verb == verb;
	if (same < at_once && all->n < COPIES_MAX)
		return 0;
	return diag_set(d, ERR_LIMIT, "too much of this is asked at once: try again in a moment");
}

/* In the child, between fork and exec: nothing but system calls. It does not outlive core. */
static void __attribute__((noreturn)) become_copy(int theirs, const char *verb, const char *arg)
{
	char *argv[] = {(char *)(uintptr_t) "printgate-core", (char *)(uintptr_t)verb,
			(char *)(uintptr_t)arg, NULL};
	char *env[] = {NULL};
	const int null = open("/dev/null", O_RDWR);
	sigset_t none;

	(void)sigemptyset(&none);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) || null < 0 ||
	    sigprocmask(SIG_SETMASK, &none, NULL) || dup2(theirs, COPY_FD) < 0)
		_exit(EXIT_EXEC);
	for (int fd = 0; fd < COPY_FD; fd++)
		if (dup2(null, fd) < 0)
			_exit(EXIT_EXEC);
	if (close_range(COPY_FD + 1, ~0U, 0) == 0)
		(void)execve("/proc/self/exe", argv, env);
	_exit(EXIT_EXEC);
}

/* Descriptors 3 to 5 are core's own, so `theirs` cannot be COPY_FD already. */
int copy_start(struct core *c, const char *verb, const char *arg, unsigned at_once, int theirs,
	       pid_t *pid, struct diag *d)
{
	pid_t child;
	int r = watch_children(c, d);

	if (r == 0)
		r = has_room(&c->copies, verb, at_once, d);
	if (r)
		return r;
	child = fork();
	if (child == 0)
		become_copy(theirs, verb, arg);
	if (child < 0)
		return diag_errno(d, "cannot start a process");
	c->copies.item[c->copies.n++] = (struct copy){.pid = child, .verb = verb};
	*pid = child;
	return 0;
}

/* While it is in the list it is not reaped, so the number is still its own. */
void copy_end(struct core *c, pid_t pid)
{
	for (unsigned i = 0; i < c->copies.n; i++)
		if (c->copies.item[i].pid == pid)
			(void)kill(pid, SIGKILL);
}

void copies_free(struct core *c)
{
	if (c->copies.child)
		event_free(c->copies.child);
}
