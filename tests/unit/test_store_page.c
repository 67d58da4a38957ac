/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page's password and token in the store: one row, kept, and replaced without a trace.
 */
#include "tests/unit/store_lab.h"

#define OLD_HASH "$argon2id$v=19$m=19456,t=2,p=1$b2xkIG9sZCBvbGQ$marker-of-the-old"
#define NEW_HASH "$argon2id$v=19$m=19456,t=2,p=1$bmV3IG5ldyBuZXc$marker-of-the-new"

/* Is the text in the store's file or in its WAL? */
static bool occurs(struct lab *lab, const char *suffix, const char *what)
{
	static char block[1 << 22];
	char *path = store_file_path(lab->path, suffix);
	FILE *f = fopen(path, "re");
	size_t n = 0;

	free(path);
	if (f) {
		n = fread(block, 1, sizeof(block), f);
		assert_true(n < sizeof(block));
		(void)fclose(f);
	}
	return memmem(block, n, what, strlen(what)) != NULL;
}

static bool anywhere(struct lab *lab, const char *what)
{
	return occurs(lab, "", what) || occurs(lab, "-wal", what);
}

static void a_new_store_has_neither(void **state)
{
	struct lab *lab = *state;
	struct store_page page = {.password = "x", .has_token = true};

	ok(lab, store_page_get(lab->s, &page, &lab->d));
	assert_string_equal(page.password, "");
	assert_false(page.has_token);
}

static void both_are_kept(void **state)
{
	struct lab *lab = *state;
	uint8_t token[STORE_TOKEN_BYTES];
	struct store_page page;

	memset(token, 0xd7, sizeof(token));
	ok(lab, store_page_password(lab->s, OLD_HASH, &lab->d));
	ok(lab, store_page_token(lab->s, token, &lab->d));
	lab_reopen(lab);
	ok(lab, store_page_get(lab->s, &page, &lab->d));
	assert_string_equal(page.password, OLD_HASH);
	assert_true(page.has_token);
	assert_memory_equal(page.token, token, sizeof(token));
}

static void the_old_one_leaves_no_trace(void **state)
{
	struct lab *lab = *state;

	ok(lab, store_page_password(lab->s, OLD_HASH, &lab->d));
	assert_true(anywhere(lab, OLD_HASH));
	ok(lab, store_begin(lab->s, &lab->d));
	ok(lab, store_page_password(lab->s, NEW_HASH, &lab->d));
	ok(lab, store_commit(lab->s, &lab->d));
	assert_false(anywhere(lab, "marker-of-the-old"));
	assert_true(anywhere(lab, NEW_HASH));
}

static void rolled_back_it_is_the_old_one(void **state)
{
	struct lab *lab = *state;
	struct store_page page;

	ok(lab, store_page_password(lab->s, OLD_HASH, &lab->d));
	ok(lab, store_begin(lab->s, &lab->d));
	ok(lab, store_page_password(lab->s, NEW_HASH, &lab->d));
	store_rollback(lab->s);
	ok(lab, store_page_get(lab->s, &page, &lab->d));
	assert_string_equal(page.password, OLD_HASH);
}

static void nothing_else_fits(void **state)
{
	struct lab *lab = *state;
	char longest[STORE_PASSWORD_BYTES + 1];

	memset(longest, 'h', sizeof(longest));
	longest[STORE_PASSWORD_BYTES] = '\0';
	fails(lab, store_page_password(lab->s, longest, &lab->d), ERR_CONFLICT, "CHECK");
	longest[STORE_PASSWORD_BYTES - 1] = '\0';
	ok(lab, store_page_password(lab->s, longest, &lab->d));
	assert_int_not_equal(
		sqlite3_exec(lab->s->db, "INSERT INTO page VALUES (2, '', x'')", NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_not_equal(
		sqlite3_exec(lab->s->db, "UPDATE page SET token = x'00'", NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_exec(lab->s->db, "DELETE FROM page", NULL, NULL, NULL), SQLITE_OK);
	fails(lab, store_page_password(lab->s, OLD_HASH, &lab->d), ERR_NOT_FOUND, "page");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_new_store_has_neither, lab_make, lab_remove),
		cmocka_unit_test_setup_teardown(both_are_kept, lab_make, lab_remove),
		cmocka_unit_test_setup_teardown(the_old_one_leaves_no_trace, lab_make, lab_remove),
		cmocka_unit_test_setup_teardown(rolled_back_it_is_the_old_one, lab_make,
						lab_remove),
		cmocka_unit_test_setup_teardown(nothing_else_fits, lab_make, lab_remove),
	};

	return cmocka_run_group_tests_name("store_page", tests, NULL, NULL);
}
