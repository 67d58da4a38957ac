/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stores that earlier versions' programs wrote (tests/golden/store/v1.db: three printers of each
 * kind, a phone, two grants; v2.db: a fourth printer by name, and the lock) open, migrate, and have
 * lost nothing.
 */
#include "tests/unit/store_lab.h"

static int with_old_store(void **state, const char *old)
{
	(void)lab_folder(state);
	struct lab *lab = *state;
	FILE *from = fopen(old, "rb"), *to = fopen(lab->path, "wb");
	char block[4096];
	size_t n;

	assert_non_null(from);
	assert_non_null(to);
	while ((n = fread(block, 1, sizeof(block), from)) > 0)
		assert_int_equal(fwrite(block, 1, n, to), n);
	assert_int_equal(fclose(from) | fclose(to), 0);
	assert_int_equal(chmod(lab->path, 0600), 0);
	ok(lab, store_open(&lab->s, lab->path, &lab->d));
	return 0;
}

static int with_v1(void **state)
{
	return with_old_store(state, "tests/golden/store/v1.db");
}

static int with_v2(void **state)
{
	return with_old_store(state, "tests/golden/store/v2.db");
}

static int count_printer(void *arg, const struct store_printer *p)
{
	assert_string_equal(p->host.s, "");
	assert_false(hardware_known(&p->hardware));
	assert_false(p->moved);
	++*(int *)arg;
	return 0;
}

static int count_grant(void *arg, const struct store_grant *g)
{
	assert_string_equal(g->printer.s, *(int *)arg ? "voron" : "pi");
	++*(int *)arg;
	return 0;
}

static void an_old_store_migrates(void **state)
{
	struct lab *lab = *state;
	struct name name = name_of("voron");
	struct store_printer p;
	int printers = 0, grants = 0;
	int64_t peers;

	ok(lab, store_printer_by_name(lab->s, &name, &p, &lab->d));
	assert_int_equal(p.address.addr, 0xc0a80132);
	ok(lab, store_printer_each(lab->s, count_printer, &printers, &lab->d));
	ok(lab, store_grant_each(lab->s, count_grant, &grants, &lab->d));
	ok(lab, store_peer_count(lab->s, &peers, &lab->d));
	assert_int_equal(printers, 3);
	assert_int_equal(grants, 2);
	assert_int_equal(peers, 1);
	p = printer_of("named", 40);
	(void)snprintf(p.host.s, sizeof(p.host.s), "octopi.local");
	ok(lab, store_printer_insert(lab->s, &p, &lab->d));
}

static void its_copy_is_kept(void **state)
{
	struct lab *lab = *state;
	char *copy = store_file_path(lab->path, ".v1.bak");

	assert_int_equal(access(copy, R_OK), 0);
	free(copy);
}

static void the_second_version_migrates(void **state)
{
	struct lab *lab = *state;
	struct name name = name_of("named");
	char locked[16], *copy = store_file_path(lab->path, ".v2.bak");
	struct store_page page = {.has_token = true};
	struct store_printer p;
	int grants = 0;

	assert_int_equal(access(copy, R_OK), 0);
	free(copy);
	ok(lab, store_printer_by_name(lab->s, &name, &p, &lab->d));
	assert_string_equal(p.host.s, "octopi.local");
	assert_true(p.moved && hardware_known(&p.hardware));
	ok(lab, store_grant_each(lab->s, count_grant, &grants, &lab->d));
	assert_int_equal(grants, 2);
	ok(lab, store_meta_get(lab->s, "locked", locked, sizeof(locked), &lab->d));
	assert_string_equal(locked, ":fire");
	ok(lab, store_page_get(lab->s, &page, &lab->d));
	assert_string_equal(page.password, "");
	assert_false(page.has_token);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_old_store_migrates, with_v1, lab_remove),
		cmocka_unit_test_setup_teardown(its_copy_is_kept, with_v1, lab_remove),
		cmocka_unit_test_setup_teardown(the_second_version_migrates, with_v2, lab_remove),
	};

	return cmocka_run_group_tests_name("store_old", tests, NULL, NULL);
}
