/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store as a file: private, never replaced when it cannot be read, opened once, migrated with a
 * way back.
 */
#include "tests/unit/store_lab.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "common/cleanup.h"
#include "common/mem.h"

struct bytes {
	char *p;
	size_t n;
};

static struct bytes slurp(const char *path)
{
	FILE *f = fopen(path, "re");
	struct bytes b = {mem_zalloc(1 << 20, 1), 0};

	assert_non_null(f);
	b.n = fread(b.p, 1, 1 << 20, f);
	(void)fclose(f);
	return b;
}

static void spill(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static bool same_bytes(const char *path, struct bytes b)
{
	struct bytes now = slurp(path);
	bool same = now.n == b.n && memcmp(now.p, b.p, b.n) == 0;

	free(now.p);
	return same;
}

/* The file is refused with these words, it is named, and it is as it was. */
static void refused(struct lab *lab, const char *word)
{
	struct bytes before = slurp(lab->path);

	fails(lab, store_open(&lab->s, lab->path, &lab->d), ERR_STORE, word);
	assert_non_null(strstr(lab->d.text, lab->path));
	assert_null(lab->s);
	assert_true(same_bytes(lab->path, before));
	free(before.p);
}

/* A store with some rows, closed. */
static void closed_store(struct lab *lab)
{
	ok(lab, store_open(&lab->s, lab->path, &lab->d));
	for (unsigned i = 0; i < 50; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "peer %u", i);
		(void)peer_add(lab, name, i);
	}
	store_free(lab->s);
	lab->s = NULL;
}

static unsigned mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void files_are_private(void **state)
{
	struct lab *lab = *state;
	char *wal = store_file_path(lab->path, "-wal"), *shm = store_file_path(lab->path, "-shm");
	mode_t old = umask(0);

	ok(lab, store_open(&lab->s, lab->path, &lab->d));
	(void)peer_add(lab, "phone", 1);
	(void)umask(old);
	assert_int_equal(mode_of(lab->path), 0600);
	assert_int_equal(mode_of(wal), 0600);
	assert_int_equal(access(shm, F_OK), -1);
	store_free(lab->s);
	lab->s = NULL;
	assert_int_equal(access(wal, F_OK), -1);
	assert_int_equal(chmod(lab->path, 0644), 0);
	ok(lab, store_open(&lab->s, lab->path, &lab->d));
	assert_int_equal(mode_of(lab->path), 0600);
	free(wal);
	free(shm);
}

/* A start that was cut off while it made the store leaves only PATH.new. */
static void interrupted_creation_starts_over(void **state)
{
	struct lab *lab = *state;
	char *part = store_file_path(lab->path, ".new");

	spill(part, "half", 4);
	ok(lab, store_open(&lab->s, lab->path, &lab->d));
	assert_int_equal(access(part, F_OK), -1);
	free(part);
}

