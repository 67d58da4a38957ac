/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting and ending wireguard-go (wg_spawn.h). Between fork and exec only the child's own state is
 * changed. Used by wg_user.c alone.
 */
#include "daemon/priv/wg_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"

/* The child's descriptors. */
enum { FD_TUN = 3, FD_UAPI = 4, FD_REPORT = 5, FD_ABOVE = 6 };

#define BACKLOG	    16
#define END_WAIT_MS 1000

static const char *const programs[] = {
	"/usr/bin/wireguard-go",
	"/usr/local/bin/wireguard-go",
	"/bin/wireguard-go",
};

const char *wg_spawn_program(void)
{
	for (unsigned i = 0; i < ARRAY_LEN(programs); i++) {
		if (access(programs[i], X_OK) == 0)
			return programs[i];
	}
	return NULL;
}

/* What `program --version` says first, as much as fits. */
static int version_read(const char *program, char *text, size_t room, struct diag *d)
{
	char name[] = "wireguard-go", question[] = "--version";
	char *argv[] = {name, question, NULL}, *env[] = {NULL};
	posix_spawn_file_actions_t actions;
	auto_close int from = -1;
	int report[2], rc;
	ssize_t n;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC) < 0)
		return diag_errno(d, "cannot make a pipe");
	from = report[0];
	rc = posix_spawn_file_actions_init(&actions);
	rc = rc ? rc : posix_spawn_file_actions_adddup2(&actions, report[1], STDOUT_FILENO);
	rc = rc ? rc : posix_spawn(&pid, program, &actions, NULL, argv, env);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)close(report[1]);
	if (rc) {
		errno = rc;
		return diag_errno(d, "cannot start %s", program);
	}
	n = read(from, text, room - 1);
	text[n > 0 ? n : 0] = '\0';
	(void)close(take_fd(&from));
	(void)waitpid(pid, NULL, 0);
	return 0;
}

