/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Error names are a contract with scripts; sentences must be fit for a terminal and for the wire.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/err.h"
#include "common/name.h"

static void names_of_codes_are_the_contracted_ones(void **state)
{
	static const char *const names[] = {
		"internal",    "usage",	     "bad_name",    "name_taken",    "not_found",
		"bad_address", "bad_prefix", "bad_service", "bad_preset",    "bad_key",
		"key_taken",   "pool_full",  "bad_time",    "not_permitted", "unreachable",
		"protocol",    "store",	     "kernel",	    "config",	     "conflict",
		"system",      "expired",    "limit",	    "no_config",     "denied",
	};

	(void)state;
	for (int i = 0; i < -ERR_LAST; i++)
		assert_string_equal(err_name(-1 - i), names[i]);
}

static void an_unknown_code_is_internal(void **state)
{
	(void)state;
	assert_string_equal(err_name(ERR_LAST - 1), "internal");
	assert_string_equal(err_name(1), "internal");
	assert_string_equal(err_name(INT32_MIN), "internal");
}

static void set_returns_the_code_and_keeps_the_sentence(void **state)
{
	struct diag d;

	(void)state;
	assert_int_equal(diag_set(&d, ERR_NAME_TAKEN, "there is a \"%s\"", "voron"),
			 ERR_NAME_TAKEN);
	assert_int_equal(d.code, ERR_NAME_TAKEN);
	assert_string_equal(d.text, "there is a \"voron\"");
	assert_int_equal(diag_set(NULL, ERR_LIMIT, "unheard"), ERR_LIMIT);
}

static void a_sentence_can_be_put_in_front_of_an_earlier_one(void **state)
{
	struct diag d;

	(void)state;
	(void)diag_set(&d, ERR_STORE, "disk full");
	(void)diag_set(&d, ERR_STORE, "enroll: %s", d.text);
	assert_string_equal(d.text, "enroll: disk full");
}

static void errno_is_told_in_words(void **state)
{
	struct diag d;

	(void)state;
	errno = ENOENT;
	assert_int_equal(diag_errno(&d, "open %s", "/x"), ERR_SYSTEM);
	assert_string_equal(d.text, "open /x: No such file or directory");
	assert_int_equal(diag_errno(NULL, "open"), ERR_SYSTEM);
}

static void control_characters_and_bad_utf8_are_replaced(void **state)
{
	struct diag d;

	(void)state;
	(void)diag_set(&d, ERR_USAGE, "a\x1b[31m\xff\xc2\x9b two\nlines \xe2\x82\xac");
	assert_string_equal(d.text, "a?[31m??? two\nlines \xe2\x82\xac");
}

static void a_long_sentence_is_cut_and_stays_utf8(void **state)
{
	char text[2 * DIAG_TEXT_BYTES];
	struct diag d;
	unsigned cp;

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa9", 3);
	(void)diag_set(&d, ERR_USAGE, "%s", text);
	assert_int_equal(strlen(d.text), DIAG_TEXT_BYTES - 1);
	for (size_t i = 0; d.text[i];) {
		int len = utf8_decode(d.text + i, strlen(d.text) - i, &cp);

		assert_true(len > 0);
		i += (size_t)len;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_codes_are_the_contracted_ones),
		cmocka_unit_test(an_unknown_code_is_internal),
		cmocka_unit_test(set_returns_the_code_and_keeps_the_sentence),
		cmocka_unit_test(a_sentence_can_be_put_in_front_of_an_earlier_one),
		cmocka_unit_test(errno_is_told_in_words),
		cmocka_unit_test(control_characters_and_bad_utf8_are_replaced),
		cmocka_unit_test(a_long_sentence_is_cut_and_stays_utf8),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
