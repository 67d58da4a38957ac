/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor's words about other firewalls: which command for which way, and none that cannot be typed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "daemon/core/firewall.h"

#define BIT(way) (1U << (way))
#define ALL	 (2U * BIT(WAY_WIREGUARD_OUT) - 1)

static struct control_check check(enum foreign_tool tool, unsigned shut)
{
	struct privmsg_finding f = {
		.tool = (uint8_t)tool, .family = 1, .table = "mine", .chain = "base"};
	struct control_check c;

	firewall_check(&c, &f, shut, "wg7", 4000, "home");
	return c;
}

static void fix_is(enum foreign_tool tool, unsigned shut, const char *want)
{
	struct control_check c = check(tool, shut);

	assert_int_equal(c.result, CHECK_FAIL);
	assert_string_equal(c.fix, want);
}

static void commands(void **state)
{
	(void)state;
	fix_is(FOREIGN_DOCKER, BIT(WAY_TO_PRINTER), "iptables -I DOCKER-USER -i wg7 -j ACCEPT");
	fix_is(FOREIGN_DOCKER, BIT(WAY_TO_PRINTER) | BIT(WAY_FROM_PRINTER),
	       "iptables -I DOCKER-USER -i wg7 -j ACCEPT && "
	       "iptables -I DOCKER-USER -o wg7 -j ACCEPT");
	fix_is(FOREIGN_UFW, BIT(WAY_TO_PRINTER) | BIT(WAY_WIREGUARD_IN),
	       "ufw route allow in on wg7 && ufw allow 4000/udp");
	fix_is(FOREIGN_LEGACY, BIT(WAY_TO_GATEWAY), "iptables-legacy -I INPUT -i wg7 -j ACCEPT");
	fix_is(FOREIGN_NFTABLES, BIT(WAY_WIREGUARD_IN),
	       "nft insert rule inet mine base udp dport 4000 accept");
}

static void each_command_once(void **state)
{
	(void)state;
	fix_is(FOREIGN_FIREWALLD, BIT(WAY_TO_PRINTER) | BIT(WAY_TO_GATEWAY) | BIT(WAY_WIREGUARD_IN),
	       "firewall-cmd --permanent --zone=trusted --add-interface=wg7 && "
	       "firewall-cmd --permanent --zone=home --add-port=4000/udp && "
	       "firewall-cmd --reload");
}

static void nothing_to_do(void **state)
{
	struct control_check c = check(FOREIGN_UFW, 0);

	(void)state;
	assert_int_equal(c.result, CHECK_OK);
	assert_string_equal(c.name, "ufw");
	assert_string_equal(c.fix, "");
	c = check(FOREIGN_UNSEEN, ALL);
	assert_int_equal(c.result, CHECK_WARN);
	assert_string_equal(c.fix, "");
}

static void untypable_names_have_no_command(void **state)
{
	struct privmsg_finding f = {.tool = FOREIGN_NFTABLES, .family = 2, .table = "mine"};
	struct control_check c;

	(void)state;
	firewall_check(&c, &f, ALL, "wg7", 4000, "");
	assert_int_equal(c.result, CHECK_FAIL);
	assert_string_equal(c.fix, "");
}

/* The longest that can come fits, or the sentence would end in the middle. */
static void all_of_it_fits(void **state)
{
	struct privmsg_finding f = {.family = 1};
	struct control_check c;

	(void)state;
	memset(f.table, 't', sizeof(f.table) - 1);
	memset(f.chain, 'c', sizeof(f.chain) - 1);
	for (f.tool = FOREIGN_DOCKER; f.tool < FOREIGN_UNSEEN; f.tool++) {
		firewall_check(&c, &f, ALL, "interface_of_15", 65535, f.chain);
		assert_string_not_equal(c.fix, "");
		assert_int_equal(c.message[strlen(c.message) - 1], '.');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands),	  cmocka_unit_test(each_command_once),
		cmocka_unit_test(nothing_to_do),  cmocka_unit_test(untypable_names_have_no_command),
		cmocka_unit_test(all_of_it_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
