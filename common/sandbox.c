/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Root, capabilities, limits, system calls, in this order: each step needs what the next takes away.
 * If a step fails the program must end.
 */
#include "common/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"

/* A root with something in it would be a place to look round. */
static int folder_is_empty(struct diag *d)
{
	DIR *dir = opendir(".");
	const struct dirent *e;
	int found = 0;

	if (!dir)
		return diag_errno(d, "cannot read the folder that is to be the root");
	while ((e = readdir(dir)))
		found |= strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	(void)closedir(dir);
	return found ? diag_set(d, ERR_SYSTEM, "the folder that is to be the root is not empty")
		     : 0;
}

/* Effective, permitted, inheritable and ambient: none. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(SYS_capset, &head, none);
}

int sandbox_enter(unsigned files, struct diag *d)
{
	const struct rlimit none = {0, 0}, few = {files, files};
	const int r = folder_is_empty(d);

	if (r)
		return r;
	if (chroot(".") < 0)
		return diag_errno(d, "cannot give up the file system (CAP_SYS_CHROOT is needed)");
	if (drop_capabilities() < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return diag_errno(d, "cannot give up capabilities");
	if (setrlimit(RLIMIT_CORE, &none) < 0 || setrlimit(RLIMIT_NPROC, &none) < 0 ||
	    setrlimit(RLIMIT_NOFILE, &few) < 0)
		return diag_errno(d, "setrlimit");
	return 0;
}

#ifdef __SANITIZE_ADDRESS__

/* The sanitizer's own calls are many and change with its version. */
int sandbox_seal(const char *const *calls, size_t n, struct diag *d)
{
	(void)calls;
	(void)n;
	(void)d;
	return 0;
}

#else

/* Only to ask how many bytes have come. */
static int allow_fionread(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, FIONREAD));
}

/* Where longs have 32 bits (armhf), the C library does the same by another call. */
static const char *const twins[][2] = {
	{"mmap", "mmap2"},	   {"fcntl", "fcntl64"},
	{"futex", "futex_time64"}, {"clock_gettime", "clock_gettime64"},
	{"recvfrom", "recv"},	   {"sendto", "send"},
};

/* By name, because a call is another number on each architecture; libseccomp knows. What an
 * architecture has no call for cannot be called there. */
static int allow(scmp_filter_ctx filter, const char *call)
{
	const int number = seccomp_syscall_resolve_name(call);

	if (number == __NR_SCMP_ERROR || number < 0)
		return 0;
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
}

static int allow_with_twin(scmp_filter_ctx filter, const char *call)
{
	int r = allow(filter, call);

	for (size_t i = 0; i < ARRAY_LEN(twins) && r == 0; i++)
		if (!strcmp(twins[i][0], call))
			r = allow(filter, twins[i][1]);
	return r;
}

int sandbox_seal(const char *const *calls, size_t n, struct diag *d)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r = filter ? allow_fionread(filter) : -ENOMEM;

	for (size_t i = 0; i < n && r == 0; i++)
		r = allow_with_twin(filter, calls[i]);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	if (r)
		return diag_set(d, ERR_SYSTEM, "cannot give up system calls: %s", strerror(-r));
	return 0;
}

#endif
