/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host names that are taken and those that are not; hardware addresses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "common/hardware.h"
#include "common/host.h"

#define LONG_LABEL (L63 "a.local")
#define L255	   L63 "." L63 "." L63 "." L63
#define L63	   "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz01234567890"

static void good_names_are_taken_in_lower_case(void **state)
{
	static const struct {
		const char *typed, *kept;
	} good[] = {
		{"octopi.local", "octopi.local"},
		{"OctoPi.Local.", "octopi.local"},
		{"printer", "printer"},
		{"3d-printer.example", "3d-printer.example"},
		{"1.2.3.4a", "1.2.3.4a"},
		{"xn--drucker-90a.example", "xn--drucker-90a.example"},
		{&(L255)[2], NULL}, /* 253 bytes */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct host h = {""};
		struct diag d;

		assert_int_equal(host_parse(&h, good[i].typed, &d), 0);
		assert_string_equal(h.s, good[i].kept ? good[i].kept : good[i].typed);
		assert_true(host_valid(h.s, strlen(h.s)));
	}
}

static void bad_names_are_refused_with_a_sentence(void **state)
{
	static const char *const bad[] = {
		"",	    ".",       "a..b",		".a",	    "a b",	 "-a.local",
		"a-.local", "a_b",     "192.168.1.300", "12",	    "a.12",	 "dr\xc3\xb6g",
		"a/b",	    "fe80::1", "a\n",		LONG_LABEL, "a.local..", "$(reboot)",
		L255,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct host h = {"untouched"};
		struct diag d = {0};

		if (host_parse(&h, bad[i], &d) != ERR_BAD_ADDRESS)
			fail_msg("taken: \"%s\"", bad[i]);
		assert_non_null(strstr(d.text, "host name"));
		assert_string_equal(h.s, "untouched");
	}
	assert_false(host_valid("a\0b", 3));
	assert_false(host_valid("Upper", 5));
}

static void hardware_addresses_are_one_machines(void **state)
{
	const struct hardware none = {{0}}, one = {{2, 0xab, 0, 0, 0, 0x10}},
			      group = {{1, 0, 0x5e, 0, 0, 1}};
	char text[HARDWARE_TEXT_BYTES];

	(void)state;
	assert_false(hardware_known(&none));
	assert_false(hardware_usable(&none));
	assert_false(hardware_usable(&group));
	assert_true(hardware_usable(&one));
	assert_true(hardware_same(&one, &one));
	assert_false(hardware_same(&one, &group));
	hardware_format(text, &one);
	assert_string_equal(text, "02:ab:00:00:00:10");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_names_are_taken_in_lower_case),
		cmocka_unit_test(bad_names_are_refused_with_a_sentence),
		cmocka_unit_test(hardware_addresses_are_one_machines),
	};

	return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
