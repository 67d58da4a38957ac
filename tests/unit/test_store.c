/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Facts, transactions, peers and the folding of names, as core uses them.
 */
#include "tests/unit/store_lab.h"

/* ---- facts and transactions --------------------------------------------------------------- */

static void meta_is_kept(void **state)
{
	struct lab *lab = *state;
	char out[8];

	fails(lab, store_meta_get(lab->s, "tunnel", out, sizeof(out), &lab->d), ERR_NOT_FOUND,
	      "tunnel");
	ok(lab, store_meta_set(lab->s, "tunnel", "one", &lab->d));
	ok(lab, store_meta_set(lab->s, "tunnel", "two", &lab->d));
	lab_reopen(lab);
	ok(lab, store_meta_get(lab->s, "tunnel", out, sizeof(out), &lab->d));
	assert_string_equal(out, "two");
	ok(lab, store_meta_set(lab->s, "tunnel", "longer than that", &lab->d));
	fails(lab, store_meta_get(lab->s, "tunnel", out, sizeof(out), &lab->d), ERR_STORE,
	      "damaged");
}

static void rollback_undoes_all(void **state)
{
	struct lab *lab = *state;
	struct store_peer p = peer_of("phone", 1);
	int64_t n;

	ok(lab, store_begin(lab->s, &lab->d));
	ok(lab, store_peer_insert(lab->s, &p, &lab->d));
	ok(lab, store_meta_set(lab->s, "peer_cursor", "5", &lab->d));
	store_rollback(lab->s);
	store_rollback(lab->s);
	ok(lab, store_peer_count(lab->s, &n, &lab->d));
	assert_int_equal(n, 0);
	ok(lab, store_begin(lab->s, &lab->d));
	fails(lab, store_begin(lab->s, &lab->d), ERR_STORE, "transaction");
	ok(lab, store_commit(lab->s, &lab->d));
	fails(lab, store_commit(lab->s, &lab->d), ERR_STORE, "transaction");
}

/* A refused printer leaves the caller's transaction as it was. */
static void failed_part_leaves_the_rest(void **state)
{
	struct lab *lab = *state;
	struct store_printer p = printer_of("voron", 3), out;

	ok(lab, store_begin(lab->s, &lab->d));
	ok(lab, store_printer_insert(lab->s, &p, &lab->d));
	p.vpn.addr++;
	fails(lab, store_printer_insert(lab->s, &p, &lab->d), ERR_NAME_TAKEN, "voron");
	ok(lab, store_commit(lab->s, &lab->d));
	ok(lab, store_printer_by_name(lab->s, &p.name, &out, &lab->d));
	assert_int_equal(out.vpn.addr, p.vpn.addr - 1);
}

/* ---- peers ---------------------------------------------------------------------------------- */

static void same_peer(const struct store_peer *a, const struct store_peer *b)
{
	assert_int_equal(a->id, b->id);
	assert_string_equal(a->name.s, b->name.s);
	assert_memory_equal(&a->public_key, &b->public_key, WG_KEY_BYTES);
	assert_memory_equal(&a->preshared, &b->preshared, WG_KEY_BYTES);
	assert_int_equal(a->address, b->address);
	assert_int_equal(a->created, b->created);
	assert_int_equal(a->expires, b->expires);
	assert_int_equal(a->first_handshake, b->first_handshake);
	assert_int_equal(a->disabled, b->disabled);
	assert_int_equal(a->own_key, b->own_key);
}

static void peer_is_found(void **state)
{
	struct lab *lab = *state;
	struct store_peer p = peer_of("Büro 📱", 1), out;
	struct name other_case = name_of("BÜRO 📱");

	p.expires = 99;
	p.first_handshake = 98;
	p.disabled = true;
	p.own_key = true;
	ok(lab, store_peer_insert(lab->s, &p, &lab->d));
	assert_true(p.id > 0);
	lab_reopen(lab);
	ok(lab, store_peer_by_name(lab->s, &other_case, &out, &lab->d));
	same_peer(&p, &out);
	ok(lab, store_peer_by_address(lab->s, p.address, &out, &lab->d));
	same_peer(&p, &out);
	ok(lab, store_peer_by_key(lab->s, &p.public_key, &out, &lab->d));
	same_peer(&p, &out);
}

