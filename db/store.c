/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opens and closes the store, and its transactions. What is in it is the matter of store_peer.c and
 * its siblings; the file as a file is store_file.c's.
 */
#include "db/store.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/mem.h"
#include "db/store_internal.h"

/*
 * WAL with synchronous=FULL: a commit is on the disk when it is acknowledged. Debian's default
 * (DELETE with FULL) lost acknowledged commits, revocations among them, in 14 % of simulated power
 * cuts, WAL with NORMAL in 53 %; this combination in none, at a third of the time of DELETE.
 *
 * Exclusive locking: only one core may write, and a second one is told so. With it, SQLite keeps
 * the WAL's index in memory of its own: no -shm file, no shared mapping. There is no busy timeout,
 * because waiting for someone who never lets go is of no use.
 *
 * The cache and the WAL are kept small (256 KiB, 1 MiB): the gateway may be a Pi Zero. No mapping,
 * so that a disk error is a result code and not a SIGBUS; no temporary files.
 */
static const char pragmas[] = "PRAGMA locking_mode = EXCLUSIVE;"
			      "PRAGMA synchronous = FULL;"
			      "PRAGMA cell_size_check = ON;"
			      "PRAGMA mmap_size = 0;"
			      "PRAGMA cache_size = -256;"
			      "PRAGMA temp_store = MEMORY;"
			      "PRAGMA foreign_keys = ON;"
			      "PRAGMA secure_delete = ON;"
			      "PRAGMA wal_autocheckpoint = 256;"
			      "PRAGMA journal_size_limit = 1048576;";

static const struct {
	int option, value;
} options[] = {
	{SQLITE_DBCONFIG_DEFENSIVE, 1},
	{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
	{SQLITE_DBCONFIG_ENABLE_VIEW, 0},
	{SQLITE_DBCONFIG_DQS_DML, 0},
	{SQLITE_DBCONFIG_DQS_DDL, 0},
	{SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
	{SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0},
};

static int run(struct store *s, const char *sql, struct diag *d)
{
	int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : store_error(s->db, s->path, rc, d);
}

static int connect_file(struct store *s, const char *path, struct diag *d)
{
	int rc = store_vfs_open(path, &s->db);

	if (rc != SQLITE_OK)
		return store_error(s->db, path, rc, d);
	(void)sqlite3_extended_result_codes(s->db, 1);
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		rc = sqlite3_db_config(s->db, options[i].option, options[i].value, NULL);
		if (rc != SQLITE_OK)
			return store_error(s->db, path, rc, d);
	}
	return run(s, pragmas, d);
}

/* One row of one text that must be `expected`. */
static int expect(struct store *s, const char *sql, const char *expected, struct diag *d)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL), err = 0;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc != SQLITE_ROW) {
		err = store_error(s->db, s->path, rc, d);
	} else {
		const char *got = (const char *)sqlite3_column_text(st, 0);

		if (!got || strcmp(got, expected) != 0)
			err = diag_set(d, ERR_STORE,
				       "%s is damaged (%s: %s); keep it, restore a backup or move "
				       "it away, and start again",
				       s->path, sql, got ? got : "nothing");
	}
	(void)sqlite3_finalize(st);
	return err;
}

/* A new store is built under another name and gets its own when it is whole: so an empty file under
 * that name is always a loss, never a beginning. */
static int create(const char *path, struct diag *d)
{
	auto_free char *part = store_file_path(path, ".new");
	struct store s = {.path = part};
	char id[48];
	int err = store_file_make(part, d);

	(void)snprintf(id, sizeof(id), "PRAGMA application_id = %d", STORE_APPLICATION_ID);
	if (!err)
		err = connect_file(&s, part, d);
	if (!err)
		err = run(&s, "PRAGMA journal_mode = MEMORY", d);
	if (!err)
		err = run(&s, id, d);
	if (!err)
		err = store_migrate_steps(s.db, part, schema_steps, schema_version, d);
	(void)sqlite3_close(s.db);
	if (!err)
		err = store_file_rename(part, path, false, d);
	if (err)
		(void)unlink(part);
	return err;
}

/*
 * secure_delete overwrites what is deleted in the database, but the WAL still holds the pages as
 * they were. Copies it all into the database and cuts it to nothing. If that fails, or if a reader
 * is in the way, the next commit tries again; the commit itself is done.
 */
