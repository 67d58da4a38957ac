/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which names are names, and that the sentence says what is wrong without echoing it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "common/name.h"

static void ordinary_and_foreign_names_are_accepted(void **state)
{
	static const char *const good[] = {
		"voron",
		"my phone",
		"../x", /* a name is never a path */
		"Büro-Drucker №1",
		"打印机",
		"طابعة",
		"📱",
		"👩‍🔧's phone", /* a zero-width joiner inside is part of the emoji */
		"\xf0\x9f\x8f\xb4\xf3\xa0\x81\xa7", /* a flag, with a tag character */
		"a",
		"--help",
		"\xef\xbf\xbd",
	};
	struct name name;
	struct diag d;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(name_parse(&name, good[i], "peer", &d), 0);
		assert_string_equal(name.s, good[i]);
		assert_true(name_valid(good[i], strlen(good[i])));
	}
}

struct bad {
	const char *text, *why; /* the sentence contains `why` */
};

static void bad_names_are_refused_with_the_reason(void **state)
{
	/* NOLINTBEGIN(misc-misleading-bidirectional): those are what is tested */
	static const struct bad bad[] = {
		{"", "must not be empty"},
		{"a\nPostUp = id", "control character"},
		{"a\tb", "control character"},
		{"\x1b[31mred", "control character"},
		{"a\x7f", "control character"},
		{"a\xc2\x85z", "control character"},	 /* C1: next line */
		{"a\xe2\x80\xa8z", "line or paragraph"}, /* U+2028 */
		{"a\xe2\x80\xa9z", "line or paragraph"}, /* U+2029 */
		{"evil\xe2\x80\xaegnp", "direction"},	 /* U+202E */
		{"\xd8\x9c"
		 "a",
		 "direction"},			/* U+061C */
		{"a\xe2\x80\x8e", "direction"}, /* U+200E */
		{"a\xe2\x80\x8f", "direction"}, /* U+200F */
		{"a\xe2\x80\xaa", "direction"}, /* U+202A */
		{"a\xe2\x81\xa6", "direction"}, /* U+2066 */
		{"a\xe2\x81\xa9", "direction"}, /* U+2069 */
		{" a", "begins with a blank"},
		{"a ", "ends with a blank"},
		{" ", "blank"},
		{"\xc2\xa0"
		 "a",
		 "begins with a blank"},		/* no-break space */
		{"a\xe3\x80\x80", "ends with a blank"}, /* U+3000 */
		{"\xe2\x80\x8b", "blank"},		/* a zero-width space alone */
		{"a\xff", "UTF-8"},
		{"\xc0\xaf", "UTF-8"},		   /* overlong / */
		{"\xe0\x80\xaf", "UTF-8"},	   /* overlong in three */
		{"\xf0\x80\x80\xaf", "UTF-8"},	   /* overlong in four */
		{"\xed\xa0\x80", "UTF-8"},	   /* a surrogate */
		{"\xf4\x90\x80\x80", "UTF-8"},	   /* above U+10FFFF */
		{"\xf8\x88\x80\x80\x80", "UTF-8"}, /* five bytes */
		{"a\xe2\x82", "UTF-8"},		   /* cut short */
		{"\x80", "UTF-8"},		   /* a tail without a head */
	};
	/* NOLINTEND(misc-misleading-bidirectional) */
	struct name name = {"untouched"};
	struct diag d;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(name_parse(&name, bad[i].text, "peer", &d), ERR_BAD_NAME);
		assert_non_null(strstr(d.text, bad[i].why));
		assert_non_null(strstr(d.text, "peer"));
		assert_string_equal(name.s, "untouched");
		assert_false(name_valid(bad[i].text, strlen(bad[i].text)));
	}
}

static void sentences_never_echo_the_name(void **state)
{
	struct name name;
	struct diag d;

	(void)state;
	assert_int_equal(name_parse(&name, "zq\x1b[31m", "printer", &d), ERR_BAD_NAME);
	assert_null(strstr(d.text, "zq"));
	assert_null(strchr(d.text, '\x1b'));
}

