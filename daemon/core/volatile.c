/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recognising a state folder that forgets, by statfs(2).
 */
#include "daemon/core/volatile.h"

#include <linux/magic.h>
#include <stddef.h>
#include <sys/vfs.h>

#include "common/cleanup.h"

/* What lies above an overlay cannot be asked; on gateways it is memory (overlayroot), in containers
 * a disk, but one that goes with the container. */
static const struct {
	unsigned long magic;
	const char *name;
} forgetful[] = {
	{TMPFS_MAGIC, "tmpfs"},
	{RAMFS_MAGIC, "ramfs"},
	{OVERLAYFS_SUPER_MAGIC, "overlay"},
};

const char *volatile_state(void)
{
	struct statfs fs;

	if (statfs(".", &fs))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(forgetful); i++)
		if ((unsigned long)fs.f_type == forgetful[i].magic)
			return forgetful[i].name;
	return NULL;
}
