/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page's questions to core, with a core that answers well, late, wrongly, or not at all.
 */
#include "web/ask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/socket.h>

#include "common/chan.h"
#include "common/cleanup.h"
#include "common/mem.h"

struct line {
	int web, core;
	struct chan line; /* core's end */
	struct ask *ask;
};

static int setup(void **state)
{
	struct line *l;
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd) < 0)
		return -1;
	l = mem_zalloc(1, sizeof(*l));
	l->web = fd[0];
	l->core = fd[1];
	l->ask = ask_new(l->web);
	chan_open(&l->line, l->core, &control_table, &control_table);
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	struct line *l = *state;

	ask_free(l->ask);
	(void)close(l->web);
	if (l->core >= 0)
		(void)close(l->core);
	free(l);
	return 0;
}

static void say(struct line *l, uint16_t type, const void *m)
{
	assert_int_equal(chan_send(&l->line, type, m, NULL), 0);
}

/* The answers are put into the socket before the question is asked: it keeps them in order. */
static void say_view(struct line *l, uint32_t peers, const char *peer)
{
	struct control_gateway g = {.interface = "wg0", .backend = "kernel"};
	struct control_counts c = {.peers = peers, .online = 1, .printers = 2};
	struct control_peer p = {0};

	say(l, CTL_GATEWAY, &g);
	say(l, CTL_COUNTS, &c);
	if (peer) {
		assert_int_equal(name_parse(&p.name, peer, "peer", NULL), 0);
		say(l, CTL_PEER, &p);
	}
}

static void say_printer(struct line *l, const char *name, int64_t expires)
{
	struct control_printer p = {0};
	struct control_grant g = {.expires = expires};

	assert_int_equal(name_parse(&p.name, name, "printer", NULL), 0);
	assert_int_equal(services_parse(&p.services, "tcp/80", NULL), 0);
	assert_int_equal(prefix4_parse(&p.vpn, "10.77.16.2", NULL), 0);
	g.printer = p.name;
	say(l, CTL_GRANT, &g);
	say(l, CTL_PRINTER, &p);
}

/* Takes a question off core's end; its viewer. */
static struct endpoint heard(struct line *l)
{
	union control_any m;
	uint16_t type = 0;

	assert_int_equal(chan_recv(&l->line, &type, &m, sizeof(m), 0, NULL), 0);
	assert_int_equal(type, CTL_WEB_VIEW);
	return m.web_view.viewer;
}

