/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Free addresses for peers and printers, against a model that simply tries them all; and that no
 * statement but the listing ones walks a table.
 */
#include "tests/unit/store_lab.h"

static const struct prefix4 tunnel = {0x0a4d1000, 20}; /* 10.77.16.0/20 */

static void peers_go_round(void **state)
{
	struct lab *lab = *state;
	const uint32_t first = 0x0a4d1401, last = first + 4;
	uint32_t out;

	ok(lab, store_peer_free_address(lab->s, first, last, 0, &out, &lab->d));
	assert_int_equal(out, first);
	ok(lab, store_peer_free_address(lab->s, first, last, first + 1, &out, &lab->d));
	assert_int_equal(out, first + 2);
	ok(lab, store_peer_free_address(lab->s, first, last, last, &out, &lab->d));
	assert_int_equal(out, first);
	for (unsigned i = 1; i <= 5; i++)
		(void)peer_add(lab, (char[]){(char)('a' + i), 0}, i);
	fails(lab, store_peer_free_address(lab->s, first, last, first, &out, &lab->d),
	      ERR_POOL_FULL, "all 5 addresses");
	ok(lab, store_peer_revoke(lab->s, 2, 1, &lab->d));
	for (uint32_t after = first - 1; after <= last; after++) {
		ok(lab, store_peer_free_address(lab->s, first, last, after, &out, &lab->d));
		assert_int_equal(out, first + 1);
	}
}

/* 64 addresses, taken and freed at random. */
static void peers_match_the_model(void **state)
{
	struct lab *lab = *state;
	const uint32_t first = 0x0a4d1400, last = first + 63;
	int64_t taken[64] = {0};
	unsigned seed = 7;

	for (unsigned round = 0; round < 1500; round++) {
		uint32_t after = first + (seed = seed * 1103515245 + 12345) / 65536 % 64, want = 0,
			 out;
		unsigned at = (seed = seed * 1103515245 + 12345) / 65536 % 64;
		char name[16];

		for (uint32_t i = 1; i <= 64 && !want; i++)
			if (!taken[(after - first + i) % 64])
				want = first + (after - first + i) % 64;
		int err = store_peer_free_address(lab->s, first, last, after, &out, &lab->d);

		assert_int_equal(err, want ? 0 : ERR_POOL_FULL);
		if (want)
			assert_int_equal(out, want);
		(void)snprintf(name, sizeof(name), "p%u", round);
		if (taken[at] && round % 4 == 0)
			ok(lab, store_peer_revoke(lab->s, taken[at], 1, &lab->d));
		taken[at] = taken[at] ? (round % 4 == 0 ? 0 : taken[at]) : peer_add(lab, name, at);
	}
}

static void block_add(struct lab *lab, struct prefix4 vpn)
{
	static unsigned n;
	char name[16];

	(void)snprintf(name, sizeof(name), "r%u", n++);
	struct store_printer p = printer_of(name, 1);

	p.vpn = vpn;
	p.kind = vpn.len == 32 ? PRINTER_HOST : PRINTER_SUBNET;
	p.address = (struct prefix4){0xc0a80000 & prefix4_mask(vpn.len), vpn.len};
	ok(lab, store_printer_insert(lab->s, &p, &lab->d));
}

static void vpn_takes(struct lab *lab, uint8_t len, uint32_t want)
{
	struct prefix4 out;

	ok(lab, store_vpn_free(lab->s, tunnel, len, &out, &lab->d));
	assert_int_equal(out.addr, want);
	assert_int_equal(out.len, len);
	assert_true(tunnel_is_vpn(tunnel, out));
	block_add(lab, out);
}