static void sixty_four_bytes_are_the_most(void **state)
{
	char text[301];
	struct name name;
	struct diag d;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[NAME_BYTES] = '\0';
	assert_int_equal(name_parse(&name, text, "printer", &d), 0);
	text[NAME_BYTES] = 'x';
	text[NAME_BYTES + 1] = '\0';
	assert_int_equal(name_parse(&name, text, "printer", &d), ERR_BAD_NAME);
	text[NAME_BYTES + 1] = 'x';
	text[300] = '\0';
	assert_int_equal(name_parse(&name, text, "printer", &d), ERR_BAD_NAME);
	assert_non_null(strstr(d.text, "300 bytes"));
	assert_non_null(strstr(d.text, "64"));
}

static void a_nul_inside_is_refused(void **state)
{
	(void)state;
	assert_false(name_valid("a\0b", 3));
	assert_false(name_valid("a", 0));
}

static void the_rest_of_a_parsed_name_is_zero(void **state)
{
	struct name name, zero = {""};

	(void)state;
	memset(&name, 0xaa, sizeof(name));
	assert_int_equal(name_parse(&name, "ab", "peer", NULL), 0);
	assert_memory_equal(name.s + 2, zero.s + 2, sizeof(name.s) - 2);
}

static void tunnel_names_fit_every_app(void **state)
{
	static const char *const pairs[][2] = {
		{"my phone", "my-phone"},
		{"  x", "x"},
		{"../x", "x"},
		{"a--b", "a-b"},
		{"Anna's iPhone 15 Pro", "Anna-s-iPhone-1"},
		{"twelve chars phone", "twelve-chars-ph"},
		{"fourteen-chars and", "fourteen-chars"}, /* no dash is left at the end */
		{"Büro", "B-ro"},
		{"打印机", "printgate"},
		{"📱", "printgate"},
		{"---", "printgate"},
		{"under_score", "under_score"},
	};
	char out[TUNNEL_NAME_BYTES + 1];
	struct name name;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		(void)snprintf(name.s, sizeof(name.s), "%s", pairs[i][0]);
		name_tunnel(out, &name);
		assert_string_equal(out, pairs[i][1]);
	}
}

static void utf8_decodes_the_edges_of_each_length(void **state)
{
	static const struct {
		const char *s;
		int len;
		unsigned cp;
	} edges[] = {
		{"\x7f", 1, 0x7f},
		{"\xc2\x80", 2, 0x80},
		{"\xdf\xbf", 2, 0x7ff},
		{"\xe0\xa0\x80", 3, 0x800},
		{"\xed\x9f\xbf", 3, 0xd7ff},
		{"\xee\x80\x80", 3, 0xe000},
		{"\xef\xbf\xbf", 3, 0xffff},
		{"\xf0\x90\x80\x80", 4, 0x10000},
		{"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
	};
	unsigned cp;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(edges); i++) {
		assert_int_equal(utf8_decode(edges[i].s, strlen(edges[i].s), &cp), edges[i].len);
		assert_int_equal(cp, edges[i].cp);
		if (edges[i].len > 1)
			assert_int_equal(utf8_decode(edges[i].s, strlen(edges[i].s) - 1, &cp), 0);
	}
}

static void clean_leaves_good_text_alone(void **state)
{
	char good[] = "grün, 打印机 📱\n";
	char bad[] = "a\xe2\x82"
		     "b\x01\n";

	(void)state;
	utf8_clean(good, 1);
	assert_string_equal(good, "grün, 打印机 📱\n");
	utf8_clean(bad, 0);
	assert_string_equal(bad, "a??b??");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary_and_foreign_names_are_accepted),
		cmocka_unit_test(bad_names_are_refused_with_the_reason),
		cmocka_unit_test(sentences_never_echo_the_name),
		cmocka_unit_test(sixty_four_bytes_are_the_most),
		cmocka_unit_test(a_nul_inside_is_refused),
		cmocka_unit_test(the_rest_of_a_parsed_name_is_zero),
		cmocka_unit_test(tunnel_names_fit_every_app),
		cmocka_unit_test(utf8_decodes_the_edges_of_each_length),
		cmocka_unit_test(clean_leaves_good_text_alone),
	};

	return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