static void absent_peer_is_named(void **state)
{
	struct lab *lab = *state;
	struct name name = name_of("nobody");
	struct store_peer out, p = peer_of("x", 1);

	fails(lab, store_peer_by_name(lab->s, &name, &out, &lab->d), ERR_NOT_FOUND, "\"nobody\"");
	fails(lab, store_peer_by_address(lab->s, 0x0a4d1405, &out, &lab->d), ERR_NOT_FOUND,
	      "10.77.20.5");
	fails(lab, store_peer_by_key(lab->s, &p.public_key, &out, &lab->d), ERR_NOT_FOUND, "key");
	fails(lab, store_peer_rename(lab->s, 7, &name, &lab->d), ERR_NOT_FOUND, "peer");
	fails(lab, store_peer_rekey(lab->s, 7, &p.public_key, &p.preshared, false, &lab->d),
	      ERR_NOT_FOUND, "peer");
	fails(lab, store_peer_disable(lab->s, 7, true, &lab->d), ERR_NOT_FOUND, "peer");
	fails(lab, store_peer_connected(lab->s, 7, 1, &lab->d), ERR_NOT_FOUND, "peer");
	fails(lab, store_peer_revoke(lab->s, 7, 1, &lab->d), ERR_NOT_FOUND, "peer");
}

static void names_are_unique_whatever_their_case(void **state)
{
	static const char *const pairs[][2] = {
		{"phone", "PHONE"},	   {"ÄB", "äb"},	   {"Straße", "STRASSE"},
		{"e\u0301t\u00e9", "ÉTÉ"}, {"ΣΊΣΥΦΟΣ", "σίσυφος"}, {"ﬁne", "FINE"},
	};
	struct lab *lab = *state;

	for (unsigned i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct store_peer p = peer_of(pairs[i][1], 100 + i);
		struct store_printer r = printer_of(pairs[i][1], 100 + i);

		(void)peer_add(lab, pairs[i][0], i);
		fails(lab, store_peer_insert(lab->s, &p, &lab->d), ERR_NAME_TAKEN, pairs[i][1]);
		/* Printers have a name space of their own. */
		(void)printer_add(lab, pairs[i][0], i + 2);
		fails(lab, store_printer_insert(lab->s, &r, &lab->d), ERR_NAME_TAKEN, pairs[i][1]);
	}
}

static void key_and_address_are_unique(void **state)
{
	struct lab *lab = *state;
	struct store_peer p = peer_of("second", 2), first = peer_of("first", 1);
	int64_t id;

	(void)peer_add(lab, "first", 1);
	p.public_key = first.public_key;
	fails(lab, store_peer_insert(lab->s, &p, &lab->d), ERR_KEY_TAKEN, "\"first\"");
	p = peer_of("second", 2);
	p.address = first.address;
	fails(lab, store_peer_insert(lab->s, &p, &lab->d), ERR_CONFLICT, "peer.address");
	id = peer_add(lab, "second", 2);
	fails(lab, store_peer_rekey(lab->s, id, &first.public_key, &p.preshared, false, &lab->d),
	      ERR_KEY_TAKEN, "\"first\"");
	fails(lab, store_peer_rename(lab->s, id, &first.name, &lab->d), ERR_NAME_TAKEN,
	      "a peer called \"first\" exists already (names do not differ by case)");
}