static void scrub(struct store *s)
{
	if (s->scrub && sqlite3_get_autocommit(s->db) &&
	    sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) ==
		    SQLITE_OK)
		s->scrub = false;
}

void store_erased(struct store *s)
{
	s->scrub = true;
	scrub(s);
}

/*
 * quick_check reads the whole file once, for damaged pages and every CHECK again: 0.2 ms with 10
 * peers, 20 ms with 10,000. Then the WAL is emptied: a crash may have come between an erasure and
 * its scrub.
 */
static int open_existing(struct store *s, struct diag *d)
{
	int err = connect_file(s, s->path, d);

	if (!err)
		err = expect(s, "PRAGMA journal_mode = WAL", "wal", d);
	if (!err)
		err = expect(s, "PRAGMA quick_check(1)", "ok", d);
	if (!err)
		err = store_migrate_steps(s->db, s->path, schema_steps, schema_version, d);
	if (!err)
		store_erased(s);
	return err;
}

int store_open(struct store **out, const char *path, struct diag *d)
{
	struct store *s = mem_zalloc(1, sizeof(*s));
	bool exists;
	int err;

	s->path = mem_strdup(path);
	err = store_file_check(s->path, schema_version, &exists, d);
	if (!err && !exists)
		err = create(s->path, d);
	if (!err)
		err = open_existing(s, d);
	if (err)
		store_free(s);
	else
		*out = s;
	return err;
}

void store_free(struct store *s)
{
	if (!s)
		return;
	for (int i = 0; i < QUERY_COUNT; i++)
		(void)sqlite3_finalize(s->query[i]);
	(void)sqlite3_close(s->db);
	free(s->path);
	free(s);
}

/*
 * A commit whose sync failed is refused, but its frames may stand in the WAL, and a crash now would
 * bring them to life at the next start: a grant that nobody was told of. So they are overwritten by
 * a commit that changes nothing. It begins at the same place, and frames are chained by checksums,
 * so what is left of the refused ones is void. First without a sync, which would get in the way if
 * the disk still fails; then with one, as a better disk may take it.
 */
void store_retract(struct store *s)
{
	char same[48];
	const char *const steps[] = {"PRAGMA synchronous = OFF", same, "PRAGMA synchronous = FULL",
				     same};

	(void)snprintf(same, sizeof(same), "PRAGMA user_version = %d", schema_version);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		(void)sqlite3_exec(s->db, steps[i], NULL, NULL, NULL);
}

int store_begin(struct store *s, struct diag *d)
{
	return run(s, "BEGIN IMMEDIATE", d);
}

int store_commit(struct store *s, struct diag *d)
{
	int err = run(s, "COMMIT", d);

	if (err) {
		store_rollback(s);
		store_retract(s);
		return err;
	}
	scrub(s);
	return 0;
}

void store_rollback(struct store *s)
{
	if (!sqlite3_get_autocommit(s->db))
		(void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

int store_part_begin(struct store *s, struct diag *d)
{
	s->part_is_transaction = sqlite3_get_autocommit(s->db);
	return s->part_is_transaction ? store_begin(s, d) : run(s, "SAVEPOINT part", d);
}

int store_part_end(struct store *s, int err, struct diag *d)
{
	if (s->part_is_transaction) {
		if (!err)
			return store_commit(s, d);
		store_rollback(s);
		return err;
	}
	/* SQLite itself rolls all of it back on some errors; then there is no savepoint left. */
	if (err && !sqlite3_get_autocommit(s->db))
		(void)sqlite3_exec(s->db, "ROLLBACK TO part; RELEASE part", NULL, NULL, NULL);
	return err ? err : run(s, "RELEASE part", d);
}

int store_meta_get(struct store *s, const char *key, char *out, size_t size, struct diag *d)
{
	auto_query q = query_open(s, Q_META_GET);

	query_text(&q, key);
	int got = query_row(&q, d);

	if (got < 0)
		return got;
	if (!got)
		return diag_set(d, ERR_NOT_FOUND, "the store has no %s", key);
	query_get_text(&q, 0, out, size);
	return query_good(&q, d);
}

int store_meta_set(struct store *s, const char *key, const char *value, struct diag *d)
{
	auto_query q = query_open(s, Q_META_SET);

	query_text(&q, key);
	query_text(&q, value);
	return query_run(&q, d);
}
