/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses and prefixes are read strictly, the tunnel prefix is divided as documented, and peers
 * are never led to this machine, to nobody or into the tunnel.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "common/inet.h"

static struct prefix4 prefix(const char *text)
{
	struct prefix4 p;

	assert_int_equal(prefix4_parse(&p, text, NULL), 0);
	return p;
}

static uint32_t addr(const char *text)
{
	uint32_t a;

	assert_int_equal(ip4_parse(&a, text), 0);
	return a;
}

static void addresses_are_strict_dotted_quads(void **state)
{
	static const char *const bad[] = {"",	       "1",	   "1.2.3",    "1.2.3.4.5",
					  "1.2.3.256", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4",
					  "0x1.2.3.4", "1.2.3.-4", "1..2.3",   "::1",
					  "a.b.c.d",   "1.2.3.4\n"};
	uint32_t a = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(ip4_parse(&a, bad[i]), ERR_BAD_ADDRESS);
	assert_int_equal(a, 7);
	assert_int_equal(addr("192.168.1.20"), 0xc0a80114);
}

static void addresses_survive_text(void **state)
{
	static const char *const same[] = {"0.0.0.0", "255.255.255.255", "10.77.16.1"};
	char text[IP4_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		ip4_format(text, addr(same[i]));
		assert_string_equal(text, same[i]);
	}
}

static void prefixes_survive_text(void **state)
{
	static const char *const same[] = {"0.0.0.0/0", "10.0.0.0/8", "192.168.50.0/24",
					   "192.168.1.20", "255.255.255.254/31"};
	char text[PREFIX4_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		prefix4_format(text, prefix(same[i]));
		assert_string_equal(text, same[i]);
	}
	prefix4_format(text, prefix("192.168.1.20/32"));
	assert_string_equal(text, "192.168.1.20");
}

static void bad_prefixes_are_refused_and_leave_the_output_alone(void **state)
{
	static const char *const bad[] = {"10.0.0.0/",
					  "10.0.0.0/33",
					  "10.0.0.0/08",
					  "10.0.0.0/-1",
					  "10.0.0.0/+8",
					  "10.0.0.0/8/8",
					  "/8",
					  "10.0.0.0 /8",
					  "10.0.0.0/ 8",
					  "10.0.0/8",
					  "2001:db8::/32",
					  "printer.local",
					  "1111111111111111111111111111/8",
					  ""};
	struct prefix4 p = {1, 2};
	struct diag d;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(prefix4_parse(&p, bad[i], &d), ERR_BAD_ADDRESS);
		assert_int_equal(d.code, ERR_BAD_ADDRESS);
	}
	assert_int_equal(p.addr, 1);
	assert_int_equal(p.len, 2);
}

static void host_bits_are_refused_with_the_right_prefix(void **state)
{
	struct prefix4 p;
	struct diag d;

	(void)state;
	assert_int_equal(prefix4_parse(&p, "192.168.50.7/24", &d), ERR_BAD_ADDRESS);
	assert_non_null(strstr(d.text, "192.168.50.0/24"));
}

static void relations_of_prefixes_hold(void **state)
{
	struct prefix4 house = prefix("10.77.16.0/22");

	(void)state;
	assert_int_equal(prefix4_mask(0), 0);
	assert_int_equal(prefix4_mask(20), 0xfffff000);
	assert_int_equal(prefix4_mask(32), 0xffffffff);
	assert_int_equal(prefix4_last(house), addr("10.77.19.255"));
	assert_true(prefix4_contains(house, addr("10.77.19.255")));
	assert_false(prefix4_contains(house, addr("10.77.20.0")));
	assert_true(prefix4_covers(house, prefix("10.77.17.0/24")));
	assert_false(prefix4_covers(prefix("10.77.17.0/24"), house));
	assert_true(prefix4_overlaps(prefix("10.77.17.0/24"), house));
	assert_true(prefix4_overlaps(house, prefix("0.0.0.0/0")));
	assert_false(prefix4_overlaps(house, prefix("10.77.20.0/22")));
}

static void the_default_tunnel_is_divided_in_quarters(void **state)
{
	struct prefix4 t = prefix("10.77.16.0/20");

	(void)state;
	assert_int_equal(tunnel_check(t, NULL), 0);
	assert_int_equal(tunnel_house(t).addr, addr("10.77.16.0"));
	assert_int_equal(tunnel_house(t).len, 22);
	assert_int_equal(tunnel_gateway(t), addr("10.77.16.1"));
	assert_int_equal(tunnel_first_peer(t), addr("10.77.20.0"));
	assert_int_equal(tunnel_last_peer(t), addr("10.77.31.254"));
	assert_false(tunnel_is_peer(t, addr("10.77.19.255")));
	assert_true(tunnel_is_peer(t, addr("10.77.20.0")));
	assert_true(tunnel_is_peer(t, addr("10.77.31.254")));
	assert_false(tunnel_is_peer(t, addr("10.77.31.255"))); /* the broadcast address */
	assert_false(tunnel_is_peer(t, addr("10.77.32.0")));
}

static void the_smallest_tunnel_has_two_printers_and_eleven_peers(void **state)
{
	struct prefix4 t = prefix("192.168.77.240/28");
	int peers = 0, printers = 0;

	(void)state;
	assert_int_equal(tunnel_check(t, NULL), 0);
	for (uint32_t a = t.addr; a <= prefix4_last(t); a++) {
		peers += tunnel_is_peer(t, a);
		printers += tunnel_is_vpn(t, (struct prefix4){a, 32});
		assert_false(tunnel_is_peer(t, a) && tunnel_is_vpn(t, (struct prefix4){a, 32}));
	}
	assert_int_equal(peers, 11);
	assert_int_equal(printers, 2);
}

