/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPv6 prefixes are read strictly, the tunnel's must be local ones, and each IPv4 tunnel address has
 * one IPv6 address and back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "common/inet6.h"

static struct prefix6 prefix(const char *text)
{
	struct prefix6 p;

	assert_int_equal(prefix6_parse(&p, text), 0);
	return p;
}

static void assert_prefix(struct prefix6 p, const char *text)
{
	char out[PREFIX6_TEXT_BYTES];

	prefix6_format(out, &p);
	assert_string_equal(out, text);
}

static void prefixes_survive_text(void **state)
{
	static const char *const texts[] = {"::1", "fd12:3456:789a:1::/64", "fd00::/8",
					    "2001:db8::/127", "fd77::a4d:1401"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_prefix(prefix(texts[i]), texts[i]);
	assert_prefix((struct prefix6){.len = 0}, "");
	assert_prefix(prefix("FD77:0:0::1/128"), "fd77::1");
}

static void bad_prefixes_are_refused_and_leave_the_output_alone(void **state)
{
	static const char *const bad[] = {
		"",	      "fd00::/0",     "fd00::/129",
		"fd00::/064", "fd00::/",      "fd00::1/64",
		"fd00::/6 4", "10.0.0.0/8",   "fd00::%lo/64",
		"fd00:::/64", "fd00::/64/64", "[fd00::]/64",
		"fd00::/-1",  "fd00::/1000",
	};
	struct prefix6 p = {.len = 7};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(prefix6_parse(&p, bad[i]), ERR_BAD_ADDRESS);
		assert_int_equal(p.len, 7);
	}
}

static void the_tunnel_is_a_local_prefix_of_fitting_size(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{"fd12:3456:789a:1::/64", true},
		{"fd00::/96", true},
		{"fd00::/80", true},
		{"fd00::/63", false},
		{"fd00::/97", false},
		{"fd00::1", false},
		{"fc00::/64", false},
		{"fe80::/64", false},
		{"2001:db8::/64", false},
		{"fec0::/64", false},
		{"ff02::/64", false},
		{"::/64", false},
	};
	struct diag d = {ERR_NONE, ""};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct prefix6 p = prefix(cases[i].text);

		assert_int_equal(tunnel6_check(&p, &d), cases[i].good ? 0 : ERR_BAD_PREFIX);
		if (!cases[i].good)
			assert_non_null(strstr(d.text, "must"));
	}
	assert_int_equal(tunnel6_check(&(struct prefix6){.len = 0}, &d), ERR_BAD_PREFIX);
}

static void addresses_follow_from_those_of_ipv4(void **state)
{
	const struct prefix6 tunnel6 = prefix("fd77:1:2:3::/64"), none = {.len = 0};
	struct prefix6 host = tunnel6_host(&tunnel6, 0x0a4d1401);
	uint32_t back = 0;

	(void)state;
	assert_prefix(host, "fd77:1:2:3::a4d:1401");
	assert_prefix(tunnel6_of(&tunnel6, (struct prefix4){0x0a4d1000, 22}),
		      "fd77:1:2:3::a4d:1000/118");
	assert_true(tunnel6_back(&tunnel6, host.addr, &back));
	assert_int_equal(back, 0x0a4d1401);
	host.addr[9] = 1; /* between prefix and address: nobody's */
	assert_false(tunnel6_back(&tunnel6, host.addr, &back));
	assert_int_equal(tunnel6_host(&none, 0x0a4d1401).len, 0);
	assert_false(tunnel6_back(&none, (const uint8_t[IP6_BYTES]){0}, &back));
}

static void equal_means_both_parts(void **state)
{
	const struct prefix6 a = prefix("fd00::/64"), b = prefix("fd00::/65"),
			     c = prefix("fd01::/64");

	(void)state;
	assert_true(prefix6_equal(&a, &a));
	assert_false(prefix6_equal(&a, &b));
	assert_false(prefix6_equal(&a, &c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_survive_text),
		cmocka_unit_test(bad_prefixes_are_refused_and_leave_the_output_alone),
		cmocka_unit_test(the_tunnel_is_a_local_prefix_of_fitting_size),
		cmocka_unit_test(addresses_follow_from_those_of_ipv4),
		cmocka_unit_test(equal_means_both_parts),
	};

	return cmocka_run_group_tests_name("inet6", tests, NULL, NULL);
}
