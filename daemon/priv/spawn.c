/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The change of identity: starting the companions and dropping root. Runs once, at start-up. Under a
 * service manager that starts each program in its own unit, there is no root to drop (join.h).
 */
#include "daemon/priv/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "daemon/priv/join.h"

#ifndef PRINTGATE_LIBDIR
#define PRINTGATE_LIBDIR "/usr/lib/printgate"
#endif

#define FD_FIRST  3   /* of those handed to a child */
#define FD_PARK	  100 /* where they wait while their final numbers are cleared */
#define EXIT_EXEC 127
#define ENV_ROOM  4

/* The companion beside our own binary (a build folder), else the installed one. */
static int open_program(const char *name, struct diag *d)
{
	char self[PATH_MAX], path[PATH_MAX + NAME_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int fd;

	if (n > 0) {
		self[n] = '\0';
		(void)snprintf(path, sizeof(path), "%s/%s", dirname(self), name);
		fd = open(path, O_PATH | O_CLOEXEC);
		if (fd >= 0)
			return fd;
	}
	(void)snprintf(path, sizeof(path), PRINTGATE_LIBDIR "/%s", name);
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return diag_errno(d, "cannot find %s (neither beside printgated nor as %s)", name,
				  path);
	return fd;
}

/* All but CAP_SYS_CHROOT, if that is to stay. */
static int drop_bounding(bool may_chroot)
{
	for (cap_value_t cap = 0; cap <= CAP_LAST_CAP; cap++) {
		int held = cap_get_bound(cap);

		if (held > 0 && !(may_chroot && cap == CAP_SYS_CHROOT) && cap_drop_bound(cap))
			return -1;
	}
	return 0;
}

static int become(const struct conf_user *user)
{
	if (setgroups(0, NULL) || setresgid(user->gid, user->gid, user->gid) ||
	    setresuid(user->uid, user->uid, user->uid))
		return -1;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* Exactly these, permitted, effective and inheritable. */
static int set_caps(const cap_value_t *list, int n)
{
	cap_t caps = cap_init();
	int rc = -1;

	if (!caps)
		return -1;
	if (!cap_set_flag(caps, CAP_PERMITTED, n, list, CAP_SET) &&
	    !cap_set_flag(caps, CAP_EFFECTIVE, n, list, CAP_SET) &&
	    !cap_set_flag(caps, CAP_INHERITABLE, n, list, CAP_SET))
		rc = cap_set_proc(caps);
	(void)cap_free(caps);
	return rc;
}

/* As become(), with one capability that lasts over the execution of a program (capabilities(7)). */
static int become_chrooter(const struct conf_user *user)
{
	static const cap_value_t cap[] = {CAP_SYS_CHROOT};

	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || become(user) || set_caps(cap, 1))
		return -1;
	return cap_set_ambient(CAP_SYS_CHROOT, CAP_SET);
}

/* Moves the given descriptors to 3, 4, …; they may overlap those numbers, hence the detour. */
static int place_fds(const struct spawn *s)
{
	int parked[SPAWN_FDS_MAX];

	for (unsigned i = 0; i < s->fd_count; i++) {
		parked[i] = fcntl(s->fds[i], F_DUPFD, FD_PARK);
		if (parked[i] < 0)
			return -1;
	}
	for (unsigned i = 0; i < s->fd_count; i++)
		if (dup2(parked[i], FD_FIRST + (int)i) < 0)
			return -1;
	return 0;
}

/* What log.c asks for, and nothing else of what root's shell may have in its environment. */
static void environment(char *env[], size_t room)
{
	static const char *const kept[] = {"JOURNAL_STREAM=", "PRINTGATE_DEBUG="};
	size_t n = 0;

	for (char **e = environ; *e; e++)
		for (size_t k = 0; k < ARRAY_LEN(kept); k++)
			if (n + 1 < room && !strncmp(*e, kept[k], strlen(kept[k])))
				env[n++] = *e;
	env[n] = NULL;
}

/* A unit's companion is who it is to be from the start, with the bounding set that the unit gives it. */
static int take_identity(const struct spawn *s)
{
	if (geteuid() != 0)
		return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (drop_bounding(s->may_chroot))
		return -1;
	return s->may_chroot ? become_chrooter(&s->user) : become(&s->user);
}

/* Returns only on failure, with errno. */
static void execute(const struct spawn *s, int program)
{
	char *argv[SPAWN_ARGS_MAX + 2] = {(char *)(uintptr_t)s->program};
	char *env[ENV_ROOM];
	int keep = FD_FIRST + (int)s->fd_count;

	for (unsigned i = 0; i < SPAWN_ARGS_MAX && s->args[i]; i++)
		argv[i + 1] = (char *)(uintptr_t)s->args[i];
	program = fcntl(program, F_DUPFD_CLOEXEC, 2 * FD_PARK); /* out of place_fds' way */
	if (program < 0 || (s->folder >= 0 ? fchdir(s->folder) : chdir("/")) || place_fds(s) ||
	    take_identity(s) || close_range((unsigned)keep, ~0U, CLOSE_RANGE_CLOEXEC))
		return;
	environment(env, ARRAY_LEN(env));
	(void)fexecve(program, argv, env);
}

static void __attribute__((noreturn)) run_child(const struct spawn *s, int program)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)setsid(); /* a terminal's Ctrl-C is for printgated alone */
	execute(s, program);
	_exit(EXIT_EXEC);
}