static bool silent(const struct line *l)
{
	char byte;

	return recv(l->core, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0;
}

static const struct endpoint ann = {.family = 4, .addr = {10, 77, 20, 5}, .port = 40000};
static const struct endpoint bob = {.family = 4, .addr = {10, 77, 20, 6}, .port = 40001};

static void test_view_of_peer(void **state)
{
	struct line *l = *state;
	const struct view *v = NULL;
	struct endpoint who;

	say_view(l, 5, "ann");
	say_printer(l, "voron", 0);
	say_printer(l, "prusa", 1798761600);
	say(l, CTL_END, NULL);
	assert_int_equal(ask_view(l->ask, &ann, &v, NULL), 0);
	who = heard(l);
	assert_memory_equal(who.addr, ann.addr, sizeof(who.addr));
	assert_int_equal(who.port, 0);
	assert_int_equal(v->counts.peers, 5);
	assert_true(v->known);
	assert_string_equal(v->peer.name.s, "ann");
	assert_int_equal(v->count, 2);
	assert_true(v->printer[0].granted);
	assert_string_equal(v->printer[1].printer.name.s, "prusa");
	assert_int_equal(v->printer[1].expires, 1798761600);
}

static void test_same_viewer_is_asked_once(void **state)
{
	struct line *l = *state;
	const struct view *v = NULL;
	struct endpoint again = ann;

	say_view(l, 5, "ann");
	say(l, CTL_END, NULL);
	assert_int_equal(ask_view(l->ask, &ann, &v, NULL), 0);
	(void)heard(l);
	again.port = 555;
	assert_int_equal(ask_view(l->ask, &again, &v, NULL), 0);
	assert_string_equal(v->peer.name.s, "ann");
	assert_true(silent(l));
}

static void test_other_viewer_is_asked_for(void **state)
{
	struct line *l = *state;
	const struct view *v = NULL;

	say_view(l, 5, "ann");
	say(l, CTL_END, NULL);
	assert_int_equal(ask_view(l->ask, &ann, &v, NULL), 0);
	(void)heard(l);
	say_view(l, 5, NULL);
	say(l, CTL_END, NULL);
	assert_int_equal(ask_view(l->ask, &bob, &v, NULL), 0);
	(void)heard(l);
	assert_false(v->known);
	assert_int_equal(v->peer.name.s[0], 0);
}

static void test_late_answer_is_not_the_next_viewers(void **state)
{
	struct line *l = *state;
	const struct view *v = NULL;

	assert_int_equal(ask_view(l->ask, &ann, &v, NULL), ERR_UNREACHABLE);
	assert_null(v);
	(void)heard(l);
	say_view(l, 1, "ann");
	say(l, CTL_END, NULL);
	say_view(l, 2, "bob");
	say(l, CTL_END, NULL);
	assert_int_equal(ask_view(l->ask, &bob, &v, NULL), 0);
	assert_string_equal(v->peer.name.s, "bob");
	assert_int_equal(v->counts.peers, 2);
}

static void test_half_an_answer_is_none(void **state)
{
	struct line *l = *state;
	const struct view *v = NULL;

	say_view(l, 1, "ann");
	assert_int_equal(ask_view(l->ask, &ann, &v, NULL), ERR_UNREACHABLE);
	assert_int_equal(ask_view(l->ask, &bob, &v, NULL), ERR_UNREACHABLE);
	(void)heard(l);
	assert_true(silent(l)); /* bob's question waits for the end of ann's answer */
	say(l, CTL_END, NULL);
	assert_int_equal(ask_idle(l->ask, NULL), 0);
	assert_null(v);
}

static void test_error_and_nonsense(void **state)
{
	struct control_error e = {.code = ERR_STORE, .text = "the store is gone"};
	struct control_event event = {0};
	struct line *l = *state;
	const struct view *v = NULL;
	struct diag d = {0};

	say(l, CTL_ERROR, &e);
	assert_int_equal(ask_view(l->ask, &ann, &v, &d), ERR_STORE);
	assert_string_equal(d.text, "the store is gone");
	assert_int_equal(ask_view(l->ask, &ann, &v, &d), ERR_STORE); /* kept, too */
	say(l, CTL_EVENT, &event);
	assert_int_equal(ask_view(l->ask, &bob, &v, &d), ERR_PROTOCOL);
	assert_null(v);
}

static void test_more_printers_than_room(void **state)
{
	struct line *l = *state;
	const struct view *v = NULL;
	struct control_grant g = {0};

	say_view(l, 1, "ann");
	for (int i = 0; i < VIEW_PRINTERS_MAX + 3; i++) {
		(void)snprintf(g.printer.s, sizeof(g.printer.s), "p%d", i);
		say(l, CTL_GRANT, &g);
	}
	say(l, CTL_END, NULL);
	assert_int_equal(ask_view(l->ask, &ann, &v, NULL), 0);
	assert_int_equal(v->count, VIEW_PRINTERS_MAX);
	assert_int_equal(v->omitted, 3);
}

static void test_idle(void **state)
{
	struct line *l = *state;

	assert_int_equal(ask_idle(l->ask, NULL), 0);
	say(l, CTL_END, NULL);
	assert_int_equal(ask_idle(l->ask, NULL), ERR_PROTOCOL);
}

static void test_core_gone(void **state)
{
	struct line *l = *state;
	const struct view *v = NULL;

	(void)close(l->core);
	l->core = -1;
	assert_int_equal(ask_idle(l->ask, NULL), ERR_UNREACHABLE);
	assert_int_equal(ask_view(l->ask, &ann, &v, NULL), ERR_UNREACHABLE);
	assert_null(v);
}

#define ASK_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ASK_TEST(test_view_of_peer),
		ASK_TEST(test_same_viewer_is_asked_once),
		ASK_TEST(test_other_viewer_is_asked_for),
		ASK_TEST(test_late_answer_is_not_the_next_viewers),
		ASK_TEST(test_half_an_answer_is_none),
		ASK_TEST(test_error_and_nonsense),
		ASK_TEST(test_more_printers_than_room),
		ASK_TEST(test_idle),
		ASK_TEST(test_core_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
