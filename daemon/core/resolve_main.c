/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The copy of printgate-core that looks one name up and ends. It has nothing that is worth taking: a
 * name, and a pipe into which it can write addresses, each of which core checks.
 */
#include "daemon/core/resolve_own.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"

#define MEMORY_MAX (512UL << 20) /* address space: libraries and plug-ins, mapped */
#define FILES_MAX  64

/* Of Landlock's first version (linux/landlock.h): every right over files that it knows. */
#define FENCE_ALL ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)
#define FENCE_READ                                                                                 \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

static void fence_open(int fence, const char *folder)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = FENCE_READ};
	auto_close int fd = open(folder, O_PATH | O_CLOEXEC);

	rule.parent_fd = fd;
	if (fd >= 0)
		(void)syscall(SYS_landlock_add_rule, fence, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

/* It runs as core's user, whose files the store and its keys are: they are out of its sight, and
 * nothing can be written at all. (A socket in /run, for a resolver's daemon, is no file here.) A
 * kernel without Landlock cannot do that. */
static int fence_files(void)
{
	static const char *const folders[] = {"/etc", "/usr", "/lib", "/lib64", "/run"};
	const struct landlock_ruleset_attr all = {.handled_access_fs = FENCE_ALL};
	auto_close int fence = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);

	if (fence < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		fence_open(fence, folders[i]);
	return (int)syscall(SYS_landlock_restrict_self, fence, 0);
}

static int confine(void)
{
	static const struct {
		int what;
		rlim_t most;
	} limits[] = {
		{RLIMIT_CORE, 0},	    {RLIMIT_FSIZE, 0},	     {RLIMIT_NPROC, 0},
		{RLIMIT_NOFILE, FILES_MAX}, {RLIMIT_AS, MEMORY_MAX}, {RLIMIT_CPU, RESOLVE_SECONDS},
	};

	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		if (setrlimit((__rlimit_resource_t)limits[i].what,
			      &(struct rlimit){limits[i].most, limits[i].most}))
			return -1;
	(void)alarm(RESOLVE_SECONDS);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return -1;
	return fence_files();
}

static void collect(struct resolve_answer *a, const struct addrinfo *list)
{
	for (; list && a->count < RESOLVE_ADDRESSES_MAX; list = list->ai_next) {
		struct sockaddr_in in;

		if (list->ai_family != AF_INET || list->ai_addrlen < sizeof(in))
			continue;
		memcpy(&in, list->ai_addr, sizeof(in));
		a->address[a->count++] = ntohl(in.sin_addr.s_addr);
	}
}

int resolve_main(const char *name)
{
	static const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	struct resolve_answer answer = {0};
	struct addrinfo *list = NULL;

	if (!host_valid(name, strlen(name)) || confine())
		return EXIT_FAILURE;
	if (getaddrinfo(name, NULL, &hints, &list) == 0) {
		collect(&answer, list);
		freeaddrinfo(list);
	}
	return write(RESOLVE_FD, &answer, sizeof(answer)) == sizeof(answer) ? EXIT_SUCCESS
									    : EXIT_FAILURE;
}