static int no_net_admin(struct diag *d)
{
	return diag_set(d, ERR_NOT_PERMITTED,
			"printgated needs CAP_NET_ADMIN and was started without it (in a "
			"container, add NET_ADMIN; under systemd, CapabilityBoundingSet)");
}

bool spawn_managed(void)
{
	return geteuid() != 0;
}

bool spawn_may_chroot(void)
{
	return spawn_managed() || cap_get_bound(CAP_SYS_CHROOT) > 0;
}

int spawn_start(const struct spawn *s, struct companion *out, struct diag *d)
{
	auto_close int program = -1;

	*out = (struct companion){.name = s->program, .life = -1};
	if (spawn_managed()) {
		out->life = join_call(s, d);
		return out->life < 0 ? out->life : 0;
	}
	program = open_program(s->program, d);
	if (program < 0)
		return program;
	out->pid = fork();
	if (out->pid < 0)
		return diag_errno(d, "cannot start %s", s->program);
	if (out->pid == 0)
		run_child(s, program);
	return 0;
}

int spawn_may_be(const char *program, const struct conf_user *user, struct diag *d)
{
	if (geteuid() == 0 || geteuid() == user->uid)
		return 0;
	return diag_set(d, ERR_CONFIG,
			"%s is started as user %u, but is to be user %u by [users] in the "
			"configuration: leave that out, a service's accounts are its units'",
			program, (unsigned)geteuid(), (unsigned)user->uid);
}

int spawn_identity(const struct spawn *s, struct diag *d)
{
	const int rc = spawn_may_be(s->program, &s->user, d);

	if (!rc && take_identity(s))
		return diag_errno(d, "cannot become user %u", (unsigned)s->user.uid);
	return rc;
}

int spawn_become(const struct spawn *s, struct diag *d)
{
	auto_close int program = open_program(s->program, d);

	if (program < 0)
		return program;
	execute(s, program);
	return diag_errno(d, "cannot become %s", s->program);
}

/* What a unit gives beside it, for a port below 1024, is not for wireguard-go. */
static int only_net_admin_is_passed_on(struct diag *d)
{
	for (cap_value_t cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (cap != CAP_NET_ADMIN && cap_get_ambient(cap) == CAP_SET &&
		    cap_set_ambient(cap, CAP_CLEAR))
			return diag_errno(d, "cannot keep capability %d to myself", (int)cap);
	return 0;
}

/* Under a service manager: is what it gave what we need? */
static int check_given(struct diag *d)
{
	cap_flag_value_t held = CAP_CLEAR;
	cap_t caps = cap_get_proc();

	if (caps)
		(void)cap_get_flag(caps, CAP_NET_ADMIN, CAP_EFFECTIVE, &held);
	(void)cap_free(caps);
	return held == CAP_SET ? only_net_admin_is_passed_on(d) : no_net_admin(d);
}

static int leave_root(const struct conf_user *user, struct diag *d)
{
	static const cap_value_t net_admin[] = {CAP_NET_ADMIN};

	for (cap_value_t cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (cap != CAP_NET_ADMIN && cap_get_bound(cap) > 0 && cap_drop_bound(cap))
			return diag_errno(d, "cannot give up capability %d", (int)cap);
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || become(user) ||
	    prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0))
		return diag_errno(d, "cannot become user %u", (unsigned)user->uid);
	return set_caps(net_admin, 1) ? no_net_admin(d) : 0;
}

int spawn_drop(const struct conf_user *user, struct diag *d)
{
	const struct rlimit no_core = {0, 0};
	const int rc = spawn_managed() ? check_given(d) : leave_root(user, d);

	if (rc)
		return rc;
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &no_core);
	return 0;
}
