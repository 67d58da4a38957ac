/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The privileged side's own judgement of what core asks for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>

#include "daemon/priv/change.h"

static const struct prefix4 tunnel = {0x0a4d1000, 20}; /* 10.77.16.0/20 */

static struct prefix4 p4(const char *text)
{
	struct prefix4 p;

	assert_int_equal(prefix4_parse(&p, text, NULL), 0);
	return p;
}

static const struct privmsg_begin delta = {.full = false}, full = {.full = true};

/* Whether a change of this one item is accepted. */
static bool accepted(uint16_t type, const union privmsg_any *msg)
{
	struct change c = {.open = false};
	struct diag d;
	bool ok;

	change_begin(&c, &delta);
	assert_int_equal(change_add(&c, tunnel, type, msg, &d), 0);
	ok = c.refusal.code == ERR_NONE;
	assert_true(ok == (c.bad == UINT32_MAX));
	free(c.items);
	return ok;
}

static bool printer(const char *vpn, const char *target, bool self)
{
	union privmsg_any m = {.printer = {p4(vpn), p4(target), self, {{0}}}};

	return accepted(PRIV_PRINTER_PUT, &m);
}

static void test_printers_stay_in_the_house(void **state)
{
	(void)state;
	assert_true(printer("10.77.16.2", "192.168.1.50", false));
	assert_true(printer("10.77.18.0/24", "192.168.50.0/24", false));
	assert_true(printer("10.77.16.2", "0.0.0.0", true));
	assert_false(printer("10.77.16.0", "192.168.1.50", false));	  /* network address */
	assert_false(printer("10.77.16.1", "192.168.1.50", false));	  /* the gateway */
	assert_false(printer("10.77.16.0/24", "192.168.50.0/24", false)); /* covers the gateway */
	assert_false(printer("10.77.20.1", "192.168.1.50", false));	  /* a peer's */
	assert_false(printer("10.78.16.2", "192.168.1.50", false));	  /* not ours at all */
}

static void test_nobody_is_led_inward_or_to_everybody(void **state)
{
	(void)state;
	assert_false(printer("10.77.16.2", "127.0.0.1", false));
	assert_false(printer("10.77.16.2", "0.1.2.3", false));
	assert_false(printer("10.77.16.2", "224.0.0.251", false));
	assert_false(printer("10.77.16.2", "255.255.255.255", false));
	assert_false(printer("10.77.16.2", "10.77.20.9", false));
	assert_false(printer("10.77.18.0/24", "192.168.50.0/25", false));
	assert_false(printer("10.77.18.0/24", "0.0.0.0", true));
}

/* One machine has one hardware address: a subnet and this machine have none. */
static void test_only_one_machine_is_pinned(void **state)
{
	union privmsg_any m = {
		.printer = {p4("10.77.16.2"), p4("192.168.1.50"), false, {{2, 0, 0, 0, 0, 1}}}};

	(void)state;
	assert_true(accepted(PRIV_PRINTER_PUT, &m));
	m.printer.self = true;
	assert_false(accepted(PRIV_PRINTER_PUT, &m));
	m.printer.self = false;
	m.printer.vpn = p4("10.77.18.0/24");
	m.printer.target = p4("192.168.50.0/24");
	assert_false(accepted(PRIV_PRINTER_PUT, &m));
}

static void test_grants_and_peers_stay_in_the_peers_part(void **state)
{
	union privmsg_any g = {.grant = {0x0a4d1400, p4("10.77.16.2"), 0}};
	union privmsg_any p = {.peer = {.address = 0x0a4d1400}};

	(void)state;
	assert_true(accepted(PRIV_GRANT_PUT, &g));
	assert_true(accepted(PRIV_PEER_PUT, &p));
	g.grant.peer = p.peer.address = 0x0a4d1002; /* a printer's */
	assert_false(accepted(PRIV_GRANT_PUT, &g));
	assert_false(accepted(PRIV_PEER_PUT, &p));
	g.grant.peer = p.peer.address = 0x0a4d1fff; /* the broadcast address */
	assert_false(accepted(PRIV_GRANT_PUT, &g));
	assert_false(accepted(PRIV_PEER_PUT, &p));
	p.peer.address = 0;
	assert_false(accepted(PRIV_PEER_PUT, &p));
}

static void test_items_outside_a_change_break_the_protocol(void **state)
{
	union privmsg_any m = {.printer = {p4("10.77.16.2"), p4("192.168.1.50"), false}};
	struct change c = {.open = false};
	struct diag d;

	(void)state;
	assert_int_equal(change_add(&c, tunnel, PRIV_PRINTER_PUT, &m, &d), ERR_PROTOCOL);
	change_begin(&c, &full);
	assert_int_equal(change_add(&c, tunnel, PRIV_DUMP, &m, &d), ERR_PROTOCOL);
	change_reset(&c);
	assert_int_equal(change_add(&c, tunnel, PRIV_PRINTER_PUT, &m, &d), ERR_PROTOCOL);
	free(c.items);
}

static void test_first_refused_item_is_the_one_named(void **state)
{
	union privmsg_any good = {.printer = {p4("10.77.16.2"), p4("192.168.1.50"), false}};
	union privmsg_any bad = {.printer = {p4("10.77.16.1"), p4("192.168.1.50"), false}};
	struct change c = {.open = false};
	struct diag d;

	(void)state;
	change_begin(&c, &full);
	assert_int_equal(change_add(&c, tunnel, PRIV_PRINTER_PUT, &good, &d), 0);
	assert_int_equal(change_add(&c, tunnel, PRIV_PRINTER_PUT, &bad, &d), 0);
	assert_int_equal(change_add(&c, tunnel, PRIV_PRINTER_PUT, &bad, &d), 0);
	assert_int_equal(c.refusal.code, ERR_BAD_ADDRESS);
	assert_int_equal(c.bad, 1);
	change_reset(&c);
	free(c.items);
}

static void a_locked_gateway_takes_no_grant(void **state)
{
	const struct privmsg_begin locked = {.full = true, .locked = true};
	const union privmsg_any grant = {
		.grant = {.peer = 0x0a4d1401, .vpn = {.addr = 0x0a4d1002, .len = 32}}};
	struct change c = {.open = false};
	struct diag d;

	(void)state;
	change_begin(&c, &full);
	assert_int_equal(change_add(&c, tunnel, PRIV_GRANT_PUT, &grant, &d), 0);
	assert_int_equal(c.refusal.code, ERR_NONE);
	change_begin(&c, &locked);
	assert_int_equal(change_add(&c, tunnel, PRIV_GRANT_DEL, &grant, &d), 0);
	assert_int_equal(c.refusal.code, ERR_NONE);
	assert_int_equal(change_add(&c, tunnel, PRIV_GRANT_PUT, &grant, &d), 0);
	assert_int_equal(c.refusal.code, ERR_CONFLICT);
	free(c.items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_locked_gateway_takes_no_grant),
		cmocka_unit_test(test_printers_stay_in_the_house),
		cmocka_unit_test(test_nobody_is_led_inward_or_to_everybody),
		cmocka_unit_test(test_only_one_machine_is_pinned),
		cmocka_unit_test(test_grants_and_peers_stay_in_the_peers_part),
		cmocka_unit_test(test_items_outside_a_change_break_the_protocol),
		cmocka_unit_test(test_first_refused_item_is_the_one_named),
	};

	return cmocka_run_group_tests_name("change", tests, NULL, NULL);
}