static void vpn_blocks_never_cover_the_gateway(void **state)
{
	struct prefix4 t = prefix("10.77.16.0/20");

	(void)state;
	assert_true(tunnel_is_vpn(t, prefix("10.77.16.2")));
	assert_true(tunnel_is_vpn(t, prefix("10.77.18.0/24")));
	assert_false(tunnel_is_vpn(t, prefix("10.77.16.0")));
	assert_false(tunnel_is_vpn(t, prefix("10.77.16.1")));
	assert_false(tunnel_is_vpn(t, prefix("10.77.16.0/24")));
	assert_false(tunnel_is_vpn(t, prefix("10.77.16.0/22")));
	assert_false(tunnel_is_vpn(t, prefix("10.77.20.0/24"))); /* peers live there */
	assert_false(tunnel_is_vpn(t, prefix("10.0.0.0/8")));
	assert_false(tunnel_is_vpn(t, (struct prefix4){addr("10.77.18.1"), 24}));
	assert_false(tunnel_is_vpn(t, (struct prefix4){addr("10.77.18.0"), 33}));
}

static void tunnels_must_be_private_and_of_fitting_size(void **state)
{
	static const char *const good[] = {"10.0.0.0/12",    "172.16.0.0/12", "172.31.255.0/28",
					   "192.168.0.0/16", "100.64.0.0/12", "100.127.240.0/20"};
	static const char *const bad[] = {"10.0.0.0/11",    "10.0.0.0/29",   "192.168.1.1",
					  "8.8.8.0/24",	    "172.32.0.0/16", "100.128.0.0/16",
					  "169.254.0.0/20", "0.0.0.0/0",     "192.160.0.0/12"};
	struct diag d;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_int_equal(tunnel_check(prefix(good[i]), &d), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(tunnel_check(prefix(bad[i]), &d), ERR_BAD_PREFIX);
		assert_non_null(strstr(d.text, bad[i]));
	}
}

static void peers_are_never_led_to_the_machine_itself_or_to_nobody(void **state)
{
	static const char *const bad[] = {"0.0.0.0",	 "0.0.0.0/0",	 "127.0.0.1",
					  "127.0.0.0/8", "224.0.0.251",	 "255.255.255.255",
					  "240.0.0.0/4", "64.0.0.0/2",	 "10.77.16.1",
					  "10.77.20.5",	 "10.77.0.0/16", "128.0.0.0/1"};
	static const char *const good[] = {"192.168.1.20", "192.168.50.0/24", "10.77.32.1",
					   "8.8.8.8", "169.254.7.7"};
	struct prefix4 t = prefix("10.77.16.0/20");
	struct diag d;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_int_equal(target_check(t, prefix(good[i]), &d), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(target_check(t, prefix(bad[i]), &d), ERR_BAD_ADDRESS);
		assert_non_null(strstr(d.text, "cannot be a printer"));
	}
}

static void private_means_wholly_private(void **state)
{
	static const char *const yes[] = {"10.0.0.0/8", "172.31.0.0/16", "192.168.1.1",
					  "100.64.0.0/10", "169.254.0.0/16"};
	static const char *const no[] = {"8.8.8.8",	"172.32.0.0/16", "192.0.2.0/24",
					 "100.0.0.0/8", "0.0.0.0/0",	 "10.0.0.0/7"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		assert_true(prefix4_is_private(prefix(yes[i])));
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		assert_false(prefix4_is_private(prefix(no[i])));
}

static void endpoints_are_written_as_people_write_them(void **state)
{
	struct endpoint v4 = {.family = 4, .addr = {192, 0, 2, 1}, .port = 51820};
	struct endpoint v6 = {.family = 6, .addr = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}, .port = 1};
	struct endpoint none = {0};
	char text[ENDPOINT_TEXT_BYTES];

	(void)state;
	endpoint_format(text, &v4);
	assert_string_equal(text, "192.0.2.1:51820");
	endpoint_format(text, &v6);
	assert_string_equal(text, "[2001:db8::1]:1");
	endpoint_format(text, &none);
	assert_string_equal(text, "");
	memset(v6.addr, 0xff, sizeof(v6.addr));
	v6.port = 65535;
	endpoint_format(text, &v6);
	assert_string_equal(text, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_strict_dotted_quads),
		cmocka_unit_test(addresses_survive_text),
		cmocka_unit_test(prefixes_survive_text),
		cmocka_unit_test(bad_prefixes_are_refused_and_leave_the_output_alone),
		cmocka_unit_test(host_bits_are_refused_with_the_right_prefix),
		cmocka_unit_test(relations_of_prefixes_hold),
		cmocka_unit_test(the_default_tunnel_is_divided_in_quarters),
		cmocka_unit_test(the_smallest_tunnel_has_two_printers_and_eleven_peers),
		cmocka_unit_test(vpn_blocks_never_cover_the_gateway),
		cmocka_unit_test(tunnels_must_be_private_and_of_fitting_size),
		cmocka_unit_test(peers_are_never_led_to_the_machine_itself_or_to_nobody),
		cmocka_unit_test(private_means_wholly_private),
		cmocka_unit_test(endpoints_are_written_as_people_write_them),
	};

	return cmocka_run_group_tests_name("inet", tests, NULL, NULL);
}
