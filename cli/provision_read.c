/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who reads a provisioning file: a child that shares one piece of memory with its parent, and may do
 * nothing any more but end.
 */
#include "cli/provision.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "common/cleanup.h"
#include "common/sandbox.h"

#define NOBODY 65534 /* Debian Policy, 9.2.2 */

/* What the child leaves for its parent. */
struct shared {
	struct provision_file file;
	struct diag why;
	int rc;
};

/* 1, 0, or -1 if that cannot be told. Root without any, as in printgate-firstboot.service, cannot become
 * somebody else. */
static int has_capabilities(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct set[_LINUX_CAPABILITY_U32S_3] = {{0}};
	uint32_t any = 0;

	if (syscall(SYS_capget, &head, set))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(set); i++)
		any |= set[i].permitted | set[i].effective | set[i].inheritable;
	return any != 0;
}

/* No descriptor either: what is sealed could not use one, and whatever gets round the seal has none. */
static int give_up(void)
{
	const int has = has_capabilities();

	if (has < 0)
		return -1;
	if (has && geteuid() == 0 &&
	    (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	     setresuid(NOBODY, NOBODY, NOBODY)))
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return -1;
	closefrom(0);
	return 0;
}

static void __attribute__((noreturn)) child(struct shared *s, const char *text, size_t n)
{
	static const char *const calls[] = {"exit"};

	/* Named, the time zone's file is read here and not again: mktime(3). */
	(void)setenv("TZ", ":/etc/localtime", 0);
	tzset();
	/* A filter, since there is no strict mode below the filter of a service. */
	if (give_up() || sandbox_seal(calls, ARRAY_LEN(calls), &s->why))
		_exit(EXIT_FAILURE); /* rc stays ERR_SYSTEM */
	s->rc = provision_parse(&s->file, text, n, &s->why);
	for (;;)
		(void)syscall(SYS_exit, EXIT_SUCCESS); /* _exit(2) would be exit_group */
}

int provision_settle(struct provision_file *f, struct diag *d)
{
	if (f->printers > PROVISION_ITEMS_MAX || f->peers > PROVISION_ITEMS_MAX)
		return diag_set(d, ERR_SYSTEM, "the process that reads the file has gone wrong");
	for (unsigned i = 0; i < f->printers; i++)
		f->printer[i].msg.name.s[NAME_BYTES] = '\0';
	for (unsigned i = 0; i < f->peers; i++)
		f->peer[i].msg.enroll.name.s[NAME_BYTES] = '\0';
	f->conf[sizeof(f->conf) - 1] = '\0';
	return 0;
}

static int wait_for(pid_t pid, struct shared *s, struct diag *d)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return diag_errno(d, "cannot wait for the file's reader");
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return diag_set(d, ERR_SYSTEM,
				"the process that reads the file ended before it was done");
	s->why.text[sizeof(s->why.text) - 1] = '\0';
	if (s->rc)
		return diag_set(d, s->rc < 0 ? (enum err)s->rc : ERR_SYSTEM, "%s", s->why.text);
	return provision_settle(&s->file, d);
}

static void put_hash(char out[PROVISION_HASH_BYTES], const char *text, size_t n)
{
	unsigned char hash[crypto_hash_sha256_BYTES];

	(void)crypto_hash_sha256(hash, (const unsigned char *)text, n);
	(void)sodium_bin2hex(out, PROVISION_HASH_BYTES, hash, sizeof(hash));
}

int provision_read(struct provision_file **out, const char *text, size_t n, struct diag *d)
{
	struct shared *s =
		mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;
	int rc;

	if (s == MAP_FAILED)
		return diag_errno(d, "no memory");
	s->rc = ERR_SYSTEM;
	pid = fork();
	if (pid == 0)
		child(s, text, n);
	rc = pid < 0 ? diag_errno(d, "cannot start a process that reads the file")
		     : wait_for(pid, s, d);
	if (rc) {
		(void)munmap(s, sizeof(*s));
		return rc;
	}
	put_hash(s->file.head.hash, text, n);
	*out = &s->file;
	return 0;
}

void provision_free(struct provision_file *p)
{
	if (p)
		(void)munmap(p, sizeof(struct shared));
}
