/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first process of a lab's machine: network, mount, pid and host-name namespaces of its own, with
 * a private /run, lo up. Says "ready", and ends, everything in the namespaces with it, at the end of
 * file on standard input or with the process that started it. One small program instead of half a
 * dozen, because a lab is eleven machines and the tests run on emulated processors too.
 */
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void lo_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request))
		die("lo");
	(void)close(fd);
}

/* Process 1 of the node. SIGCHLD ignored: orphans of a killed daemon are reaped by the kernel. */
static void __attribute__((noreturn)) first(const char *name)
{
	char byte;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || signal(SIGCHLD, SIG_IGN) == SIG_ERR)
		die("signals");
	if (mount("proc", "/proc", "proc", 0, NULL) ||
	    mount("tmpfs", "/run", "tmpfs", 0, "mode=755") ||
	    mount("sysfs", "/sys", "sysfs", 0, NULL))
		die("mount");
	if (sethostname(name, strlen(name)))
		die("sethostname");
	lo_up();
	(void)puts("ready");
	(void)fclose(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
	pid_t child;
	int status;

	if (argc != 2)
		return 2;
	if (unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWPID))
		die("unshare");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		die("mount");
	child = fork();
	if (child < 0)
		die("fork");
	if (child == 0)
		first(argv[1]);
	while (waitpid(child, &status, 0) != child)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}