/* What core's start looks like where a folder above is closed to its user; root drops its rights. */
static void relative_path_needs_no_way_from_the_root(void **state)
{
	struct lab *lab = *state;
	struct store *s;
	struct diag d;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (chdir(lab->dir) || mkdir("closed", 0700) || mkdir("closed/own", 0700) ||
		    chdir("closed/own"))
			_exit(2);
		if (geteuid() == 0 && (chown(".", 61552, 61552) || setresgid(61552, 61552, 61552) ||
				       setresuid(61552, 61552, 61552)))
			_exit(3);
		_exit(store_open(&s, "printgate.db", &d) ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void foreign_files_are_left_alone(void **state)
{
	struct lab *lab = *state;
	char random[5000];
	sqlite3 *db;

	spill(lab->path, "", 0);
	refused(lab, "is empty");
	spill(lab->path, "#!/bin/sh\n", 10);
	refused(lab, "not a printgate store");
	for (size_t i = 0; i < sizeof(random); i++)
		random[i] = (char)(i * 2654435761u >> 24);
	spill(lab->path, random, sizeof(random));
	refused(lab, "not a printgate store");
	assert_int_equal(unlink(lab->path), 0);
	assert_int_equal(sqlite3_open(lab->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE x (y)", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	refused(lab, "another program");
}

static void other_kinds_of_files_are_refused(void **state)
{
	struct lab *lab = *state;

	assert_int_equal(mkdir(lab->path, 0700), 0);
	fails(lab, store_open(&lab->s, lab->path, &lab->d), ERR_STORE, "directory");
	assert_int_equal(rmdir(lab->path), 0);
	assert_int_equal(symlink("elsewhere", lab->path), 0);
	fails(lab, store_open(&lab->s, lab->path, &lab->d), ERR_STORE, lab->path);
	assert_int_equal(unlink(lab->path), 0);
	assert_int_equal(mkfifo(lab->path, 0600), 0);
	fails(lab, store_open(&lab->s, lab->path, &lab->d), ERR_STORE, "regular");
}

static void journal_without_its_store_is_not_played_back(void **state)
{
	struct lab *lab = *state;
	char *wal = store_file_path(lab->path, "-wal");

	spill(wal, "x", 1);
	fails(lab, store_open(&lab->s, lab->path, &lab->d), ERR_STORE, wal);
	assert_int_equal(access(lab->path, F_OK), -1);
	free(wal);
}

static void newer_store_is_refused(void **state)
{
	struct lab *lab = *state;
	sqlite3 *db;

	closed_store(lab);
	assert_int_equal(sqlite3_open(lab->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	refused(lab, "newer");
}

static void truncated_store_is_refused(void **state)
{
	struct lab *lab = *state;
	struct bytes whole;

	closed_store(lab);
	whole = slurp(lab->path);
	for (size_t cut = 1; cut < whole.n; cut += 1500) {
		spill(lab->path, whole.p, cut);
		refused(lab, "damaged");
	}
	free(whole.p);
}

/* Each page in turn is overwritten: found at the start, whatever table it belongs to. */
static void damaged_page_is_found(void **state)
{
	struct lab *lab = *state;
	struct bytes whole;

	closed_store(lab);
	whole = slurp(lab->path);
	for (size_t at = 4096; at < whole.n; at += 4096) {
		struct bytes bad = {mem_zalloc(whole.n, 1), whole.n};

		memcpy(bad.p, whole.p, whole.n);
		memset(bad.p + at, 0xa5, 512);
		spill(lab->path, bad.p, bad.n);
		refused(lab, "damaged");
		free(bad.p);
	}
	spill(lab->path, whole.p, whole.n);
	ok(lab, store_open(&lab->s, lab->path, &lab->d));
	free(whole.p);
}

/* In another process, because locks are a process's own. */
static void second_opener_is_told(void **state)
{
	struct lab *lab = *state;
	int go[2], status;
	char c;

	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct diag d = {0};
		bool good = read(go[0], &c, 1) == 1 &&
			    store_open(&lab->s, lab->path, &d) == ERR_STORE &&
			    strstr(d.text, "in use by another process");

		if (!good)
			(void)fprintf(stderr, "second opener: %s\n", d.text);
		_exit(good ? 0 : 1);
	}
	ok(lab, store_open(&lab->s, lab->path, &lab->d));
	assert_int_equal(write(go[1], "x", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	(void)peer_add(lab, "still works", 1);
	(void)close(go[0]);
	(void)close(go[1]);
}

static void pragmas_are_set(void **state)
{
	static const struct {
		const char *sql, *value;
	} rows[] = {
		{"PRAGMA journal_mode", "wal"},
		{"PRAGMA synchronous", "2"},
		{"PRAGMA foreign_keys", "1"},
		{"PRAGMA secure_delete", "1"},
		{"PRAGMA trusted_schema", "0"},
		{"PRAGMA cell_size_check", "1"},
		{"PRAGMA locking_mode", "exclusive"},
		{"PRAGMA temp_store", "2"},
		{"PRAGMA application_id", "1346847060"},
	};
	struct lab *lab = *state;

	ok(lab, store_open(&lab->s, lab->path, &lab->d));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		sqlite3_stmt *st;

		assert_int_equal(sqlite3_prepare_v2(lab->s->db, rows[i].sql, -1, &st, NULL), 0);
		assert_int_equal(sqlite3_step(st), SQLITE_ROW);
		assert_string_equal(sqlite3_column_text(st, 0), rows[i].value);
		(void)sqlite3_finalize(st);
	}
	assert_int_not_equal(sqlite3_exec(lab->s->db,
					  "PRAGMA writable_schema = ON;"
					  "DELETE FROM sqlite_schema",
					  NULL, NULL, NULL),
			     SQLITE_OK);
}

/* ---- migration: the real driver, with a step that is not there yet ---------------------------- */

#define STEP_GOOD                                                                                  \
	"ALTER TABLE peer ADD COLUMN colour INTEGER NOT NULL DEFAULT 7 CHECK (colour > 0);"        \
	"INSERT INTO meta (key, value) VALUES ('migrated', 'yes')"
#define STEP_FAILS  "INSERT INTO meta (key, value) VALUES ('half', 'x'); CREATE TABLE peer (x)"
#define STEP_ORPHAN "INSERT INTO access VALUES (4711, 4712, 0, 0)"

static int migrate(struct lab *lab, const char *const extra[], int n)
{
	const char *steps[8];

	for (int i = 0; i < schema_version; i++)
		steps[i] = schema_steps[i];
	for (int i = 0; i < n; i++)
		steps[schema_version + i] = extra[i];
	memset(&lab->d, 0, sizeof(lab->d));
	return store_migrate_steps(lab->s->db, lab->path, steps, schema_version + n, &lab->d);
}

static char *backup_path(struct lab *lab)
{
	char suffix[32];

	(void)snprintf(suffix, sizeof(suffix), ".v%d.bak", schema_version);
	return store_file_path(lab->path, suffix);
}

/* The copy is a store itself: with the rows from before, and this program opens it. */
static void backup_is_whole(struct lab *lab)
{
	char *bak = backup_path(lab);
	struct store *s = NULL;
	int64_t n;

	assert_int_equal(mode_of(bak), 0600);
	ok(lab, store_open(&s, bak, &lab->d));
	ok(lab, store_peer_count(s, &n, &lab->d));
	assert_int_equal(n, 50);
	store_free(s);
	free(bak);
}

static void migration_keeps_a_way_back(void **state)
{
	static const char *const extra[] = {STEP_GOOD, "UPDATE peer SET colour = 8"};
	struct lab *lab = *state;
	char out[8];
	int version;

	closed_store(lab);
	ok(lab, store_open(&lab->s, lab->path, &lab->d));
	ok(lab, migrate(lab, extra, 2));
	ok(lab, store_migrate_version(lab->s->db, lab->path, &version, &lab->d));
	assert_int_equal(version, schema_version + 2);
	ok(lab, store_meta_get(lab->s, "migrated", out, sizeof(out), &lab->d));
	backup_is_whole(lab);
	/* Nothing to do the second time. */
	ok(lab, migrate(lab, extra, 2));
	store_free(lab->s);
	lab->s = NULL;
	refused(lab, "newer");
}

static void failed_migration_changes_nothing(void **state)
{
	static const char *const fails_late[] = {STEP_GOOD, STEP_FAILS};
	static const char *const orphans[] = {STEP_ORPHAN};
	struct lab *lab = *state;
	struct bytes before;
	char out[8];
	int version;

	closed_store(lab);
	before = slurp(lab->path);
	ok(lab, store_open(&lab->s, lab->path, &lab->d));
	assert_int_equal(migrate(lab, fails_late, 2), ERR_STORE);
	assert_non_null(strstr(lab->d.text, "peer already exists"));
	assert_int_equal(migrate(lab, orphans, 1), ERR_STORE);
	assert_non_null(strstr(lab->d.text, "reference"));
	ok(lab, store_migrate_version(lab->s->db, lab->path, &version, &lab->d));
	assert_int_equal(version, schema_version);
	fails(lab, store_meta_get(lab->s, "migrated", out, sizeof(out), &lab->d), ERR_NOT_FOUND,
	      "");
	fails(lab, store_meta_get(lab->s, "half", out, sizeof(out), &lab->d), ERR_NOT_FOUND, "");
	fails(lab, store_grant_put(lab->s, 1, 4712, 0, 0, &lab->d), ERR_NOT_FOUND, "printer");
	backup_is_whole(lab);
	store_free(lab->s);
	lab->s = NULL;
	assert_true(same_bytes(lab->path, before));
	ok(lab, store_open(&lab->s, lab->path, &lab->d));
	free(before.p);
}

/* Without a way back there is no way on. */
static void migration_needs_its_backup(void **state)
{
	static const char *const extra[] = {STEP_GOOD};
	struct lab *lab = *state;
	char *bak = backup_path(lab), *part = store_file_path(bak, ".part");
	int version;

	closed_store(lab);
	ok(lab, store_open(&lab->s, lab->path, &lab->d));
	assert_int_equal(mkdir(part, 0700), 0);
	assert_int_equal(migrate(lab, extra, 1), ERR_STORE);
	assert_non_null(strstr(lab->d.text, part));
	ok(lab, store_migrate_version(lab->s->db, lab->path, &version, &lab->d));
	assert_int_equal(version, schema_version);
	assert_int_equal(rmdir(part), 0);
	free(bak);
	free(part);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, lab_folder, lab_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(files_are_private),
		TEST(interrupted_creation_starts_over),
		TEST(relative_path_needs_no_way_from_the_root),
		TEST(foreign_files_are_left_alone),
		TEST(other_kinds_of_files_are_refused),
		TEST(journal_without_its_store_is_not_played_back),
		TEST(newer_store_is_refused),
		TEST(truncated_store_is_refused),
		TEST(damaged_page_is_found),
		TEST(second_opener_is_told),
		TEST(pragmas_are_set),
		TEST(migration_keeps_a_way_back),
		TEST(failed_migration_changes_nothing),
		TEST(migration_needs_its_backup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