/* Does the program ask its tun what it is like (TUNGETIFF)? */
static int asks_its_tun(const char *program, bool *out, struct diag *d)
{
	static const char function[] = "NativeTun).initFromFlags";
	auto_close int fd = open(program, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *map;

	if (fd < 0 || fstat(fd, &st))
		return diag_errno(d, "cannot look into %s", program);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return diag_errno(d, "cannot look into %s", program);
	*out = memmem(map, (size_t)st.st_size, function, sizeof(function) - 1) != NULL;
	(void)munmap(map, (size_t)st.st_size);
	return 0;
}

int wg_spawn_tun_flags(const char *program, short *flags, struct diag *d)
{
	static const char before[] = "wireguard-go v0.0.";
	unsigned long date = 0;
	bool virtio = false;
	char text[64];
	int rc = version_read(program, text, sizeof(text), d);

	if (rc)
		return rc;
	if (strncmp(text, before, sizeof(before) - 1) == 0)
		date = strtoul(text + sizeof(before) - 1, NULL, 10);
	if (!date)
		return diag_set(d, ERR_KERNEL,
				"%s --version does not name a release of wireguard-go", program);
	if (date == WG_SPAWN_LAST_WITH_PI)
		rc = asks_its_tun(program, &virtio, d);
	else
		virtio = date > WG_SPAWN_LAST_WITH_PI;
	*flags = IFF_TUN | (virtio ? IFF_NO_PI | IFF_VNET_HDR : 0);
	return rc;
}

/* ---- in the child ---------------------------------------------------------------------------- */

/* CAP_NET_ADMIN must pass through exec: inheritable, then ambient (capabilities(7)). Root keeps all
 * of its own anyhow. */
static int child_capability(void)
{
	static const cap_value_t admin[] = {CAP_NET_ADMIN};
	cap_t caps;

	if (cap_get_ambient(CAP_NET_ADMIN) == CAP_SET) /* a service manager's gift */
		return 0;
	caps = cap_get_proc();
	if (!caps || cap_set_flag(caps, CAP_INHERITABLE, 1, admin, CAP_SET) < 0 ||
	    cap_set_proc(caps) < 0 || cap_free(caps) < 0)
		return -1;
	return cap_set_ambient(CAP_NET_ADMIN, CAP_SET);
}

static int child_signals(void)
{
	struct sigaction plain = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		(void)sigaction(s, &plain, NULL); /* SIGKILL, SIGSTOP and libc's own refuse */
	(void)sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Out of the way first, so that no target number is one that is still needed. */
static int child_descriptors(int tun, int listener, int report)
{
	int null = open("/dev/null", O_RDWR);
	int from[] = {null, null, null, tun, listener, report};

	for (int i = 0; i < FD_ABOVE; i++) {
		from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, FD_ABOVE);
		if (from[i] < 0)
			return -1;
	}
	for (int i = 0; i < FD_ABOVE; i++) {
		if (dup2(from[i], i) < 0)
			return -1;
	}
	if (fcntl(FD_REPORT, F_SETFD, FD_CLOEXEC) < 0)
		return -1;
	return close_range(FD_ABOVE, ~0U, 0);
}

static int child_confine(void)
{
	struct rlimit none = {0, 0};

	if (setrlimit(RLIMIT_CORE, &none) < 0) /* it holds the gateway's key */
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return child_capability();
}

static void __attribute__((noreturn)) child_fail(int report)
{
	(void)!write(report, &errno, sizeof(errno));
	_exit(127);
}

static void __attribute__((noreturn)) child_exec(const char *program, const char *interface)
{
	char name[IFNAMSIZ];
	char argv0[] = "wireguard-go";
	char *argv[] = {argv0, name, NULL};
	char tun[] = "WG_TUN_FD=3", uapi[] = "WG_UAPI_FD=4"; /* FD_TUN, FD_UAPI */
	char foreground[] = "WG_PROCESS_FOREGROUND=1", quiet[] = "LOG_LEVEL=silent";
	char no_trace[] = "GOTRACEBACK=none";
	char *env[] = {tun, uapi, foreground, quiet, no_trace, NULL};

	memcpy(name, interface, sizeof(name));
	(void)execve(program, argv, env);
	child_fail(FD_REPORT);
}

static void __attribute__((noreturn))
child_run(const char *program, const char *interface, int tun, int listener, int report)
{
	if (child_descriptors(tun, listener, report) < 0)
		child_fail(report);
	if (setsid() < 0 || chdir("/") < 0 || child_signals() < 0 || child_confine() < 0 ||
	    listen(FD_UAPI, BACKLOG) < 0)
		child_fail(FD_REPORT);
	child_exec(program, interface);
}

/* ---- in the parent --------------------------------------------------------------------------- */

/* The report's end comes with a successful exec; otherwise errno comes first. */
static int child_started(int report, const char *program, struct diag *d)
{
	int err = 0;
	ssize_t n;

	do {
		n = read(report, &err, sizeof(err));
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return 0;
	errno = n == (ssize_t)sizeof(err) ? err : EIO;
	return diag_errno(d, "cannot start %s", program);
}

int wg_spawn(const char *program, const char interface[IFNAMSIZ], int tun, int listener, int *pidfd,
	     struct diag *d)
{
	int report[2];
	auto_close int child = -1;
	pid_t pid;
	int rc;

	if (pipe2(report, O_CLOEXEC) < 0)
		return diag_errno(d, "cannot make a pipe");
	pid = fork();
	if (pid == 0)
		child_run(program, interface, tun, listener, report[1]);
	(void)close(report[1]);
	if (pid < 0) {
		rc = diag_errno(d, "cannot fork");
		(void)close(report[0]);
		return rc;
	}
	child = pidfd_open(pid, 0);
	rc = child < 0 ? diag_errno(d, "cannot watch %s", program)
		       : child_started(report[0], program, d);
	(void)close(report[0]);
	if (rc) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		return rc;
	}
	*pidfd = take_fd(&child);
	return 0;
}

bool wg_spawn_ended(int pidfd, int timeout_ms)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	siginfo_t info;

	if (poll(&p, 1, timeout_ms) != 1)
		return false;
	(void)waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG); /* ECHILD: not our child */
	return true;
}

int wg_spawn_end(int pidfd, struct diag *d)
{
	static const int signals[] = {SIGTERM, SIGKILL};

	for (unsigned i = 0; i < ARRAY_LEN(signals); i++) {
		if (pidfd_send_signal(pidfd, signals[i], NULL, 0) < 0 && errno != ESRCH)
			return diag_errno(d, "cannot end wireguard-go");
		if (wg_spawn_ended(pidfd, END_WAIT_MS))
			return 0;
	}
	return diag_set(d, ERR_SYSTEM, "wireguard-go does not end");
}
