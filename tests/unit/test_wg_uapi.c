/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UAPI text: what is asked of a userspace WireGuard, byte for byte, and what is understood of its
 * answers, malformed ones among them.
 */
#include "daemon/priv/wg_uapi.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"

#define HEX_A "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
#define HEX_B "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static void fill(uint8_t out[WG_KEY_BYTES], uint8_t first)
{
	for (unsigned i = 0; i < WG_KEY_BYTES; i++)
		out[i] = (uint8_t)(first + i);
}

static void expect_text(const char *text, size_t n, const char *expected)
{
	assert_int_equal(n, strlen(expected));
	assert_memory_equal(text, expected, n);
}

static void config_is_written(void **state)
{
	char text[UAPI_TEXT_BYTES];
	struct wg_secret key;

	(void)state;
	fill(key.b, 0xa0);
	expect_text(text, uapi_put_config(text, &key, 51820),
		    "set=1\nprivate_key=" HEX_A "\nlisten_port=51820\n\n");
	expect_text(text, uapi_put_config(text, NULL, 65535), "set=1\nlisten_port=65535\n\n");
	expect_text(text, uapi_put_config(text, &key, 0), "set=1\nprivate_key=" HEX_A "\n\n");
}

static void edits_are_written(void **state)
{
	char text[UAPI_TEXT_BYTES];
	struct wg_peer with = {.address = 0xffffffff}, without = {.address = 0x0a4d1401};
	struct wg_edit list[3];
	size_t taken;

	(void)state;
	fill(with.public_key.b, 0xa0);
	fill(with.preshared.b, 1);
	fill(without.public_key.b, 1);
	list[0] = (struct wg_edit){.key = &without.public_key};
	list[1] = (struct wg_edit){.key = &with.public_key, .put = &with};
	list[2] = (struct wg_edit){.key = &without.public_key, .put = &without};
	expect_text(text, uapi_put_edits(text, list, 3, &taken),
		    "set=1\n"
		    "public_key=" HEX_B "\nremove=true\n"
		    "public_key=" HEX_A "\npreshared_key=" HEX_B
		    "\nreplace_allowed_ips=true\nallowed_ip=255.255.255.255/32\n"
		    "public_key=" HEX_B "\npreshared_key=" ZEROS
		    "\nreplace_allowed_ips=true\nallowed_ip=10.77.20.1/32\n\n");
	assert_int_equal(taken, 3);
}

/* update_only, next to the key: a peer that is gone does not come back. */
static void hails_are_written(void **state)
{
	static const struct wg_hail off;
	struct wg_hail four = {.keepalive = 1}, six = {.keepalive = 65535};
	char text[UAPI_TEXT_BYTES];
	struct wg_key a, b;
	struct wg_edit list[] = {
		{.key = &a, .hail = &four}, {.key = &b, .hail = &six}, {.key = &a, .hail = &off}};
	size_t taken;

	(void)state;
	fill(a.b, 0xa0);
	fill(b.b, 1);
	four.endpoint = (struct endpoint){.family = 4, .addr = {192, 0, 2, 7}, .port = 4500};
	six.endpoint = (struct endpoint){.family = 6, .addr = {0x20, 1, [15] = 9}, .port = 51820};
	expect_text(text, uapi_put_edits(text, list, ARRAY_LEN(list), &taken),
		    "set=1\n"
		    "public_key=" HEX_A "\nupdate_only=true\nendpoint=192.0.2.7:4500\n"
		    "persistent_keepalive_interval=1\n"
		    "public_key=" HEX_B "\nupdate_only=true\nendpoint=[2001::9]:51820\n"
		    "persistent_keepalive_interval=65535\n"
		    "public_key=" HEX_A "\nupdate_only=true\npersistent_keepalive_interval=0\n\n");
	assert_int_equal(taken, ARRAY_LEN(list));
}

static unsigned count_lines(const char *text, size_t n, const char *line)
{
	unsigned count = 0;

	for (size_t i = 0; i + strlen(line) <= n; i++)
		count += memcmp(text + i, line, strlen(line)) == 0;
	return count;
}

