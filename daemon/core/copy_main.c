/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every copy of this program does first: it makes itself small. It runs as core's user, whose
 * files the store and its keys are, so these are put out of its sight.
 */
#include "daemon/core/copy.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"

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

/* Nothing can be written at all. (A socket in /run, for a resolver's daemon, is no file here.) A
 * kernel without Landlock cannot do that. */
static int fence_files(const struct copy_bounds *b)
{
	const struct landlock_ruleset_attr all = {.handled_access_fs = FENCE_ALL};
	auto_close int fence = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);

	if (fence < 0)
		return 0;
	for (size_t i = 0; i < b->n_readable; i++)
		fence_open(fence, b->readable[i]);
	return (int)syscall(SYS_landlock_restrict_self, fence, 0);
}

int copy_confine(const struct copy_bounds *b)
{
	const struct {
		int what;
		rlim_t most;
	} limits[] = {
		{RLIMIT_CORE, 0},	   {RLIMIT_FSIZE, 0},	   {RLIMIT_NPROC, 0},
		{RLIMIT_NOFILE, b->files}, {RLIMIT_AS, b->memory}, {RLIMIT_CPU, b->seconds},
	};

	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		if (setrlimit((__rlimit_resource_t)limits[i].what,
			      &(struct rlimit){limits[i].most, limits[i].most}))
			return -1;
	(void)alarm(b->seconds);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return -1;
	return fence_files(b);
}