static void peer_is_changed(void **state)
{
	struct lab *lab = *state;
	struct store_peer fresh = peer_of("", 77), out;
	struct name to = name_of("PHONE");
	int64_t id = peer_add(lab, "phone", 1);

	memset(&fresh.preshared, 0, sizeof(fresh.preshared));
	ok(lab, store_peer_rename(lab->s, id, &to, &lab->d));
	ok(lab, store_peer_disable(lab->s, id, true, &lab->d));
	ok(lab, store_peer_connected(lab->s, id, 4711, &lab->d));
	ok(lab, store_peer_by_name(lab->s, &to, &out, &lab->d));
	assert_string_equal(out.name.s, "PHONE");
	assert_true(out.disabled && !out.own_key);
	assert_int_equal(out.first_handshake, 4711);
	ok(lab, store_peer_rekey(lab->s, id, &fresh.public_key, &fresh.preshared, true, &lab->d));
	ok(lab, store_peer_disable(lab->s, id, false, &lab->d));
	ok(lab, store_peer_by_name(lab->s, &to, &out, &lab->d));
	assert_memory_equal(&out.public_key, &fresh.public_key, WG_KEY_BYTES);
	assert_true(secret_is_zero(&out.preshared) && out.own_key && !out.disabled);
	assert_int_equal(out.first_handshake, 0);
}

