/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Printers, grants and events in the store: kept whole, refused where they are nonsense, gone with
 * what they belong to.
 */
#include "tests/unit/store_lab.h"

struct seen {
	int count, stop_at;
	int64_t times[8];
	char names[128];
};

static int see_printer(void *arg, const struct store_printer *p)
{
	struct seen *seen = arg;

	(void)snprintf(seen->names + strlen(seen->names), sizeof(seen->names) - strlen(seen->names),
		       "%s ", p->name.s);
	return ++seen->count == seen->stop_at ? ERR_LIMIT : 0;
}

static void printers_come_back_whole(void **state)
{
	struct lab *lab = *state;
	struct store_printer host = printer_of("voron", 9), self = printer_of("octopi", 4),
			     farm = printer_of("Farm", 0), out;
	struct name name = name_of("VORON");
	struct seen seen = {0};

	self.kind = PRINTER_SELF;
	self.address.addr = 0;
	farm.kind = PRINTER_SUBNET;
	farm.address = (struct prefix4){0xc0a83200, 25};
	farm.vpn = (struct prefix4){0x0a4d1380, 25};
	ok(lab, store_printer_insert(lab->s, &host, &lab->d));
	ok(lab, store_printer_insert(lab->s, &self, &lab->d));
	ok(lab, store_printer_insert(lab->s, &farm, &lab->d));
	lab_reopen(lab);
	ok(lab, store_printer_by_name(lab->s, &name, &out, &lab->d));
	assert_int_equal(out.id, host.id);
	assert_string_equal(out.preset, "octoprint");
	assert_int_equal(out.address.addr, host.address.addr);
	assert_int_equal(out.vpn.addr, host.vpn.addr);
	assert_int_equal(out.services.count, 2);
	assert_memory_equal(out.services.item, host.services.item, 2 * sizeof(struct service));
	ok(lab, store_printer_each(lab->s, see_printer, &seen, &lab->d));
	assert_string_equal(seen.names, "octopi voron Farm ");
	seen = (struct seen){.stop_at = 1};
	assert_int_equal(store_printer_each(lab->s, see_printer, &seen, &lab->d), ERR_LIMIT);
	assert_int_equal(seen.count, 1);
	name = name_of("none");
	fails(lab, store_printer_by_name(lab->s, &name, &out, &lab->d), ERR_NOT_FOUND, "\"none\"");
	fails(lab, store_printer_delete(lab->s, 99, &lab->d), ERR_NOT_FOUND, "printer");
}

/* What core would never send is refused by the schema. */
static void nonsense_is_refused(void **state)
{
	struct lab *lab = *state;
	struct store_printer p = printer_of("x", 4);
	struct store_peer peer = peer_of("", 1);

	p.services.count = 0;
	fails(lab, store_printer_insert(lab->s, &p, &lab->d), ERR_BAD_SERVICE, "services");
	p = printer_of("x", 4);
	p.kind = PRINTER_SUBNET;
	fails(lab, store_printer_insert(lab->s, &p, &lab->d), ERR_CONFLICT, "CHECK");
	p = printer_of("x", 4);
	p.vpn.len = 31;
	fails(lab, store_printer_insert(lab->s, &p, &lab->d), ERR_CONFLICT, "CHECK");
	fails(lab, store_peer_insert(lab->s, &peer, &lab->d), ERR_CONFLICT, "CHECK");
	peer = peer_of("x", 1);
	peer.created = -1;
	fails(lab, store_peer_insert(lab->s, &peer, &lab->d), ERR_CONFLICT, "created");
	peer = peer_of("\xff", 1);
	fails(lab, store_peer_insert(lab->s, &peer, &lab->d), ERR_BAD_NAME, "UTF-8");
}

