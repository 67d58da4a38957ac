/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running another program: see the header.
 */
#include "cli/program.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"

#ifndef PRINTGATE_SBINDIR
#define PRINTGATE_SBINDIR "/usr/sbin"
#endif

static int start(pid_t *pid, char *const argv[], int errors)
{
	posix_spawn_file_actions_t actions;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc)
		return rc;
	rc = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(&actions, errors, STDOUT_FILENO);
	if (!rc)
		rc = posix_spawn(pid, argv[0], &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return rc;
}

/* All of it is read, so that the program does not wait for us. */
static void collect(int fd, char *out, size_t size)
{
	char rest[256];
	size_t used = 0;
	ssize_t n;

	do {
		if (used + 1 < size)
			n = read(fd, out + used, size - 1 - used);
		else
			n = read(fd, rest, sizeof(rest));
		if (n > 0 && used + 1 < size)
			used += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	out[used] = '\0';
}

int program_run(char *const argv[], char *out, size_t size, struct diag *d)
{
	int pipe_fd[2], status, rc;
	pid_t pid;

	if (pipe2(pipe_fd, O_CLOEXEC))
		return diag_errno(d, "cannot run %s", argv[0]);
	rc = start(&pid, argv, pipe_fd[1]);
	(void)close(pipe_fd[1]);
	if (!rc)
		collect(pipe_fd[0], out, size);
	(void)close(pipe_fd[0]);
	errno = rc;
	if (rc)
		return diag_errno(d, "cannot run %s", argv[0]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return diag_errno(d, "cannot wait for %s", argv[0]);
	if (!WIFEXITED(status))
		return diag_set(d, ERR_SYSTEM, "%s was killed", argv[0]);
	return WEXITSTATUS(status);
}

bool program_has_systemd(void)
{
	return !access("/run/systemd/system", F_OK);
}

void program_gated(char *out, size_t size)
{
	char self[PATH_MAX];
	const ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n > 0) {
		self[n] = '\0';
		(void)snprintf(out, size, "%s/printgated", dirname(self));
		if (!access(out, X_OK))
			return;
	}
	(void)snprintf(out, size, PRINTGATE_SBINDIR "/printgated");
}
