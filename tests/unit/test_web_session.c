/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions and limits of the page, by a clock that the test sets.
 */
#include "daemon/core/web_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>

#include "common/cleanup.h"
#include "daemon/core/findings.h"
#include "daemon/core/reach.h"
#include "daemon/core/web_limit.h"

#define MINUTE (60L * 1000)

static struct web_sessions sessions;
static struct web_session_view view;

static int setup(void **state)
{
	(void)state;
	web_session_open(&sessions);
	return 0;
}

static bool valid(const struct web_secret *id, int64_t now)
{
	return web_session_use(&sessions, id, now, &view) == 0;
}

/* ---- sessions ---------------------------------------------------------------------------------- */

static void a_session_is_known_by_its_name_only(void **state)
{
	static const struct web_secret none;
	struct web_secret a, b;

	(void)state;
	assert_false(valid(&none, 0));
	web_session_make(&sessions, 1000, &a);
	web_session_make(&sessions, 1000, &b);
	assert_false(web_secret_equal(&a, &b));
	assert_true(valid(&a, 2000) && valid(&b, 2000));
	for (unsigned i = 0; i < 8 * WEB_SECRET_BYTES; i++) {
		a.bytes[i / 8] ^= (uint8_t)(1U << i % 8);
		assert_false(valid(&a, 2000));
		a.bytes[i / 8] ^= (uint8_t)(1U << i % 8);
	}
	assert_false(valid(&none, 2000));
}

static void idle_it_ends_and_use_keeps_it(void **state)
{
	struct web_secret id;
	int64_t now = 7000;

	(void)state;
	web_session_make(&sessions, now, &id);
	for (int i = 0; i < 10; i++) {
		now += WEB_SESSION_IDLE - 1;
		assert_true(valid(&id, now));
	}
	assert_false(valid(&id, now + WEB_SESSION_IDLE));
	assert_false(valid(&id, now + 1)); /* ended is ended */
}

static void used_or_not_it_ends_after_its_day(void **state)
{
	struct web_secret id;
	int64_t now = 0;

	(void)state;
	web_session_make(&sessions, now, &id);
	for (; now < WEB_SESSION_LONG; now += WEB_SESSION_IDLE - 1) {
		assert_true(valid(&id, now));
		assert_int_equal(view.left, WEB_SESSION_LONG - now);
	}
	assert_true(valid(&id, WEB_SESSION_LONG - 1));
	assert_false(valid(&id, WEB_SESSION_LONG));
}

static void of_too_many_the_first_goes(void **state)
{
	struct web_secret id[WEB_SESSIONS_MAX + 1];

	(void)state;
	for (int i = 0; i <= WEB_SESSIONS_MAX; i++)
		web_session_make(&sessions, i, &id[i]);
	assert_false(valid(&id[0], 100));
	for (int i = 1; i <= WEB_SESSIONS_MAX; i++)
		assert_true(valid(&id[i], 100));
	/* those that have ended make room first */
	web_session_make(&sessions, 100 + WEB_SESSION_IDLE, &id[0]);
	assert_int_equal(sessions.n, 1);
}

static void only_its_own_form_ends_it(void **state)
{
	struct web_secret a, b, csrf;

	(void)state;
	web_session_make(&sessions, 0, &a);
	web_session_make(&sessions, 0, &b);
	assert_true(valid(&b, 1));
	csrf = view.csrf;
	assert_true(valid(&a, 1));
	assert_false(web_secret_equal(&csrf, &view.csrf));
	assert_false(web_secret_equal(&a, &view.csrf));
	assert_int_equal(web_session_end(&sessions, &a, &csrf, 2), ERR_DENIED);
	assert_int_equal(web_session_end(&sessions, &a, &a, 2), ERR_DENIED);
	assert_true(valid(&a, 3));
	assert_int_equal(web_session_end(&sessions, &a, &view.csrf, 4), 0);
	assert_int_equal(web_session_end(&sessions, &a, &view.csrf, 4), ERR_NOT_FOUND);
	assert_false(valid(&a, 5));
	assert_true(valid(&b, 5));
	web_session_end_all(&sessions);
	assert_false(valid(&b, 6));
}

