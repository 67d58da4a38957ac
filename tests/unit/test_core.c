/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pure parts of printgate-core: a phone's config, sealing, the rules of time, states, the
 * out-queue. (What it does as a process: tests/core.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/when.h"
#include "common/cleanup.h"
#include "daemon/core/clock.h"
#include "daemon/core/config_text.h"
#include "daemon/core/desired.h"
#include "daemon/core/live.h"
#include "common/chan.h"
#include "daemon/core/moving.h"
#include "daemon/core/queue.h"
#include "daemon/core/seal.h"

/* ---- a phone's config -------------------------------------------------------------------------- */

static struct privmsg_hello gateway(void)
{
	struct privmsg_hello h = {.listen_port = 51820, .tunnel = {0x0a4d1000, 20}};

	memset(h.public_key.b, 0x11, WG_KEY_BYTES);
	(void)snprintf(h.endpoint, sizeof(h.endpoint), "home.example.net:51820");
	return h;
}

static struct store_peer peer(void)
{
	struct store_peer p = {.id = 7, .address = 0x0a4d1405, .created = 1000};

	(void)snprintf(p.name.s, sizeof(p.name.s), "Ann's phone / kitchen");
	memset(p.public_key.b, 0x33, WG_KEY_BYTES);
	memset(p.preshared.b, 0x22, WG_KEY_BYTES);
	return p;
}

#define KEY_11 "ERERERERERERERERERERERERERERERERERERERERERE="
#define KEY_22 "IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI="
#define KEY_44 "REREREREREREREREREREREREREREREREREREREREREQ="
#define PEER_SECTION                                                                               \
	"[Peer]\nPublicKey = " KEY_11 "\nPresharedKey = " KEY_22                                   \
	"\nAllowedIPs = 10.77.16.0/22\nEndpoint = home.example.net:51820\n"

static void test_config(void **state)
{
	const struct privmsg_hello h = gateway();
	const struct store_peer p = peer();
	struct control_config out;
	struct wg_secret secret;
	struct diag d = {0};

	(void)state;
	memset(secret.b, 0x44, sizeof(secret.b));
	assert_int_equal(config_text(&out, &h, &p, &secret, &d), 0);
	assert_string_equal(out.text, "[Interface]\nPrivateKey = " KEY_44
				      "\nAddress = 10.77.20.5/32\n\n" PEER_SECTION);
	assert_string_equal(out.tunnel_name, "Ann-s-phone-kit");
	assert_int_equal(config_text(&out, &h, &p, NULL, &d), 0);
	assert_string_equal(out.text, "[Interface]\nAddress = 10.77.20.5/32\n\n" PEER_SECTION);
}

static void test_config_of_both_families(void **state)
{
	struct privmsg_hello h = gateway();
	const struct store_peer p = peer();
	struct control_config out;
	struct diag d = {0};

	(void)state;
	assert_int_equal(prefix6_parse(&h.tunnel6, "fd77:1:2:3::/64"), 0);
	assert_int_equal(config_text(&out, &h, &p, NULL, &d), 0);
	assert_string_equal(out.text, "[Interface]\nAddress = 10.77.20.5/32, "
				      "fd77:1:2:3::a4d:1405/128\n\n[Peer]\nPublicKey = " KEY_11
				      "\nPresharedKey = " KEY_22 "\nAllowedIPs = 10.77.16.0/22, "
				      "fd77:1:2:3::a4d:1000/118\n"
				      "Endpoint = home.example.net:51820\n");
}

static void test_config_without_endpoint(void **state)
{
	struct privmsg_hello h = gateway();
	const struct store_peer p = peer();
	struct control_config out;
	struct diag d = {0};

	(void)state;
	h.endpoint[0] = '\0';
	assert_int_equal(config_text(&out, &h, &p, NULL, &d), ERR_CONFIG);
	assert_non_null(strstr(d.text, "`endpoint`"));
}

static void test_longest_config_fits(void **state)
{
	struct privmsg_hello h = gateway();
	struct store_peer p = peer();
	struct control_config out;
	struct wg_secret secret = {{1}};
	struct diag d = {0};
	const char *last;

	(void)state;
	memset(h.endpoint, 'e', sizeof(h.endpoint) - 1);
	h.tunnel = (struct prefix4){0xac100000 | 15U << 16, 16};
	p.address = 0xac1fffff;
	h.tunnel6.len = 96;
	memset(h.tunnel6.addr, 0xfd, 12);
	assert_int_equal(config_text(&out, &h, &p, &secret, &d), 0);
	last = strstr(out.text, "Endpoint = ");
	assert_non_null(last);
	assert_int_equal(strlen(last), strlen("Endpoint = \n") + sizeof(h.endpoint) - 1);
}

/* ---- sealing ----------------------------------------------------------------------------------- */

static void test_seal(void **state)
{
	const struct wg_key key = {{1, 2, 3}}, other = {{1, 2, 4}};
	struct wg_secret secret, out = {{0}};
	uint8_t sealed[SEAL_BYTES], again[SEAL_BYTES];
	struct seal *s = NULL, *t = NULL;
	bool fresh = false;
	struct diag d = {0};

	(void)state;
	secret_generate(&secret);
	assert_int_equal(seal_open(&s, NULL, &fresh, &d), 0);
	assert_true(fresh);
	assert_int_equal(seal_open(&t, NULL, &fresh, &d), 0);
	seal_close(s, sealed, &secret, &key);
	seal_close(s, again, &secret, &key);
	assert_memory_not_equal(sealed, again, SEAL_BYTES);
	assert_int_equal(seal_reveal(s, &out, sealed, SEAL_BYTES, &key), 0);
	assert_true(secret_equal(&out, &secret));
	assert_int_equal(seal_reveal(s, &out, sealed, SEAL_BYTES, &other), ERR_NO_CONFIG);
	assert_int_equal(seal_reveal(t, &out, sealed, SEAL_BYTES, &key), ERR_NO_CONFIG);
	assert_int_equal(seal_reveal(s, &out, sealed, SEAL_BYTES - 1, &key), ERR_NO_CONFIG);
	for (unsigned i = 0; i < SEAL_BYTES; i++) {
		sealed[i] ^= 1;
		assert_int_equal(seal_reveal(s, &out, sealed, SEAL_BYTES, &key), ERR_NO_CONFIG);
		sealed[i] ^= 1;
	}
	seal_free(s);
	seal_free(t);
	seal_free(NULL);
}

static void test_kept_key(void **state)
{
	const struct wg_key key = {{5}};
	struct wg_secret secret = {{9}}, out = {{0}};
	uint8_t sealed[SEAL_BYTES];
	char dir[] = "/tmp/printgate-seal-XXXXXX";
	struct seal *s = NULL;
	bool fresh = false;
	struct diag d = {0};
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(seal_open(&s, "config.key", &fresh, &d), 0);
	assert_true(fresh);
	seal_close(s, sealed, &secret, &key);
	seal_free(s);
	assert_int_equal(stat("config.key", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(seal_open(&s, "config.key", &fresh, &d), 0);
	assert_false(fresh);
	assert_int_equal(seal_reveal(s, &out, sealed, SEAL_BYTES, &key), 0);
	assert_true(secret_equal(&out, &secret));
	seal_free(s);
	assert_int_equal(truncate("config.key", 31), 0);
	assert_int_equal(seal_open(&s, "config.key", &fresh, &d), ERR_SYSTEM);
	assert_non_null(strstr(d.text, "damaged"));
	assert_int_equal(unlink("config.key"), 0);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* ---- time -------------------------------------------------------------------------------------- */

static void test_clock_rules(void **state)
{
	const struct clock_view right = clock_judge(2000, 1000, 0, false);
	const struct clock_view behind = clock_judge(500, 1000, 0, false);
	const struct clock_view set_back = clock_judge(500, 1000, 0, true);

	(void)state;
	assert_int_equal(right.now, 2000);
	assert_true(right.trusted);
	assert_false(clock_ended(&right, 0));
	assert_true(clock_ended(&right, 2000));
	assert_false(clock_ended(&right, 2001));
	assert_int_equal(behind.now, 1000);
	assert_false(behind.trusted);
	assert_true(clock_ended(&behind, 5000));
	assert_false(clock_ended(&behind, 0));
	assert_int_equal(set_back.now, 1000);
	assert_true(clock_ended(&set_back, 900));
	assert_false(clock_ended(&set_back, 1001));
}

/* Synchronised, but before the mark: it was wrong, and time goes on from the mark at its pace. */
static void test_clock_that_was_ahead(void **state)
{
	const struct clock_view found = clock_judge(5000, 9000, 0, true);
	const struct clock_view later = clock_judge(5100, 9000, 4000, true);
	const struct clock_view anew = clock_judge(500, 9100, 4000, false);
	const struct clock_view caught_up = clock_judge(9200, 9100, 4000, true);
	const struct clock_view little = clock_judge(9000, 9030, 0, true);

	(void)state;
	assert_int_equal(found.now, 9000);
	assert_int_equal(clock_ahead(&found, 0), 4000);
	assert_int_equal(later.now, 9100);
	assert_int_equal(clock_ahead(&later, 4000), 4000);
	assert_true(clock_ended(&later, 9100));
	assert_int_equal(anew.now, 9100);
	assert_false(anew.trusted);
	assert_int_equal(clock_ahead(&anew, 4000), 4000);
	assert_int_equal(caught_up.now, 9200);
	assert_int_equal(clock_ahead(&caught_up, 4000), 0);
	assert_int_equal(clock_ahead(&little, 0), 0);
}

static void test_clock_left(void **state)
{
	const struct clock_view v = clock_judge(2000, 0, 0, true);

	(void)state;
	assert_int_equal(clock_left(&v, 0), 0);
	assert_int_equal(clock_left(&v, 2060), 60);
	assert_int_equal(clock_left(&v, 1990), 1);
	assert_int_equal(clock_left(&v, INT64_MAX), WHEN_DURATION_MAX);
	assert_int_equal(clock_earlier(0, 5), 5);
	assert_int_equal(clock_earlier(5, 0), 5);
	assert_int_equal(clock_earlier(7, 5), 5);
	assert_int_equal(clock_earlier(0, 0), 0);
}

/* Never so far away that a time_t of 32 bits could not tell it before its own last month. */
static void test_clock_alarm(void **state)
{
	const int64_t now = 1830000000; /* 2027-12-28 */
	const struct clock_view right = clock_judge(now, 0, 0, true);
	const struct clock_view ahead = clock_judge(now, now + 500, 500, true);
	const struct clock_view behind = clock_judge(now, now + 500, 0, false);

	(void)state;
	assert_int_equal(clock_alarm(&right, now + 60), now + 60);
	assert_int_equal(clock_alarm(&right, 0), now + CLOCK_ALARM_MAX);
	assert_int_equal(clock_alarm(&right, now + WHEN_DURATION_MAX), now + CLOCK_ALARM_MAX);
	assert_int_equal(clock_alarm(&ahead, ahead.now + 60), now + 60);
	assert_int_equal(clock_alarm(&behind, behind.now), now + 500);
}

static void test_clock_end(void **state)
{
	const struct clock_view v = clock_judge(2000, 0, 0, true);
	const struct clock_view behind = clock_judge(500, 1000, 0, false);
	struct diag d = {0};
	int64_t end = -1;

	(void)state;
	assert_int_equal(clock_end(&v, 0, 0, &end, &d), 0);
	assert_int_equal(end, 0);
	assert_int_equal(clock_end(&v, 0, 60, &end, &d), 0);
	assert_int_equal(end, 2060);
	assert_int_equal(clock_end(&v, 3000, 0, &end, &d), 0);
	assert_int_equal(end, 3000);
	assert_int_equal(clock_end(&v, 2000, 0, &end, &d), ERR_BAD_TIME);
	assert_int_equal(clock_end(&v, 3000, 60, &end, &d), ERR_BAD_TIME);
	assert_int_equal(clock_end(&v, 2001 + WHEN_DURATION_MAX, 0, &end, &d), ERR_BAD_TIME);
	assert_int_equal(end, 3000);
	assert_int_equal(clock_end(&behind, 0, 60, &end, &d), ERR_BAD_TIME);
	assert_non_null(strstr(d.text, "synchronised"));
	assert_int_equal(clock_end(&behind, 0, 0, &end, &d), 0);
	assert_int_equal(end, 0);
}

/* ---- states ------------------------------------------------------------------------------------ */

static void test_states(void **state)
{
	const int64_t now = 100000;
	struct store_peer p = {0};

	(void)state;
	assert_int_equal(live_state(&p, 0, now, false), PEER_WAITING);
	assert_int_equal(live_state(&p, now - 179, now, false), PEER_ONLINE);
	assert_int_equal(live_state(&p, now - 180, now, false), PEER_OFFLINE);
	assert_int_equal(live_state(&p, now + 179, now, false), PEER_ONLINE);
	assert_int_equal(live_state(&p, now + 180, now, false), PEER_OFFLINE);
	assert_int_equal(live_state(&p, now, now, true), PEER_EXPIRED);
	p.first_handshake = 5;
	assert_int_equal(live_state(&p, 0, now, false), PEER_OFFLINE);
	p.disabled = true;
	assert_int_equal(live_state(&p, now, now, false), PEER_DISABLED);
	assert_int_equal(live_state(&p, now, now, true), PEER_DISABLED);
}

static void test_who_is_let_in(void **state)
{
	const struct clock_view v = clock_judge(2000, 0, 0, true);
	struct store_peer p = {0};

	(void)state;
	assert_true(desired_peer_open(&v, &p));
	p.expires = 2001;
	assert_true(desired_peer_open(&v, &p));
	p.disabled = true;
	assert_false(desired_peer_open(&v, &p));
	p = (struct store_peer){.expires = 2000};
	assert_false(desired_peer_open(&v, &p));
	assert_int_equal(desired_grant_end(0, 2000), 2000);
	assert_int_equal(desired_grant_end(1500, 2000), 1500);
}

/* ---- the out-queue ----------------------------------------------------------------------------- */

/* What is put comes out as datagrams of whole records (chan.h), in order, each as full as can be. */
static void test_queue(void **state)
{
	struct queue q = {0};
	uint8_t message[3000];
	struct iovec peek[3];
	unsigned next = 0, datagrams = 0;

	(void)state;
	assert_true(queue_empty(&q));
	assert_int_equal(queue_peek(&q, peek, 3), 0);
	for (unsigned i = 0; i < 100; i++) {
		memset(message, (int)i, sizeof(message));
		assert_true(queue_put(&q, message, 1 + i * 29, 1U << 20));
	}
	while (!queue_empty(&q)) {
		const unsigned n = queue_peek(&q, peek, 3);
		const uint8_t *at = peek[0].iov_base, *end = at + peek[0].iov_len;

		/* a socket may take fewer than it is offered: only the first is taken here */
		assert_in_range(n, 1, 3);
		assert_in_range(peek[0].iov_len, 1, CHAN_BYTES_MAX);
		while (at < end) {
			const int length = chan_record(at, (size_t)(end - at), NULL);

			assert_int_equal(length, 1 + next * 29);
			assert_int_equal(at[CHAN_LENGTH_BYTES], next);
			assert_int_equal(at[CHAN_LENGTH_BYTES + length - 1], next);
			at += CHAN_LENGTH_BYTES + length;
			next++;
		}
		assert_true(n == 1 ||
			    peek[0].iov_len + CHAN_LENGTH_BYTES + 1 + next * 29 > CHAN_BYTES_MAX);
		queue_drop(&q, peek[0].iov_len);
		datagrams++;
	}
	assert_int_equal(next, 100);
	assert_in_range(datagrams, 2, 20);
	assert_null(q.bytes);
	assert_true(queue_put(&q, message, 3000, 3002));
	assert_false(queue_put(&q, message, 1, 3002));
	queue_clear(&q);
	assert_true(queue_empty(&q));
}

static void test_pauses_between_look_ups(void **state)
{
	static const unsigned wanted[] = {1, 2, 4, 8, 16, 30, 30};
	unsigned pause = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		pause = moving_pause(pause);
		assert_int_equal(pause, wanted[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_config_of_both_families),
		cmocka_unit_test(test_config_without_endpoint),
		cmocka_unit_test(test_longest_config_fits),
		cmocka_unit_test(test_seal),
		cmocka_unit_test(test_kept_key),
		cmocka_unit_test(test_clock_rules),
		cmocka_unit_test(test_clock_that_was_ahead),
		cmocka_unit_test(test_clock_left),
		cmocka_unit_test(test_clock_alarm),
		cmocka_unit_test(test_clock_end),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_who_is_let_in),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_pauses_between_look_ups),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
