/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the command line does to text for people: cleaning, measuring, wrapping, times and sizes,
 * tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/table.h"
#include "cli/text.h"
#include "common/cleanup.h"

static void test_clean(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"plain", "plain"},
		{"Prüsa 🖨", "Prüsa 🖨"},
		{"a\nb\tc", "a b?c"},
		{"\033[2Jx", "?[2Jx"},
		{"\x7f\xc2\x9b", "??"}, /* DEL, and CSI as one C1 character */
		{"a\xe2\x80\xae"
		 "b\xe2\x81\xa6"
		 "c\xe2\x80\x8f"
		 "d",
		 "a?b?c?d"},		 /* U+202E, 2066, 200F */
		{"\xff\xc0\xaf", "???"}, /* never UTF-8, and an overlong '/' */
		{"\xe2\x82", "??"},	 /* cut off */
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char out[64];

		text_clean(out, sizeof(out), cases[i].in);
		assert_string_equal(out, cases[i].out);
	}
}

/* A character is kept whole or not at all. */
static void test_clean_cuts_at_characters(void **state)
{
	char out[4];

	(void)state;
	text_clean(out, sizeof(out), "aä€");
	assert_string_equal(out, "aä");
	text_clean(out, sizeof(out), "abcdef");
	assert_string_equal(out, "abc");
}

static void test_width(void **state)
{
	(void)state;
	assert_int_equal(text_width(""), 0);
	assert_int_equal(text_width("abc"), 3);
	assert_int_equal(text_width("äöü"), 3);
	assert_int_equal(text_width("プリンタ"), 8);
	assert_int_equal(text_width("e\u0301"), 1); /* a combining accent */
	assert_int_equal(text_fit("プリンタ", 5), strlen("プリ"));
	assert_int_equal(text_fit("プ", 1), strlen("プ")); /* never nothing */
}

static void test_line(void **state)
{
	(void)state;
	assert_int_equal(text_line("one two three", 20), 13);
	assert_int_equal(text_line("one two three", 8), 7);
	assert_int_equal(text_line("one two three", 7), 7);
	assert_int_equal(text_line("one two three", 6), 3);
	assert_int_equal(text_line("abcdefgh", 4), 4);
}

static void test_times_and_sizes(void **state)
{
	static const struct {
		int64_t at;
		const char *text;
	} times[] = {
		{0, "never"},
		{1000000, "now"},
		{999999, "1 second ago"},
		{999900, "100 seconds ago"},
		{1000000 - 7200, "2 hours ago"},
		{1000061, "in 61 seconds"},
		{1000000 + 86400 * 3, "in 3 days"},
		{1000000 + 7199, "in 2 hours"},
		{1000000 - 5400, "90 minutes ago"},
	};
	static const struct {
		uint64_t bytes;
		const char *text;
	} sizes[] = {{0, "0 B"},	{1023, "1023 B"},     {1024, "1.0 KiB"},
		     {1536, "1.5 KiB"}, {1 << 20, "1.0 MiB"}, {UINT64_MAX, "16.0 EiB"}};
	char ago[TEXT_AGO_BYTES], size[TEXT_SIZE_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		text_ago(ago, times[i].at, 1000000);
		assert_string_equal(ago, times[i].text);
	}
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		text_size(size, sizes[i].bytes);
		assert_string_equal(size, sizes[i].text);
	}
}

static void test_quote(void **state)
{
	struct name name = {"voron-2.4"};
	char out[TEXT_QUOTE_BYTES];

	(void)state;
	assert_string_equal(text_quote(out, &name), "voron-2.4");
	(void)snprintf(name.s, sizeof(name.s), "it's $(id)");
	assert_string_equal(text_quote(out, &name), "'it'\\''s $(id)'");
	memset(name.s, '\'', NAME_BYTES);
	name.s[NAME_BYTES] = '\0';
	assert_int_equal(strlen(text_quote(out, &name)), NAME_BYTES * 4 + 2);
}

/* Printed by table_print, to be freed. */
static char *printed(const struct table *t, unsigned indent)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	assert_non_null(out);
	table_print(t, out, indent);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void test_table_aligns(void **state)
{
	auto_table t = {.columns = 2};
	auto_free char *text = NULL;

	(void)state;
	table_add(&t, "プリンタ");
	table_add(&t, "a\nb");
	table_add(&t, "x");
	table_add(&t, "c");
	text = printed(&t, 1);
	assert_string_equal(text, " プリンタ  a b\n x         c\n");
}

static void test_table_fits(void **state)
{
	auto_table t = {.columns = 2, .shrink = 1};
	auto_free char *text = NULL;
	char *rest = NULL, *line;
	unsigned lines = 0;

	(void)state;
	table_add(&t, "%0100d", 0);
	table_add(&t, "these are words of the last column that have to wrap somewhere");
	text = printed(&t, 2);
	assert_non_null(strstr(text, "0…  "));
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		assert_true(text_width(line) <= 80);
		lines++;
	}
	assert_true(lines > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_clean_cuts_at_characters),
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_times_and_sizes),
		cmocka_unit_test(test_quote),
		cmocka_unit_test(test_table_aligns),
		cmocka_unit_test(test_table_fits),
	};

	text_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