static void names_are_not_in_memory(void **state)
{
	struct web_secret id;

	(void)state;
	web_session_make(&sessions, 0, &id);
	assert_true(valid(&id, 1));
	assert_null(memmem(&sessions, sizeof(sessions), id.bytes, sizeof(id.bytes)));
	assert_null(memmem(&sessions, sizeof(sessions), view.csrf.bytes, sizeof(view.csrf.bytes)));
}

static void another_process_does_not_know_it(void **state)
{
	struct web_secret id;
	struct web_sessions before;

	(void)state;
	web_session_make(&sessions, 0, &id);
	before = sessions;
	web_session_open(&sessions);
	assert_int_equal(sessions.n, 0);
	memcpy(sessions.item, before.item, sizeof(before.item));
	sessions.n = before.n;
	assert_false(valid(&id, 1)); /* another key */
}

static void a_token_has_one_hash_everywhere(void **state)
{
	/* BLAKE2b-256 of bytes 0 to 15, by Python's hashlib */
	static const struct web_secret token = {
		{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};
	uint8_t hash[WEB_SESSION_HASH_BYTES];
	char hex[2 * WEB_SESSION_HASH_BYTES + 1];

	(void)state;
	web_session_token_hash(hash, &token);
	(void)sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	assert_string_equal(hex,
			    "c7cb5d1a1a214f1d833a21fe6c7b2420e417c2f220784cbe90072975131bc367");
}

/* ---- limits ------------------------------------------------------------------------------------ */

static struct web_limit limit;

static int setup_limit(void **state)
{
	(void)state;
	memset(&limit, 0, sizeof(limit));
	return 0;
}

static struct endpoint v4(unsigned last)
{
	return (struct endpoint){.family = 4, .addr = {10, 77, 20, (uint8_t)last}};
}

/* How many of 100 tries at that time are let through. */
static int let_through(struct endpoint from, int64_t now)
{
	int n = 0;

	for (int i = 0; i < 100; i++) {
		from.port = (uint16_t)i;
		n += web_limit_try(&limit, &from, true, now);
	}
	return n;
}

static void five_a_minute_from_one_address(void **state)
{
	(void)state;
	assert_int_equal(let_through(v4(1), 5), 5);
	assert_int_equal(let_through(v4(2), 6), 5);
	assert_int_equal(let_through(v4(1), 5 + MINUTE - 1), 0);
	assert_int_equal(let_through(v4(1), 5 + MINUTE), 5);
	assert_int_equal(let_through(v4(2), 5 + MINUTE), 0);
}

/* What was refused has not moved the minute. */
static void the_minute_slides(void **state)
{
	const struct endpoint from = v4(1);

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_true(web_limit_try(&limit, &from, true, i * 10000));
	assert_false(web_limit_try(&limit, &from, true, MINUTE - 1));
	assert_true(web_limit_try(&limit, &from, true, MINUTE));
	assert_false(web_limit_try(&limit, &from, true, MINUTE + 1));
	assert_true(web_limit_try(&limit, &from, true, MINUTE + 10000));
}

static void thirty_a_minute_in_all(void **state)
{
	int n = 0;

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		n += let_through(v4(i), 1);
	assert_int_equal(n, 30);
	assert_int_equal(let_through(v4(250), MINUTE), 0);
	assert_int_equal(let_through(v4(250), 1 + MINUTE), 5);
}

/* Elsewhere addresses cost nothing. */
static void ten_of_them_are_for_phones(void **state)
{
	int n = 0;

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		const struct endpoint from = v4(i);

		n += web_limit_try(&limit, &from, false, 1);
	}
	assert_int_equal(n, 20);
	assert_int_equal(let_through(v4(250), 1), 5);
	assert_int_equal(let_through(v4(251), 1), 5);
	assert_int_equal(let_through(v4(252), 1), 0);
}

static void a_64_counts_as_one(void **state)
{
	struct endpoint six = {.family = 6, .addr = {0xfd, 0x77, [15] = 1}};
	struct endpoint mapped = {.family = 6, .addr = {[10] = 0xff, [11] = 0xff, 10, 77, 20, 9}};

	(void)state;
	assert_int_equal(let_through(six, 0), 5);
	six.addr[8] = 0xab;
	six.addr[15] = 2;
	assert_int_equal(let_through(six, 0), 0);
	six.addr[7] = 1;
	assert_int_equal(let_through(six, 0), 5);
	assert_int_equal(let_through(mapped, 0), 5);
	assert_int_equal(let_through(v4(9), 0), 0); /* the same machine */
	assert_int_equal(let_through((struct endpoint){.family = 0}, 0), 5);
}

