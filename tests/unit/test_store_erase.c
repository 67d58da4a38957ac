/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Erased means erased: no file of the store holds a sealed config or a preshared key any more once
 * it was taken away. Each search is first shown to find what is there.
 */
#include "tests/unit/store_lab.h"

#include <dirent.h>
#include <sys/wait.h>

#define MANY 300

/* How often the bytes occur in all files of the store's folder. */
static int occurrences(struct lab *lab, const void *what, size_t n)
{
	DIR *dir = opendir(lab->dir);
	struct dirent *e;
	char *buf = malloc(1 << 22);
	int count = 0;

	assert_true(dir && buf);
	while ((e = readdir(dir))) {
		char path[400];
		FILE *f;

		(void)snprintf(path, sizeof(path), "%s/%s", lab->dir, e->d_name);
		if (e->d_name[0] == '.' || !(f = fopen(path, "re")))
			continue;
		size_t left = fread(buf, 1, 1 << 22, f);

		assert_true(left < 1 << 22);
		for (char *p = buf; (p = memmem(p, left - (size_t)(p - buf), what, n)); p++)
			count++;
		(void)fclose(f);
	}
	free(buf);
	(void)closedir(dir);
	return count;
}

/* A sealed config with a marker that is this peer's own. */
static void seal(struct lab *lab, int64_t id, size_t n)
{
	uint8_t bytes[STORE_SEALED_MAX];

	memset(bytes, (int)(id & 0xff), sizeof(bytes));
	(void)snprintf((char *)bytes + n / 2, 32, "<sealed marker %06d>", (int)id);
	ok(lab, store_sealed_put(lab->s, id, bytes, n, 100 + id, &lab->d));
}

static int marks(struct lab *lab, int64_t id)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "<sealed marker %06d>", (int)id);

	return occurrences(lab, text, (size_t)n);
}

static void sealed_round_trip(void **state)
{
	struct lab *lab = *state;
	int64_t id = peer_add(lab, "phone", 1), created, n;
	uint8_t out[STORE_SEALED_MAX];
	size_t size;

	fails(lab, store_sealed_get(lab->s, id, out, &size, &created, &lab->d), ERR_NOT_FOUND, "");
	ok(lab, store_sealed_put(lab->s, id, (const uint8_t *)"first", 5, 1, &lab->d));
	ok(lab, store_sealed_put(lab->s, id, (const uint8_t *)"second", 6, 2, &lab->d));
	ok(lab, store_sealed_get(lab->s, id, out, &size, &created, &lab->d));
	assert_int_equal(size, 6);
	assert_memory_equal(out, "second", 6);
	assert_int_equal(created, 2);
	ok(lab, store_sealed_count(lab->s, &n, &lab->d));
	assert_int_equal(n, 1);
	memset(out, 1, sizeof(out));
	ok(lab, store_sealed_put(lab->s, id, out, sizeof(out), 3, &lab->d));
	ok(lab, store_sealed_get(lab->s, id, out, &size, &created, &lab->d));
	assert_int_equal(size, STORE_SEALED_MAX);
	fails(lab, store_sealed_put(lab->s, id, out, 0, 3, &lab->d), ERR_CONFLICT, "CHECK");
	fails(lab, store_sealed_put(lab->s, 99, out, 5, 3, &lab->d), ERR_NOT_FOUND, "peer");
	ok(lab, store_sealed_erase(lab->s, id, &lab->d));
	ok(lab, store_sealed_erase(lab->s, id, &lab->d));
	ok(lab, store_sealed_count(lab->s, &n, &lab->d));
	assert_int_equal(n, 0);
}

static void erase_before_goes_by_age(void **state)
{
	struct lab *lab = *state;
	int64_t a = peer_add(lab, "a", 1), b = peer_add(lab, "b", 2), n;

	seal(lab, a, 300);
	seal(lab, b, 300);
	ok(lab, store_sealed_erase_before(lab->s, 100 + b, &lab->d));
	assert_int_equal(marks(lab, a), 0);
	assert_true(marks(lab, b) > 0);
	ok(lab, store_sealed_erase_before(lab->s, INT64_MAX, &lab->d));
	assert_int_equal(marks(lab, b), 0);
	ok(lab, store_sealed_count(lab->s, &n, &lab->d));
	assert_int_equal(n, 0);
}