/* However long the list, every request stays within its buffer and none is lost. */
static void long_lists_are_split(void **state)
{
	static struct wg_edit list[1000];
	struct wg_peer p = {.address = 0xffffffff};
	char text[UAPI_TEXT_BYTES];
	unsigned asked = 0, requests = 0;
	size_t taken, n;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(list); i++)
		list[i] = (struct wg_edit){.key = &p.public_key, .put = &p};
	for (size_t i = 0; i < ARRAY_LEN(list); i += taken, requests++) {
		n = uapi_put_edits(text, list + i, ARRAY_LEN(list) - i, &taken);
		assert_true(taken > 0);
		assert_true(n < sizeof(text));
		assert_memory_equal(text + n - 2, "\n\n", 2);
		assert_int_equal(count_lines(text, n, "\npublic_key="), taken);
		asked += (unsigned)taken;
	}
	assert_int_equal(asked, ARRAY_LEN(list));
	assert_true(requests > 10);
}

/* ---- reading --------------------------------------------------------------------------------- */

struct seen {
	struct wg_peer_state peer[8];
	unsigned n;
	int answer;
};

static int see(void *arg, const struct wg_peer_state *p)
{
	struct seen *s = arg;

	assert_true(s->n < ARRAY_LEN(s->peer));
	s->peer[s->n++] = *p;
	return s->answer;
}

static const char full[] =
	"private_key=" HEX_B "\nlisten_port=51820\nfwmark=0\n"
	"public_key=" HEX_A "\npreshared_key=" HEX_B "\nprotocol_version=1\n"
	"endpoint=192.0.2.7:4500\nlast_handshake_time_sec=1700000000\n"
	"last_handshake_time_nsec=5\ntx_bytes=18446744073709551615\nrx_bytes=7\n"
	"persistent_keepalive_interval=25\nallowed_ip=10.77.20.1/32\n"
	"public_key=" HEX_B "\npreshared_key=" ZEROS "\nendpoint=[2001:db8::1]:51820\n"
	"allowed_ip=10.77.20.2/32\nallowed_ip=10.77.20.3/32\n"
	"errno=0\n\n";

static void check_full(const struct uapi_reader *r, const struct seen *s)
{
	const struct wg_peer_state *a = &s->peer[0], *b = &s->peer[1];
	static const uint8_t four[4] = {192, 0, 2, 7}, zero[WG_KEY_BYTES];
	uint8_t six[16], key[WG_KEY_BYTES];

	assert_true(r->done);
	assert_int_equal(r->error, 0);
	assert_int_equal(r->config.listen_port, 51820);
	fill(key, 1);
	assert_memory_equal(r->config.key.b, key, sizeof(key));
	assert_int_equal(s->n, 2);
	assert_memory_equal(a->peer.preshared.b, key, sizeof(key));
	assert_int_equal(a->peer.address, 0x0a4d1401);
	assert_true(a->exact);
	assert_int_equal(a->last_handshake, 1700000000);
	assert_true(a->tx_bytes == UINT64_MAX && a->rx_bytes == 7);
	assert_int_equal(a->keepalive, 25);
	assert_int_equal(b->keepalive, 0);
	assert_int_equal(a->endpoint.family, 4);
	assert_int_equal(a->endpoint.port, 4500);
	assert_memory_equal(a->endpoint.addr, four, sizeof(four));
	assert_memory_equal(b->peer.public_key.b, key, sizeof(key));
	assert_memory_equal(b->peer.preshared.b, zero, sizeof(zero));
	assert_false(b->exact);
	assert_int_equal(b->last_handshake, 0);
	assert_int_equal(b->endpoint.family, 6);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", six), 1);
	assert_memory_equal(b->endpoint.addr, six, sizeof(six));
}

static void answers_are_read_in_any_pieces(void **state)
{
	static const size_t pieces[] = {1, 2, 7, 64, sizeof(full)};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(pieces); i++) {
		struct seen s = {0};
		struct uapi_reader r = {.fn = see, .arg = &s};

		for (size_t at = 0; at < sizeof(full) - 1; at += pieces[i]) {
			size_t left = sizeof(full) - 1 - at;
			size_t n = left < pieces[i] ? left : pieces[i];

			assert_int_equal(uapi_read(&r, full + at, n, NULL), 0);
		}
		check_full(&r, &s);
	}
}