/* Name, key and address serve a new peer, which has nothing of the old one; the record stays. */
static void revoked_peer_frees_everything(void **state)
{
	struct lab *lab = *state;
	struct store_peer p = peer_of("PHONE", 1), out;
	uint8_t sealed[STORE_SEALED_MAX];
	int64_t printer = printer_add(lab, "voron", 2), old = peer_add(lab, "phone", 1), created, n;
	size_t size;

	ok(lab, store_grant_put(lab->s, old, printer, 0, 1, &lab->d));
	ok(lab, store_sealed_put(lab->s, old, (const uint8_t *)"abc", 3, 1, &lab->d));
	ok(lab, store_peer_revoke(lab->s, old, 5000, &lab->d));
	fails(lab, store_peer_by_name(lab->s, &p.name, &out, &lab->d), ERR_NOT_FOUND, "PHONE");
	fails(lab, store_peer_revoke(lab->s, old, 5001, &lab->d), ERR_NOT_FOUND, "peer");
	fails(lab, store_grant_put(lab->s, old, printer, 0, 1, &lab->d), ERR_NOT_FOUND, "peer");
	fails(lab, store_grant_delete(lab->s, old, printer, &lab->d), ERR_NOT_FOUND, "grant");
	fails(lab, store_sealed_get(lab->s, old, sealed, &size, &created, &lab->d), ERR_NOT_FOUND,
	      "config");
	fails(lab, store_sealed_put(lab->s, old, sealed, 3, 1, &lab->d), ERR_NOT_FOUND, "peer");
	ok(lab, store_peer_insert(lab->s, &p, &lab->d));
	assert_true(p.id > old);
	ok(lab, store_peer_count(lab->s, &n, &lab->d));
	assert_int_equal(n, 1);

	sqlite3_stmt *st;

	assert_int_equal(sqlite3_prepare_v2(lab->s->db,
					    "SELECT name, revoked, preshared FROM peer"
					    " WHERE revoked IS NOT NULL",
					    -1, &st, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	assert_string_equal(sqlite3_column_text(st, 0), "phone");
	assert_int_equal(sqlite3_column_int(st, 1), 5000);
	assert_int_equal(sqlite3_column_type(st, 2), SQLITE_NULL);
	(void)sqlite3_finalize(st);
}

struct seen {
	struct lab *lab;
	int count, stop_at;
	int64_t ids[8];
};

static int see_peer(void *arg, const struct store_peer *p)
{
	struct seen *seen = arg;
	struct store_peer again;
	int64_t n;

	/* Other look-ups work meanwhile; the same one says that it is busy. */
	ok(seen->lab, store_peer_by_name(seen->lab->s, &p->name, &again, &seen->lab->d));
	ok(seen->lab, store_peer_count(seen->lab->s, &n, &seen->lab->d));
	fails(seen->lab, store_peer_each(seen->lab->s, see_peer, seen, &seen->lab->d), ERR_INTERNAL,
	      "callback");
	seen->ids[seen->count++] = p->id;
	return seen->count == seen->stop_at ? ERR_LIMIT : 0;
}

static void peers_are_walked_by_id(void **state)
{
	struct lab *lab = *state;
	struct seen seen = {.lab = lab};
	int64_t a = peer_add(lab, "a", 1), b = peer_add(lab, "b", 2), c = peer_add(lab, "c", 3);

	ok(lab, store_peer_revoke(lab->s, b, 1, &lab->d));
	ok(lab, store_peer_each(lab->s, see_peer, &seen, &lab->d));
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.ids[0], a);
	assert_int_equal(seen.ids[1], c);
	seen = (struct seen){.lab = lab, .stop_at = 1};
	assert_int_equal(store_peer_each(lab->s, see_peer, &seen, &lab->d), ERR_LIMIT);
	assert_int_equal(seen.count, 1);
	/* The walk that was broken off does not stay open. */
	seen = (struct seen){.lab = lab};
	ok(lab, store_peer_each(lab->s, see_peer, &seen, &lab->d));
	assert_int_equal(seen.count, 2);
}

static void next_expiry_is_the_nearest(void **state)
{
	static const int64_t ends[] = {0, 500, 300, 400};
	struct lab *lab = *state;
	int64_t id = 0, at;

	for (unsigned i = 0; i < 4; i++) {
		char name[2] = {(char)('a' + i), 0};
		struct store_peer p = peer_of(name, i);

		p.expires = ends[i];
		ok(lab, store_peer_insert(lab->s, &p, &lab->d));
		id = p.id;
	}
	ok(lab, store_peer_next_expiry(lab->s, 0, &at, &lab->d));
	assert_int_equal(at, 300);
	ok(lab, store_peer_next_expiry(lab->s, 300, &at, &lab->d));
	assert_int_equal(at, 400);
	ok(lab, store_peer_revoke(lab->s, id, 1, &lab->d));
	ok(lab, store_peer_next_expiry(lab->s, 300, &at, &lab->d));
	assert_int_equal(at, 500);
	ok(lab, store_peer_next_expiry(lab->s, 500, &at, &lab->d));
	assert_int_equal(at, 0);
}

/* No character's folded form is longer than the room that the schema and FOLD_BYTES give it. */
static void folding_fits(void **state)
{
	char in[5], out[FOLD_BYTES];
	struct diag d;

	(void)state;
	for (unsigned cp = 0x80; cp < 0x110000; cp++) {
		size_t n = 0;

		if (cp >= 0xd800 && cp < 0xe000)
			continue;
		if (cp >= 0x10000)
			in[n++] = (char)(0xf0 | cp >> 18);
		if (cp >= 0x800)
			in[n++] = (char)((cp >= 0x10000 ? 0x80 : 0xe0) | (cp >> 12 & 0x3f));
		in[n++] = (char)((cp >= 0x800 ? 0x80 : 0xc0) | (cp >> 6 & 0x3f));
		in[n++] = (char)(0x80 | (cp & 0x3f));
		in[n] = '\0';
		assert_int_equal(fold_name(out, in, &d), 0);
		if (strlen(out) > 3 * n)
			fail_msg("U+%04X folds to %zu bytes", cp, strlen(out));
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, lab_make, lab_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(meta_is_kept),
		TEST(rollback_undoes_all),
		TEST(failed_part_leaves_the_rest),
		TEST(peer_is_found),
		TEST(absent_peer_is_named),
		TEST(names_are_unique_whatever_their_case),
		TEST(key_and_address_are_unique),
		TEST(peer_is_changed),
		TEST(revoked_peer_frees_everything),
		TEST(peers_are_walked_by_id),
		TEST(next_expiry_is_the_nearest),
		cmocka_unit_test(folding_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
