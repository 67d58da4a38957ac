/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a stream says of a change, and what is remembered between two answers of core.
 */
#include "web/piece.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "web/snapshot.h"

/* "a1=x b2=y": pieces with box, id and text. */
static void make(struct pieces *p, const char *what)
{
	char id[3] = "", text[8];
	int n;

	pieces_open(p);
	while (sscanf(what, " %2[a-z0-9]=%7[^ ]%n", id, text, &n) == 2) {
		fprintf(pieces_begin(p, id[0], id), "<p id=%s>%s</p>", id, text);
		what += n;
	}
	pieces_close(p);
}

static void assert_changes(struct pieces_known *known, const char *what, const char *events)
{
	auto_free char *text = NULL;
	struct pieces p;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	bool any;

	assert_non_null(out);
	make(&p, what);
	any = pieces_changes(out, &p, known);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, events);
	assert_int_equal(any, events[0] != '\0');
	pieces_free(&p);
}

static void only_changes_are_said(void **state)
{
	struct pieces_known known = {0};

	(void)state;
	assert_changes(&known, "s0=x c1=y",
		       "event: s\ndata: <p id=s0>x</p>\n\nevent: c\ndata: <p id=c1>y</p>\n\n"
		       "event: order\ndata: s0 c1\n\n");
	assert_changes(&known, "s0=x c1=y", "");
	assert_changes(&known, "s0=x c1=z", "event: c\ndata: <p id=c1>z</p>\n\n");
	assert_changes(&known, "c1=z s0=x", "event: order\ndata: c1 s0\n\n");
	assert_changes(&known, "c1=z", "event: order\ndata: c1\n\n");
	assert_changes(&known, "c1=z c2=n",
		       "event: c\ndata: <p id=c2>n</p>\n\nevent: order\ndata: c1 c2\n\n");
	pieces_forget(&known);
	assert_changes(&known, "", "");
	pieces_forget(&known);
}

static void a_box_has_its_own_pieces(void **state)
{
	auto_free char *text = NULL;
	struct pieces p;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	(void)state;
	assert_non_null(out);
	make(&p, "s0=a c1=b s1=c");
	pieces_put_box(out, &p, 's');
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, "<p id=s0>a</p><p id=s1>c</p>");
	pieces_free(&p);
}

/* ---- snapshots --------------------------------------------------------------------------------- */

static void take(struct snapshot *s, uint16_t type, const union control_any *m)
{
	struct diag d;

	assert_int_equal(snapshot_item(s, type, m, &d), 0);
}

static void take_peer(struct snapshot *s, uint8_t key, uint64_t rx, uint64_t tx)
{
	union control_any m = {.peer = {.rx_bytes = rx, .tx_bytes = tx, .address = key}};

	m.peer.public_key.b[0] = key;
	take(s, CTL_PEER, &m);
}

static void grants_find_their_printer(void **state)
{
	static const char *const names[] = {"zebra", "ant", "mole"};
	struct snapshot s = {0};
	union control_any m;
	struct diag d;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		m = (union control_any){0};
		(void)snprintf(m.printer.name.s, sizeof(m.printer.name.s), "%s", names[i]);
		take(&s, CTL_PRINTER, &m);
	}
	take_peer(&s, 1, 0, 0);
	m = (union control_any){.grant = {.printer = {"mole"}, .expires = 7}};
	take(&s, CTL_GRANT, &m);
	take_peer(&s, 2, 0, 0);
	m = (union control_any){.grant = {.printer = {"zebra"}}};
	take(&s, CTL_GRANT, &m);
	assert_int_equal(s.grant[0].printer, 2);
	assert_int_equal(s.grant[0].expires, 7);
	assert_int_equal(s.grant[s.peer[1].first].printer, 0);
	m = (union control_any){.grant = {.printer = {"ghost"}}};
	assert_int_equal(snapshot_item(&s, CTL_GRANT, &m, &d), ERR_PROTOCOL);
	snapshot_free(&s);
}

static void rates_are_between_two_answers(void **state)
{
	struct snapshot a = {.mono = 1000}, b = {.mono = 3000}, c = {.mono = 4000};

	(void)state;
	take_peer(&a, 1, 100, 0);
	take_peer(&a, 2, 0, 0);
	snapshot_end(&a, &(struct snapshot){0});
	assert_int_equal(a.peer[0].rate.n, 0);
	take_peer(&b, 2, 500, 1500);
	take_peer(&b, 3, 9, 9); /* new: nothing to compare with */
	take_peer(&b, 1, 100, 0);
	snapshot_end(&b, &a);
	assert_int_equal(b.peer[0].rate.sample[RATE_SAMPLES - 1], 1000);
	assert_int_equal(b.peer[1].rate.n, 0);
	assert_int_equal(b.peer[2].rate.n, 1);
	assert_int_equal(b.peer[2].rate.sample[RATE_SAMPLES - 1], 0);
	take_peer(&c, 2, 0, 10); /* counted anew: the interface was made anew */
	snapshot_end(&c, &b);
	assert_int_equal(c.peer[0].rate.n, 2);
	assert_int_equal(c.peer[0].rate.sample[RATE_SAMPLES - 1], 0);
	assert_int_equal(c.peer[0].rate.sample[RATE_SAMPLES - 2], 1000);
	snapshot_free(&a);
	snapshot_free(&b);
	snapshot_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_changes_are_said),
		cmocka_unit_test(a_box_has_its_own_pieces),
		cmocka_unit_test(grants_find_their_printer),
		cmocka_unit_test(rates_are_between_two_answers),
	};

	return cmocka_run_group_tests_name("piece", tests, NULL, NULL);
}
