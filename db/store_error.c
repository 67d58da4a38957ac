/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What SQLite's result codes mean to the person who reads them: each sentence names the file and
 * what to do about it.
 */
#include "db/store_internal.h"

#include <string.h>

#include "common/cleanup.h"

static const struct sentence {
	int rc;
	const char *text;
} sentences[] = {
	{SQLITE_BUSY, "is in use by another process; is printgate running already?"},
	{SQLITE_LOCKED, "is in use by another process; is printgate running already?"},
	{SQLITE_FULL, "cannot grow: no space left on its disk; make room and try again"},
	{SQLITE_IOERR, "cannot be read or written: its disk reports an error; nothing was changed"},
	{SQLITE_READONLY, "cannot be written; check its file system and its owner"},
	{SQLITE_PERM, "cannot be opened; check its owner and permissions"},
	{SQLITE_CANTOPEN, "cannot be opened; check its folder, owner and permissions"},
	{SQLITE_CORRUPT, "is damaged; keep it, restore a backup or move it away, and start again"},
	{SQLITE_NOTADB, "is not a printgate store; restore a backup or move it away"},
};

int store_error(sqlite3 *db, const char *path, int rc, struct diag *d)
{
	const char *detail = db ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
	int system = db ? sqlite3_system_errno(db) : 0;

	for (size_t i = 0; i < ARRAY_LEN(sentences); i++) {
		if (sentences[i].rc != (rc & 0xff))
			continue;
		if (sentences[i].rc == SQLITE_IOERR && system)
			detail = strerror(system);
		return diag_set(d, ERR_STORE, "%s %s (%s)", path, sentences[i].text, detail);
	}
	if ((rc & 0xff) == SQLITE_CONSTRAINT)
		return diag_set(d, ERR_CONFLICT, "%s refuses this: %s", path, detail);
	if ((rc & 0xff) == SQLITE_MISUSE)
		return diag_set(d, ERR_INTERNAL, "the store was used from its own callback");
	return diag_set(d, ERR_STORE, "%s: %s", path, detail);
}