static void single_ones_from_below_and_blocks_from_above(void **state)
{
	struct lab *lab = *state;
	struct prefix4 out;

	vpn_takes(lab, 32, 0x0a4d1002);
	vpn_takes(lab, 32, 0x0a4d1003);
	vpn_takes(lab, 28, 0x0a4d13f0);
	vpn_takes(lab, 24, 0x0a4d1200);
	vpn_takes(lab, 28, 0x0a4d13e0);
	vpn_takes(lab, 24, 0x0a4d1100);
	vpn_takes(lab, 31, 0x0a4d13de);
	fails(lab, store_vpn_free(lab->s, tunnel, 24, &out, &lab->d), ERR_POOL_FULL,
	      "no room for a printer subnet of /24 left in 10.77.16.0/22");
	fails(lab, store_vpn_free(lab->s, tunnel, 22, &out, &lab->d), ERR_POOL_FULL,
	      "a tunnel prefix of /19 or shorter");
	fails(lab, store_vpn_free(lab->s, tunnel, 14, &out, &lab->d), ERR_POOL_FULL,
	      "has room for a /15");
	fails(lab, store_vpn_free(lab->s, tunnel, 0, &out, &lab->d), ERR_BAD_ADDRESS, "/32");
	ok(lab, store_printer_delete(lab->s, 1, &lab->d));
	vpn_takes(lab, 32, 0x0a4d1002);
	vpn_takes(lab, 32, 0x0a4d1004);
}

/* What the sentence promises is true for every length: one bit shorter than it says is too few. */
static void promised_prefix_has_room(void **state)
{
	struct lab *lab = *state;
	struct prefix4 out;

	for (uint8_t len = TUNNEL_LEN_MIN + 3; len < 32; len++) {
		uint8_t tunnel_len = len - 3 > TUNNEL_LEN_MAX ? TUNNEL_LEN_MAX : (uint8_t)(len - 3);
		struct prefix4 t = {0x0a000000, tunnel_len};

		ok(lab, store_vpn_free(lab->s, t, len, &out, &lab->d));
		assert_true(tunnel_is_vpn(t, out));
		t.len++;
		if (t.len <= TUNNEL_LEN_MAX)
			fails(lab, store_vpn_free(lab->s, t, len, &out, &lab->d), ERR_POOL_FULL,
			      "or shorter");
	}
}

/* The smallest tunnel (/28): two printers, then none. */
static void smallest_house_fills_up(void **state)
{
	struct lab *lab = *state;
	struct prefix4 small = {0x0a4d1000, 28}, out;

	for (uint32_t want = 0x0a4d1002; want <= 0x0a4d1003; want++) {
		ok(lab, store_vpn_free(lab->s, small, 32, &out, &lab->d));
		assert_int_equal(out.addr, want);
		block_add(lab, out);
	}
	fails(lab, store_vpn_free(lab->s, small, 32, &out, &lab->d), ERR_POOL_FULL,
	      "shorter than /28");
	fails(lab, store_vpn_free(lab->s, small, 31, &out, &lab->d), ERR_POOL_FULL,
	      "10.77.16.0/30");
}

/* ---- plans ---------------------------------------------------------------------------------- */

static bool may_scan(int id)
{
	static const int lists[] = {
		Q_PEER_EACH,  Q_PEER_COUNT,    Q_PRINTER_EACH, Q_GRANT_EACH,
		Q_EVENT_EACH, Q_EVENT_EACH_OF, Q_SEALED_COUNT, Q_CLAIM_EACH,
	};

	for (unsigned i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (lists[i] == id)
			return true;
	return false;
}

static bool scans(struct lab *lab, const char *sql)
{
	char *explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
	sqlite3_stmt *st;
	bool scan = false;

	assert_int_equal(sqlite3_prepare_v2(lab->s->db, explain, -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW)
		scan |= strstr((const char *)sqlite3_column_text(st, 3), "SCAN") != NULL;
	(void)sqlite3_finalize(st);
	sqlite3_free(explain);
	return scan;
}

static void no_statement_walks_a_table(void **state)
{
	struct lab *lab = *state;

	for (int id = 0; id < QUERY_COUNT; id++)
		if (scans(lab, query_sql[id]) && !may_scan(id))
			fail_msg("scans: %s", query_sql[id]);
	assert_true(scans(lab, query_sql[Q_PEER_EACH]));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, lab_make, lab_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(peers_go_round),
		TEST(peers_match_the_model),
		TEST(single_ones_from_below_and_blocks_from_above),
		TEST(promised_prefix_has_room),
		TEST(smallest_house_fills_up),
		TEST(no_statement_walks_a_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