static void strangers_do_not_fill_the_log(void **state)
{
	unsigned more = 99;
	int told = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		told += web_limit_tell(&limit, i, &more);
	assert_int_equal(told, WEB_LIMIT_TOLD);
	assert_int_equal(more, 0);
	assert_true(web_limit_tell(&limit, WEB_LIMIT_TOLD_IN, &more));
	assert_int_equal(more, 100 - WEB_LIMIT_TOLD);
	assert_true(web_limit_tell(&limit, WEB_LIMIT_TOLD_IN, &more));
	assert_int_equal(more, 0);
}

/* ---- where printers are asked, and what was found ---------------------------------------------- */

static void where_a_printer_is_asked(void **state)
{
	struct store_printer p = {
		.address = {0xc0a80109, 32},
		.services = {3, {{6, 8080, 8090}, {6, 9000, 9000}, {17, 53, 53}}}};
	uint32_t address;
	uint16_t port;

	(void)state;
	reach_target(&p, 0x0a4d1001, &address, &port);
	assert_int_equal(address, 0xc0a80109);
	assert_int_equal(port, 8080);
	p.kind = PRINTER_SELF;
	reach_target(&p, 0x0a4d1001, &address, &port);
	assert_int_equal(address, 0x0a4d1001);
	p.kind = PRINTER_SUBNET;
	reach_target(&p, 0x0a4d1001, &address, &port);
	assert_int_equal(port, 0);
	p.kind = PRINTER_HOST;
	p.moved = true; /* who knows what has its address now */
	reach_target(&p, 0x0a4d1001, &address, &port);
	assert_int_equal(port, 0);
	p.moved = false;
	p.services = (struct services){1, {{17, 5000, 5000}}};
	reach_target(&p, 0x0a4d1001, &address, &port);
	assert_int_equal(port, 0);
}

static void the_worst_is_told(void **state)
{
	struct control_web_findings f = {.worst = CHECK_OK};

	(void)state;
	findings_add(&f, &(struct control_check){.result = CHECK_OK, .message = "fine"});
	assert_string_equal(f.message, "");
	findings_add(&f, &(struct control_check){.result = CHECK_WARN, .message = "hm"});
	findings_add(&f, &(struct control_check){.result = CHECK_FAIL, .message = "first"});
	findings_add(&f, &(struct control_check){.result = CHECK_FAIL, .message = "second"});
	findings_add(&f, &(struct control_check){.result = CHECK_WARN, .message = "hm"});
	assert_int_equal(f.worst, CHECK_FAIL);
	assert_int_equal(f.failures, 2);
	assert_int_equal(f.warnings, 2);
	assert_string_equal(f.message, "first");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_session_is_known_by_its_name_only, setup),
		cmocka_unit_test_setup(idle_it_ends_and_use_keeps_it, setup),
		cmocka_unit_test_setup(used_or_not_it_ends_after_its_day, setup),
		cmocka_unit_test_setup(of_too_many_the_first_goes, setup),
		cmocka_unit_test_setup(only_its_own_form_ends_it, setup),
		cmocka_unit_test_setup(names_are_not_in_memory, setup),
		cmocka_unit_test_setup(another_process_does_not_know_it, setup),
		cmocka_unit_test(a_token_has_one_hash_everywhere),
		cmocka_unit_test_setup(five_a_minute_from_one_address, setup_limit),
		cmocka_unit_test_setup(the_minute_slides, setup_limit),
		cmocka_unit_test_setup(thirty_a_minute_in_all, setup_limit),
		cmocka_unit_test_setup(ten_of_them_are_for_phones, setup_limit),
		cmocka_unit_test_setup(a_64_counts_as_one, setup_limit),
		cmocka_unit_test_setup(strangers_do_not_fill_the_log, setup_limit),
		cmocka_unit_test(where_a_printer_is_asked),
		cmocka_unit_test(the_worst_is_told),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("web_session", tests, NULL, NULL);
}