/* A printer with a host name moves; nothing else of it changes, and no other printer moves at all. */
static void only_named_printers_move(void **state)
{
	struct lab *lab = *state;
	struct store_printer named = printer_of("octopi", 9), plain = printer_of("voron", 4), out;
	const struct hardware first = {{2, 0, 0, 0, 0, 1}}, other = {{2, 0, 0, 0, 0, 2}};

	(void)snprintf(named.host.s, sizeof(named.host.s), "octopi.local");
	named.hardware = first;
	ok(lab, store_printer_insert(lab->s, &named, &lab->d));
	ok(lab, store_printer_insert(lab->s, &plain, &lab->d));
	ok(lab, store_printer_move(lab->s, named.id, 0xc0a80199, &other, true, &lab->d));
	lab_reopen(lab);
	ok(lab, store_printer_by_id(lab->s, named.id, &out, &lab->d));
	assert_string_equal(out.host.s, "octopi.local");
	assert_int_equal(out.address.addr, 0xc0a80199);
	assert_true(hardware_same(&out.hardware, &other));
	assert_true(out.moved);
	assert_int_equal(out.vpn.addr, named.vpn.addr);
	assert_int_equal(out.services.count, 2);
	fails(lab, store_printer_move(lab->s, plain.id, 1, &first, false, &lab->d), ERR_NOT_FOUND,
	      "host name");
	fails(lab, store_printer_by_id(lab->s, 99, &out, &lab->d), ERR_NOT_FOUND, "not there");
	plain = printer_of("pinned", 5);
	plain.hardware = first;
	fails(lab, store_printer_insert(lab->s, &plain, &lab->d), ERR_CONFLICT, "CHECK");
	plain = printer_of("moved", 6);
	plain.moved = true;
	fails(lab, store_printer_insert(lab->s, &plain, &lab->d), ERR_CONFLICT, "CHECK");
}

static void vpn_blocks_are_disjoint(void **state)
{
	struct lab *lab = *state;
	struct store_printer farm = printer_of("farm", 0), p = printer_of("p", 0);

	farm.kind = PRINTER_SUBNET;
	farm.address = (struct prefix4){0xc0a83200, 28};
	farm.vpn = (struct prefix4){0x0a4d1320, 28};
	ok(lab, store_printer_insert(lab->s, &farm, &lab->d));
	p.vpn.addr = 0x0a4d1320;
	fails(lab, store_printer_insert(lab->s, &p, &lab->d), ERR_CONFLICT, "10.77.19.32");
	p.vpn.addr = 0x0a4d132f;
	fails(lab, store_printer_insert(lab->s, &p, &lab->d), ERR_CONFLICT, "10.77.19.47");
	p.vpn.addr = 0x0a4d1330;
	ok(lab, store_printer_insert(lab->s, &p, &lab->d));
	farm.name = name_of("larger");
	farm.address.len = farm.vpn.len = 24;
	farm.address.addr &= 0xffffff00;
	farm.vpn.addr = 0x0a4d1300;
	fails(lab, store_printer_insert(lab->s, &farm, &lab->d), ERR_CONFLICT, "10.77.19.0/24");
}

static int see_grant(void *arg, const struct store_grant *g)
{
	struct seen *seen = arg;

	(void)snprintf(seen->names + strlen(seen->names), sizeof(seen->names) - strlen(seen->names),
		       "%d:%s:%d:%d ", (int)(g->peer_address & 0xff), g->printer.s,
		       (int)(g->vpn.addr & 0xff), (int)g->expires);
	return ++seen->count == seen->stop_at ? ERR_LIMIT : 0;
}