static void allowed_ips_decide_exactness(void **state)
{
	static const struct {
		const char *text;
		bool exact;
	} cases[] = {
		{"", false},
		{"allowed_ip=10.0.0.1/32\n", true},
		{"allowed_ip=10.0.0.0/24\n", false},
		{"allowed_ip=0.0.0.0/0\n", false},
		{"allowed_ip=2001:db8::1/128\n", false},
		{"allowed_ip=2001:db8::1/32\n", false},
		{"allowed_ip=10.0.0.1/32\nallowed_ip=::/0\n", false},
		{"allowed_ip=::/0\nallowed_ip=10.0.0.1/32\n", false},
	};
	char text[512];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct seen s = {0};
		struct uapi_reader r = {.fn = see, .arg = &s};

		(void)snprintf(text, sizeof(text), "public_key=" HEX_A "\n%serrno=0\n\n",
			       cases[i].text);
		assert_int_equal(uapi_read(&r, text, strlen(text), NULL), 0);
		assert_int_equal(s.n, 1);
		assert_int_equal(s.peer[0].exact, cases[i].exact);
	}
}

static void scoped_endpoint_is_read(void **state)
{
	static const char text[] = "public_key=" HEX_A "\nendpoint=[fe80::1%eth0]:9\nerrno=0\n\n";
	struct seen s = {0};
	struct uapi_reader r = {.fn = see, .arg = &s};
	char out[ENDPOINT_TEXT_BYTES];

	(void)state;
	assert_int_equal(uapi_read(&r, text, sizeof(text) - 1, NULL), 0);
	endpoint_format(out, &s.peer[0].endpoint);
	assert_string_equal(out, "[fe80::1]:9");
}

static void errors_are_read(void **state)
{
	struct uapi_reader r = {0}, minus = {0};

	(void)state;
	assert_int_equal(uapi_read(&r, "errno=22\n\n", 10, NULL), 0);
	assert_true(r.done);
	assert_int_equal(r.error, 22);
	assert_int_equal(uapi_read(&minus, "errno=-98\n\n", 11, NULL), 0);
	assert_int_equal(minus.error, 98);
}

static void config_alone_stops_at_the_first_peer(void **state)
{
	struct uapi_reader r = {.config_only = true};

	(void)state;
	assert_int_equal(uapi_read(&r, full, sizeof(full) - 1, NULL), 0);
	assert_true(r.done);
	assert_int_equal(r.config.listen_port, 51820);
}

static void callback_stops_the_reading(void **state)
{
	struct seen s = {.answer = ERR_LIMIT};
	struct uapi_reader r = {.fn = see, .arg = &s};

	(void)state;
	assert_int_equal(uapi_read(&r, full, sizeof(full) - 1, NULL), ERR_LIMIT);
	assert_int_equal(s.n, 1);
}

static void malformed_answers_are_refused(void **state)
{
	static const char *const cases[] = {
		"\n",
		"nonsense\n",
		"errno=\n",
		"errno=x\n",
		"errno=--1\n",
		"errno=99999999999\n",
		"errno=0\nmore=1\n",
		"errno=0\n\nx",
		"private_key=abc\n",
		"private_key=" HEX_A "00\n",
		"private_key=zz" HEX_A "\n",
		"listen_port=65536\n",
		"listen_port=-1\n",
		"listen_port= 1\n",
		"listen_port=\n",
		"public_key=\n",
		"public_key=" HEX_A "0\n",
		"preshared_key=" HEX_A "\n", /* of no peer */
		"rx_bytes=1\n",
		"public_key=" HEX_A "\nlisten_port=1\n",
		"public_key=" HEX_A "\nrx_bytes=18446744073709551616\n",
		"public_key=" HEX_A "\ntx_bytes=1x\n",
		"public_key=" HEX_A "\nlast_handshake_time_sec=9223372036854775808\n",
		"public_key=" HEX_A "\npersistent_keepalive_interval=65536\n",
		"public_key=" HEX_A "\nendpoint=1.2.3.4\n",
		"public_key=" HEX_A "\nendpoint=1.2.3.4:65536\n",
		"public_key=" HEX_A "\nendpoint=[::1:5\n",
		"public_key=" HEX_A "\nendpoint=[:5\n",
		"public_key=" HEX_A "\nendpoint=:5\n",
		"public_key=" HEX_A "\nendpoint=1.2.3:5\n",
		"public_key=" HEX_A "\nallowed_ip=10.0.0.1\n",
		"public_key=" HEX_A "\nallowed_ip=10.0.0.1/33\n",
		"public_key=" HEX_A "\nallowed_ip=::1/129\n",
		"public_key=" HEX_A "\nallowed_ip=/32\n",
		"public_key=" HEX_A "\nallowed_ip=host/32\n",
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct uapi_reader r = {0};
		struct diag d = {0};

		if (uapi_read(&r, cases[i], strlen(cases[i]), &d) != ERR_PROTOCOL)
			fail_msg("accepted: %s", cases[i]);
		assert_true(strlen(d.text) > 20);
	}
}

