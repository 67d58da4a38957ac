/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Brings a store to today's schema. All missing steps and the new user_version are one transaction,
 * so a step that fails, or a power cut, leaves the store at its old version, where the old program
 * can go on. Before that an older store is copied to PATH.vN.bak.
 */
#include "db/store_internal.h"

#include <stdio.h>
#include <unistd.h>

#include "common/cleanup.h"

static int run(sqlite3 *db, const char *path, const char *sql, struct diag *d)
{
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : store_error(db, path, rc, d);
}

/* The first column of the first row; `none` if there is no row. */
static int ask(sqlite3 *db, const char *path, const char *sql, int none, int *out, struct diag *d)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	*out = rc == SQLITE_ROW ? sqlite3_column_int(st, 0) : none;
	(void)sqlite3_finalize(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : store_error(db, path, rc, d);
}

int store_migrate_version(sqlite3 *db, const char *path, int *out, struct diag *d)
{
	return ask(db, path, "PRAGMA user_version", 0, out, d);
}

static int copy_to(sqlite3 *db, const char *path, const char *to, struct diag *d)
{
	sqlite3 *copy = NULL;
	sqlite3_backup *b = NULL;
	int rc = store_vfs_open(to, &copy);

	if (rc == SQLITE_OK)
		b = sqlite3_backup_init(copy, "main", db, "main");
	if (b) {
		(void)sqlite3_backup_step(b, -1);
		rc = sqlite3_backup_finish(b);
	} else if (rc == SQLITE_OK) {
		rc = sqlite3_errcode(copy);
	}
	int err = rc == SQLITE_OK ? 0 : store_error(copy, to, rc, d);

	if (sqlite3_close(copy) != SQLITE_OK && !err)
		err = diag_set(d, ERR_STORE, "cannot finish the copy of %s", path);
	return err;
}

/* The copy gets its name only when it is whole and durable. */
static int back_up(sqlite3 *db, const char *path, int version, struct diag *d)
{
	char suffix[32];

	(void)snprintf(suffix, sizeof(suffix), ".v%d.bak", version);
	auto_free char *to = store_file_path(path, suffix);
	auto_free char *part = store_file_path(to, ".part");
	int err = store_file_make(part, d);

	if (!err)
		err = copy_to(db, path, part, d);
	if (!err)
		err = store_file_rename(part, to, true, d);
	if (err)
		(void)unlink(part);
	return err;
}

static int steps_run(sqlite3 *db, const char *path, const char *const steps[], int from, int to,
		     struct diag *d)
{
	char version[48];
	int orphan, err = 0;

	for (int i = from; i < to && !err; i++)
		err = run(db, path, steps[i], d);
	if (!err)
		err = ask(db, path, "SELECT 1 FROM pragma_foreign_key_check", 0, &orphan, d);
	if (!err && orphan)
		err = diag_set(d, ERR_STORE, "%s: the new format breaks a reference", path);
	(void)snprintf(version, sizeof(version), "PRAGMA user_version = %d", to);
	return err ? err : run(db, path, version, d);
}

static int steps_in_transaction(sqlite3 *db, const char *path, const char *const steps[], int from,
				int to, struct diag *d)
{
	int err = run(db, path, "BEGIN IMMEDIATE", d);

	if (err)
		return err;
	err = steps_run(db, path, steps, from, to, d);
	if (!err)
		err = run(db, path, "COMMIT", d);
	if (err && !sqlite3_get_autocommit(db))
		(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return err;
}

int store_migrate_steps(sqlite3 *db, const char *path, const char *const steps[], int n,
			struct diag *d)
{
	int from, err = store_migrate_version(db, path, &from, d);

	if (err || from == n)
		return err;
	if (from < 0 || from > n)
		return diag_set(
			d, ERR_STORE,
			"%s was written by a newer printgate (format %d, this one knows %d); "
			"install the newer one again",
			path, from, n);
	if (from > 0)
		err = back_up(db, path, from, d);
	/* A step may rebuild a table that others refer to; references are checked at the end. */
	if (!err)
		err = run(db, path, "PRAGMA foreign_keys = OFF", d);
	if (!err)
		err = steps_in_transaction(db, path, steps, from, n, d);
	if (sqlite3_exec(db, "PRAGMA foreign_keys = ON", NULL, NULL, NULL) != SQLITE_OK && !err)
		err = diag_set(d, ERR_STORE, "%s: references are not enforced", path);
	return err;
}