static void grants_are_listed_and_cascade(void **state)
{
	struct lab *lab = *state;
	int64_t v = printer_add(lab, "voron", 8), b = printer_add(lab, "Bambu", 9);
	int64_t one = peer_add(lab, "one", 1), two = peer_add(lab, "two", 2);
	struct seen all = {0}, of_peer = {0}, of_printer = {0}, left = {0},
		    stopped = {.stop_at = 2};

	ok(lab, store_grant_put(lab->s, two, v, 0, 1, &lab->d));
	ok(lab, store_grant_put(lab->s, one, v, 5, 1, &lab->d));
	ok(lab, store_grant_put(lab->s, one, b, 0, 1, &lab->d));
	ok(lab, store_grant_put(lab->s, one, v, 6, 1, &lab->d));
	ok(lab, store_grant_each(lab->s, see_grant, &all, &lab->d));
	assert_string_equal(all.names, "1:Bambu:9:0 1:voron:8:6 2:voron:8:0 ");
	ok(lab, store_grant_each_of_peer(lab->s, one, see_grant, &of_peer, &lab->d));
	assert_string_equal(of_peer.names, "1:Bambu:9:0 1:voron:8:6 ");
	ok(lab, store_grant_each_of_printer(lab->s, v, see_grant, &of_printer, &lab->d));
	assert_string_equal(of_printer.names, "1:voron:8:6 2:voron:8:0 ");
	assert_int_equal(store_grant_each(lab->s, see_grant, &stopped, &lab->d), ERR_LIMIT);
	assert_int_equal(stopped.count, 2);
	fails(lab, store_grant_put(lab->s, one, 99, 0, 1, &lab->d), ERR_NOT_FOUND, "printer");
	fails(lab, store_grant_put(lab->s, 99, v, 0, 1, &lab->d), ERR_NOT_FOUND, "peer");
	ok(lab, store_printer_delete(lab->s, v, &lab->d));
	ok(lab, store_grant_delete(lab->s, one, b, &lab->d));
	fails(lab, store_grant_delete(lab->s, one, b, &lab->d), ERR_NOT_FOUND, "grant");
	ok(lab, store_grant_each(lab->s, see_grant, &left, &lab->d));
	assert_int_equal(left.count, 0);
	assert_true(printer_add(lab, "voron", 8) > b);
}

/* ---- events --------------------------------------------------------------------------------- */

static void event_add(struct lab *lab, int64_t time, const char *subject)
{
	struct control_event e = {.time = time, .actor = "uid 0", .action = "allow", .detail = "d"};

	(void)snprintf(e.subject, sizeof(e.subject), "%s", subject);
	ok(lab, store_event_add(lab->s, &e, &lab->d));
}

static int see_event(void *arg, const struct control_event *e)
{
	struct seen *seen = arg;

	assert_string_equal(e->actor, "uid 0");
	assert_string_equal(e->action, "allow");
	assert_string_equal(e->detail, "d");
	if (seen->count < 8)
		seen->times[seen->count] = e->time;
	return ++seen->count == seen->stop_at ? ERR_LIMIT : 0;
}

static void events_are_newest_first(void **state)
{
	struct lab *lab = *state;
	struct name peer = name_of("PHÖNE"), none = name_of("");
	struct seen all = {0}, some = {0}, of = {0};

	event_add(lab, 1, "phöne");
	event_add(lab, 2, "other");
	event_add(lab, 3, "Phöne");
	ok(lab, store_event_each(lab->s, &none, 100, see_event, &all, &lab->d));
	assert_int_equal(all.count, 3);
	assert_int_equal(all.times[0], 3);
	ok(lab, store_event_each(lab->s, NULL, 2, see_event, &some, &lab->d));
	assert_int_equal(some.count, 2);
	assert_int_equal(some.times[1], 2);
	ok(lab, store_event_each(lab->s, &peer, 100, see_event, &of, &lab->d));
	assert_int_equal(of.count, 2);
	assert_int_equal(of.times[1], 1);
	some = (struct seen){.stop_at = 1};
	assert_int_equal(store_event_each(lab->s, NULL, 9, see_event, &some, &lab->d), ERR_LIMIT);
}

static void events_are_trimmed(void **state)
{
	struct lab *lab = *state;
	struct seen all = {0};

	ok(lab, store_begin(lab->s, &lab->d));
	for (int i = 1; i <= STORE_EVENTS_MAX + 25; i++)
		event_add(lab, i, "x");
	ok(lab, store_commit(lab->s, &lab->d));
	ok(lab, store_event_each(lab->s, NULL, UINT32_MAX, see_event, &all, &lab->d));
	assert_int_equal(all.count, STORE_EVENTS_MAX);
	assert_int_equal(all.times[0], STORE_EVENTS_MAX + 25);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, lab_make, lab_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(printers_come_back_whole),
		TEST(nonsense_is_refused),
		TEST(only_named_printers_move),
		TEST(vpn_blocks_are_disjoint),
		TEST(grants_are_listed_and_cascade),
		TEST(events_are_newest_first),
		TEST(events_are_trimmed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
