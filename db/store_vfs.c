/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SQLite's own file layer but for one thing: a relative path stays relative. SQLite would make it
 * absolute and open it from the root, which fails where a folder above the state folder is closed to
 * the core's user (a state folder below a 0700 home, say). Core is put into its folder by printgated
 * and needs no way to it.
 */
#include "db/store_internal.h"

#include <stdio.h>
#include <string.h>

static int full_pathname(sqlite3_vfs *vfs, const char *name, int room, char *out)
{
	(void)vfs;
	return snprintf(out, (size_t)room, "%s", name) < room ? SQLITE_OK : SQLITE_CANTOPEN;
}

int store_vfs_open(const char *path, sqlite3 **out)
{
	static sqlite3_vfs relative;
	const sqlite3_vfs *standard = sqlite3_vfs_find(NULL);

	if (!relative.zName) {
		if (!standard)
			return SQLITE_CANTOPEN;
		relative = *standard;
		relative.zName = "printgate";
		relative.pNext = NULL;
		relative.xFullPathname = full_pathname;
		if (sqlite3_vfs_register(&relative, 0) != SQLITE_OK)
			return SQLITE_CANTOPEN;
	}
	return sqlite3_open_v2(path, out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, "printgate");
}