static void long_lines_and_nul_are_refused(void **state)
{
	static const char nul[] = "rx_b\0ytes=1\n";
	struct uapi_reader r = {0}, z = {0};
	char line[UAPI_LINE_BYTES + 1];

	(void)state;
	memset(line, 'a', sizeof(line));
	assert_int_equal(uapi_read(&r, line, sizeof(line), NULL), ERR_PROTOCOL);
	assert_int_equal(uapi_read(&z, nul, sizeof(nul) - 1, NULL), ERR_PROTOCOL);
}

/* Single damaged bytes: every outcome is allowed but one outside the buffers (the sanitizer run) or
 * a peer that breaks its type. */
static int sane(void *arg, const struct wg_peer_state *p)
{
	(void)arg;
	assert_true(p->endpoint.family == 0 || p->endpoint.family == 4 || p->endpoint.family == 6);
	assert_true(p->last_handshake >= 0);
	return 0;
}

static void damaged_answers_do_no_harm(void **state)
{
	static const char bytes[] = "\0\n=/:[]%-9af\xff";
	char text[sizeof(full)];
	unsigned refused = 0;

	(void)state;
	for (size_t at = 0; at < sizeof(full) - 1; at++) {
		for (size_t b = 0; b < sizeof(bytes) - 1; b++) {
			struct uapi_reader r = {.fn = sane};

			memcpy(text, full, sizeof(full));
			text[at] = bytes[b];
			refused += uapi_read(&r, text, sizeof(full) - 1, NULL) != 0;
		}
	}
	assert_true(refused > 1000);
}

static void a_second_family_is_a_second_allowed_ip(void **state)
{
	char text[UAPI_TEXT_BYTES];
	struct wg_peer p = {.address = 0x0a4d1401};
	struct wg_edit edit = {.key = &p.public_key, .put = &p};
	size_t taken;

	(void)state;
	fill(p.public_key.b, 1);
	assert_int_equal(prefix6_parse(&p.address6, "fd77::a4d:1401"), 0);
	expect_text(text, uapi_put_edits(text, &edit, 1, &taken),
		    "set=1\n"
		    "public_key=" HEX_B "\npreshared_key=" ZEROS
		    "\nreplace_allowed_ips=true\nallowed_ip=10.77.20.1/32\n"
		    "allowed_ip=fd77::a4d:1401/128\n\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(config_is_written),
		cmocka_unit_test(edits_are_written),
		cmocka_unit_test(hails_are_written),
		cmocka_unit_test(a_second_family_is_a_second_allowed_ip),
		cmocka_unit_test(long_lists_are_split),
		cmocka_unit_test(answers_are_read_in_any_pieces),
		cmocka_unit_test(allowed_ips_decide_exactness),
		cmocka_unit_test(scoped_endpoint_is_read),
		cmocka_unit_test(errors_are_read),
		cmocka_unit_test(config_alone_stops_at_the_first_peer),
		cmocka_unit_test(callback_stops_the_reading),
		cmocka_unit_test(malformed_answers_are_refused),
		cmocka_unit_test(long_lines_and_nul_are_refused),
		cmocka_unit_test(damaged_answers_do_no_harm),
	};

	return cmocka_run_group_tests_name("wg_uapi", tests, NULL, NULL);
}