/* In a transaction the bytes go with the commit, and not if it is rolled back. */
static void erased_with_the_commit(void **state)
{
	struct lab *lab = *state;
	int64_t id = peer_add(lab, "phone", 1);

	seal(lab, id, 300);
	assert_true(marks(lab, id) > 0);
	ok(lab, store_begin(lab->s, &lab->d));
	ok(lab, store_sealed_erase(lab->s, id, &lab->d));
	store_rollback(lab->s);
	assert_true(marks(lab, id) > 0);
	ok(lab, store_begin(lab->s, &lab->d));
	ok(lab, store_sealed_erase(lab->s, id, &lab->d));
	ok(lab, store_commit(lab->s, &lab->d));
	assert_int_equal(marks(lab, id), 0);
}

/* Many, of sizes that make pages split, merge and overflow; every third is erased, one by one. */
static void nothing_stays_behind_in_a_full_store(void **state)
{
	struct lab *lab = *state;
	int64_t ids[MANY];

	for (int i = 0; i < MANY; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "p%d", i);
		ids[i] = peer_add(lab, name, (unsigned)i);
		seal(lab, ids[i], 150 + (size_t)(i * 37) % 1800);
	}
	for (int i = 0; i < MANY; i++)
		assert_true(marks(lab, ids[i]) > 0);
	for (int i = 0; i < MANY; i += 3)
		ok(lab, store_sealed_erase(lab->s, ids[i], &lab->d));
	for (int i = 0; i < MANY; i++)
		if ((marks(lab, ids[i]) > 0) == (i % 3 == 0))
			fail_msg("sealed config %d: %d occurrences", i, marks(lab, ids[i]));
	for (int i = 0; i < MANY; i++)
		ok(lab, store_sealed_erase(lab->s, ids[i], &lab->d));
	assert_int_equal(occurrences(lab, "<sealed marker", 14), 0);
}

static void revoke_and_rekey_wipe_the_preshared_key(void **state)
{
	struct lab *lab = *state;
	struct store_peer p = peer_of("phone", 1);
	struct wg_secret second;

	memset(&p.preshared, 0xd1, sizeof(p.preshared));
	memset(&second, 0xd2, sizeof(second));
	ok(lab, store_peer_insert(lab->s, &p, &lab->d));
	seal(lab, p.id, 300);
	assert_true(occurrences(lab, &p.preshared, sizeof(p.preshared)) > 0);
	ok(lab, store_peer_rekey(lab->s, p.id, &p.public_key, &second, false, &lab->d));
	assert_int_equal(occurrences(lab, &p.preshared, sizeof(p.preshared)), 0);
	assert_true(occurrences(lab, &second, sizeof(second)) > 0);
	ok(lab, store_peer_revoke(lab->s, p.id, 5, &lab->d));
	assert_int_equal(occurrences(lab, &second, sizeof(second)), 0);
	assert_int_equal(marks(lab, p.id), 0);
}

/* A process that died between the commit of an erasure and the emptying of the WAL. */
static void start_finishes_an_erasure(void **state)
{
	struct lab *lab = *state;
	int status;

	store_free(lab->s);
	lab->s = NULL;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		ok(lab, store_open(&lab->s, lab->path, &lab->d));
		seal(lab, peer_add(lab, "phone", 1), 300);
		_exit(sqlite3_exec(lab->s->db, "DELETE FROM sealed", NULL, NULL, NULL));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(marks(lab, 1) > 0);
	ok(lab, store_open(&lab->s, lab->path, &lab->d));
	assert_int_equal(marks(lab, 1), 0);
}

static off_t wal_written(struct lab *lab, struct timespec *when)
{
	char *wal = store_file_path(lab->path, "-wal");
	struct stat st;

	assert_int_equal(stat(wal, &st), 0);
	free(wal);
	*when = st.st_mtim;
	return st.st_size;
}

/* Core asks every minute, for as long as there is something to wait for. */
static void nothing_to_erase_writes_nothing(void **state)
{
	struct lab *lab = *state;
	struct timespec before, after;

	seal(lab, peer_add(lab, "phone", 1), 300);
	off_t size = wal_written(lab, &before);

	assert_true(size > 0);
	ok(lab, store_sealed_erase_before(lab->s, 50, &lab->d));
	ok(lab, store_sealed_erase(lab->s, 99, &lab->d));
	assert_int_equal(wal_written(lab, &after), size);
	assert_memory_equal(&before, &after, sizeof(before));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, lab_make, lab_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sealed_round_trip),
		TEST(erase_before_goes_by_age),
		TEST(erased_with_the_commit),
		TEST(nothing_stays_behind_in_a_full_store),
		TEST(start_finishes_an_erasure),
		TEST(nothing_to_erase_writes_nothing),
		TEST(revoke_and_rekey_wipe_the_preshared_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
