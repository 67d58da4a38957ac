/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WGDEVICE messages: what we send is compared as a tree (genl_tree.h); what we read is built by hand.
 * Against the reference and the real kernel: test_wg_golden.c.
 */
#include "daemon/priv/wg_genl.h"

#include <arpa/inet.h>
#include <linux/time_types.h>
#include <linux/wireguard.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netlink/attr.h>
#include <netlink/msg.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "tests/unit/genl_tree.h"

static void fill(uint8_t out[WG_KEY_BYTES], uint8_t first)
{
	memset(out, first, WG_KEY_BYTES);
}

/* ---- the tree of a message ------------------------------------------------------------------- */

static struct tree tree_of(struct nl_msg *m, unsigned cmd, unsigned flags)
{
	struct tree t = {.n = 0};

	tree_grow_message(&t, nlmsg_hdr(m), cmd, flags);
	return t;
}

#define SET_FLAGS (NLM_F_REQUEST | NLM_F_ACK)
#define IFNAME	  "2:77673000 " /* "wg0" */

static void config_messages(void **state)
{
	struct wg_secret key;
	struct nl_msg *m;
	struct tree t;
	uint16_t port = 51820;
	char expected[128];

	(void)state;
	fill(key.b, 0x11);
	m = wg_genl_config(FAMILY, "wg0", &key, port);
	t = tree_of(m, WG_CMD_SET_DEVICE, SET_FLAGS);
	(void)snprintf(expected, sizeof(expected), IFNAME "3:11*32 6:%02x%02x ",
		       ((uint8_t *)&port)[0], ((uint8_t *)&port)[1]);
	assert_string_equal(t.text, expected);
	wg_genl_free(m);

	m = wg_genl_config(FAMILY, "wg0", NULL, 0);
	t = tree_of(m, WG_CMD_SET_DEVICE, SET_FLAGS);
	assert_string_equal(t.text, IFNAME);
	wg_genl_free(m);
}

static void get_and_empty_messages(void **state)
{
	struct nl_msg *m = wg_genl_get(FAMILY, "wg0");
	struct tree t = tree_of(m, WG_CMD_GET_DEVICE, NLM_F_REQUEST | NLM_F_DUMP);

	(void)state;
	assert_string_equal(t.text, IFNAME);
	wg_genl_free(m);
	m = wg_genl_empty(FAMILY, "wg0");
	t = tree_of(m, WG_CMD_SET_DEVICE, SET_FLAGS);
	assert_string_equal(t.text, IFNAME "5:01000000 "); /* REPLACE_PEERS, no peers */
	wg_genl_free(m);
}

static void edit_messages(void **state)
{
	struct wg_peer a = {.address = 0x0a4d1401}, b = {.address = 0x0a4d1402};
	struct wg_edit list[3];
	struct nl_msg *m;
	struct tree t;
	size_t taken;

	(void)state;
	fill(a.public_key.b, 0xaa);
	fill(a.preshared.b, 0x55);
	fill(b.public_key.b, 0xbb);
	list[0] = (struct wg_edit){.key = &b.public_key};
	list[1] = (struct wg_edit){.key = &a.public_key, .put = &a};
	list[2] = (struct wg_edit){.key = &b.public_key, .put = &b};
	m = wg_genl_edits(FAMILY, "wg0", list, 3, &taken);
	assert_int_equal(taken, 3);
	t = tree_of(m, WG_CMD_SET_DEVICE, SET_FLAGS);
	assert_string_equal(t.text, IFNAME
			    "8:{"
			    "0:{1:bb*32 3:01000000 } " /* REMOVE_ME */
			    "0:{1:aa*32 2:55*32 3:02000000 9:{0:{1:0200 2:0a4d1401 3:20 } } } "
			    "0:{1:bb*32 2:00*32 3:02000000 9:{0:{1:0200 2:0a4d1402 3:20 } } } "
			    "} ");
	wg_genl_free(m);
}

/* UPDATE_ONLY: a peer that is gone does not come back. */
static void hail_messages(void **state)
{
	static const struct wg_hail off;
	struct wg_hail four = {.keepalive = 1}, six = {.keepalive = 0x0101};
	struct wg_key a, b;
	struct wg_edit list[] = {
		{.key = &a, .hail = &four}, {.key = &b, .hail = &six}, {.key = &a, .hail = &off}};
	struct nl_msg *m;
	struct tree t;
	size_t taken;

	(void)state;
	fill(a.b, 0xaa);
	fill(b.b, 0xbb);
	four.endpoint = (struct endpoint){.family = 4, .addr = {192, 0, 2, 7}, .port = 0x1234};
	six.endpoint = (struct endpoint){.family = 6, .addr = {0x20, 1, [15] = 9}, .port = 0x1234};
	m = wg_genl_edits(FAMILY, "wg0", list, ARRAY_LEN(list), &taken);
	assert_int_equal(taken, ARRAY_LEN(list));
	t = tree_of(m, WG_CMD_SET_DEVICE, SET_FLAGS);
	assert_string_equal(t.text, IFNAME
			    "8:{"
			    "0:{1:aa*32 3:04000000 4:02001234c00002070000000000000000 5:0100 } "
			    "0:{1:bb*32 3:04000000 4:0a00123400000000"
			    "2001000000000000000000000000000900000000 5:0101 } "
			    "0:{1:aa*32 3:04000000 5:0000 } "
			    "} ");
	wg_genl_free(m);
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

static void long_lists_are_split(void **state)
{
	static struct wg_edit list[1000];
	struct wg_peer p = {.address = 0x0a4d1401};
	struct wg_hail hail = {.keepalive = UINT16_MAX, .endpoint = {.family = 6}};
	unsigned messages = 0;
	size_t taken, sum = 0;

	(void)state;
	fill(p.public_key.b, 0xaa);
	for (unsigned i = 0; i < ARRAY_LEN(list); i++)
		list[i] = i % 2 ? (struct wg_edit){.key = &p.public_key, .put = &p}
				: (struct wg_edit){.key = &p.public_key, .hail = &hail};
	for (; sum < ARRAY_LEN(list); sum += taken, messages++) {
		struct nl_msg *m =
			wg_genl_edits(FAMILY, "wg0", list + sum, ARRAY_LEN(list) - sum, &taken);
		struct tree t = tree_of(m, WG_CMD_SET_DEVICE, SET_FLAGS);

		assert_true(taken > 0);
		assert_true(nlmsg_hdr(m)->nlmsg_len <= WG_GENL_BYTES);
		assert_int_equal(count(t.text, "1:aa*32"), taken);
		assert_int_equal(count(t.text, "8:{"), 1); /* of two the kernel heeds the last */
		wg_genl_free(m);
	}
	assert_int_equal(sum, ARRAY_LEN(list));
	assert_true(messages > 10 && messages < 30);
}

/* ---- reading --------------------------------------------------------------------------------- */

struct seen {
	struct wg_peer_state peer[8];
	unsigned n;
};

static int see(void *arg, const struct wg_peer_state *p)
{
	struct seen *s = arg;

	assert_true(s->n < ARRAY_LEN(s->peer));
	s->peer[s->n++] = *p;
	return 0;
}

/* A dump's attributes, in the order in which the kernel puts them. */
struct dump {
	struct nl_msg *m;
	struct nlattr *peers, *peer, *ips;
};

static void must(int rc)
{
	assert_true(rc >= 0);
}

static void dump_begin(struct dump *x)
{
	memset(x, 0, sizeof(*x));
	x->m = nlmsg_alloc_size(8192);
	assert_non_null(x->m);
	must(nla_put_string(x->m, WGDEVICE_A_IFNAME, "wg0"));
}

static void peer_begin(struct dump *x, uint8_t key)
{
	uint8_t b[WG_KEY_BYTES];

	if (!x->peers)
		x->peers = nla_nest_start(x->m, WGDEVICE_A_PEERS);
	x->peer = nla_nest_start(x->m, 0);
	fill(b, key);
	must(nla_put(x->m, WGPEER_A_PUBLIC_KEY, sizeof(b), b));
}

static void allowed(struct dump *x, const char *ip, uint8_t len)
{
	uint8_t raw[16];
	int family = strchr(ip, ':') ? AF_INET6 : AF_INET;
	struct nlattr *one;

	if (!x->ips)
		x->ips = nla_nest_start(x->m, WGPEER_A_ALLOWEDIPS);
	one = nla_nest_start(x->m, 0);
	assert_int_equal(inet_pton(family, ip, raw), 1);
	must(nla_put_u16(x->m, WGALLOWEDIP_A_FAMILY, (uint16_t)family));
	must(nla_put(x->m, WGALLOWEDIP_A_IPADDR, family == AF_INET ? 4 : 16, raw));
	must(nla_put_u8(x->m, WGALLOWEDIP_A_CIDR_MASK, len));
	must(nla_nest_end(x->m, one));
}

static void peer_done(struct dump *x)
{
	if (x->ips)
		must(nla_nest_end(x->m, x->ips));
	must(nla_nest_end(x->m, x->peer));
	x->ips = x->peer = NULL;
}

static int dump_read(struct dump *x, struct wg_genl_reader *r)
{
	int rc;

	if (x->peers)
		must(nla_nest_end(x->m, x->peers));
	rc = wg_genl_read(r, nlmsg_data(nlmsg_hdr(x->m)), nlmsg_datalen(nlmsg_hdr(x->m)), NULL);
	nlmsg_free(x->m);
	return rc;
}

static void device_and_peer_are_read(void **state)
{
	struct seen s = {0};
	struct wg_genl_reader r = {.fn = see, .arg = &s};
	struct __kernel_timespec t = {.tv_sec = 1700000000, .tv_nsec = 5};
	struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = htons(4500)};
	uint8_t secret[WG_KEY_BYTES];
	struct dump x;
	char text[ENDPOINT_TEXT_BYTES];

	(void)state;
	fill(secret, 0x77);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::7", &at.sin6_addr), 1);
	dump_begin(&x);
	must(nla_put(x.m, WGDEVICE_A_PRIVATE_KEY, sizeof(secret), secret));
	must(nla_put_u16(x.m, WGDEVICE_A_LISTEN_PORT, 51820));
	peer_begin(&x, 0xaa);
	must(nla_put(x.m, WGPEER_A_PRESHARED_KEY, sizeof(secret), secret));
	must(nla_put(x.m, WGPEER_A_ENDPOINT, sizeof(at), &at));
	must(nla_put(x.m, WGPEER_A_LAST_HANDSHAKE_TIME, sizeof(t), &t));
	must(nla_put_u16(x.m, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, 25));
	must(nla_put_u64(x.m, WGPEER_A_RX_BYTES, UINT64_MAX));
	must(nla_put_u64(x.m, WGPEER_A_TX_BYTES, 5));
	allowed(&x, "10.77.20.1", 32);
	peer_done(&x);
	assert_int_equal(dump_read(&x, &r), 0);
	assert_int_equal(s.n, 0); /* it may go on in the next message */
	assert_int_equal(wg_genl_read_end(&r), 0);
	assert_int_equal(s.n, 1);
	assert_memory_equal(r.config.key.b, secret, sizeof(secret));
	assert_int_equal(r.config.listen_port, 51820);
	assert_memory_equal(s.peer[0].peer.preshared.b, secret, sizeof(secret));
	assert_int_equal(s.peer[0].peer.address, 0x0a4d1401);
	assert_true(s.peer[0].exact);
	assert_int_equal(s.peer[0].last_handshake, 1700000000);
	assert_true(s.peer[0].rx_bytes == UINT64_MAX && s.peer[0].tx_bytes == 5);
	assert_int_equal(s.peer[0].keepalive, 25);
	endpoint_format(text, &s.peer[0].endpoint);
	assert_string_equal(text, "[2001:db8::7]:4500");
}

/* A peer whose allowed IPs did not fit goes on in the next message, with its key only. */
static void peers_are_joined(void **state)
{
	struct seen s = {0};
	struct wg_genl_reader r = {.fn = see, .arg = &s};
	struct dump x;

	(void)state;
	dump_begin(&x);
	peer_begin(&x, 0xaa);
	allowed(&x, "10.77.20.1", 32);
	peer_done(&x);
	peer_begin(&x, 0xbb);
	must(nla_put_u64(x.m, WGPEER_A_RX_BYTES, 9));
	allowed(&x, "10.77.20.2", 32);
	peer_done(&x);
	assert_int_equal(dump_read(&x, &r), 0);
	dump_begin(&x);
	peer_begin(&x, 0xbb);
	allowed(&x, "10.77.20.3", 32);
	peer_done(&x);
	peer_begin(&x, 0xcc);
	peer_done(&x);
	assert_int_equal(dump_read(&x, &r), 0);
	assert_int_equal(wg_genl_read_end(&r), 0);

	assert_int_equal(s.n, 3);
	assert_true(s.peer[0].exact);
	assert_int_equal(s.peer[1].peer.public_key.b[0], 0xbb);
	assert_int_equal(s.peer[1].rx_bytes, 9);
	assert_false(s.peer[1].exact);
	assert_false(s.peer[2].exact); /* no allowed IP at all */
	assert_int_equal(s.peer[2].rx_bytes, 0);
}

static void other_allowed_ips_are_not_exact(void **state)
{
	static const struct {
		const char *ip;
		uint8_t len;
	} cases[] = {{"10.77.20.0", 24}, {"0.0.0.0", 0}, {"2001:db8::1", 128}, {"::", 32}};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct seen s = {0};
		struct wg_genl_reader r = {.fn = see, .arg = &s};
		struct dump x;

		dump_begin(&x);
		peer_begin(&x, 0xaa);
		allowed(&x, cases[i].ip, cases[i].len);
		peer_done(&x);
		assert_int_equal(dump_read(&x, &r), 0);
		assert_int_equal(wg_genl_read_end(&r), 0);
		assert_false(s.peer[0].exact);
	}
}

static void short_attributes_are_refused(void **state)
{
	static const struct {
		int type;
		int len;
	} cases[] = {
		{WGPEER_A_PRESHARED_KEY, 31},
		{WGPEER_A_PRESHARED_KEY, 33},
		{WGPEER_A_ENDPOINT, 15},
		{WGPEER_A_LAST_HANDSHAKE_TIME, 15},
		{WGPEER_A_RX_BYTES, 4},
		{WGPEER_A_TX_BYTES, 4},
		{WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, 1},
	};
	uint8_t zero[64] = {0};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct wg_genl_reader r = {0};
		struct dump x;

		dump_begin(&x);
		peer_begin(&x, 0xaa);
		must(nla_put(x.m, cases[i].type, cases[i].len, zero));
		peer_done(&x);
		assert_int_equal(dump_read(&x, &r), ERR_PROTOCOL);
	}
}

static void nameless_peers_are_refused(void **state)
{
	struct wg_genl_reader r = {0};
	struct dump x;

	(void)state;
	dump_begin(&x);
	x.peers = nla_nest_start(x.m, WGDEVICE_A_PEERS);
	x.peer = nla_nest_start(x.m, 0);
	must(nla_put_u64(x.m, WGPEER_A_RX_BYTES, 9));
	peer_done(&x);
	assert_int_equal(dump_read(&x, &r), ERR_PROTOCOL);
}

static int sane(void *arg, const struct wg_peer_state *p)
{
	unsigned *n = arg;

	assert_true(p->endpoint.family == 0 || p->endpoint.family == 4 || p->endpoint.family == 6);
	assert_true(p->last_handshake >= 0);
	(*n)++;
	return 0;
}

/* Single damaged bytes: every outcome is allowed but one outside the buffers (the sanitizer run) or
 * a peer that breaks its type. */
static void damaged_dumps_do_no_harm(void **state)
{
	static const uint8_t bytes[] = {0, 1, 2, 4, 0x7f, 0x80, 0xff};
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(4500)};
	struct dump x;
	uint8_t *copy, *good;
	unsigned refused = 0, peers = 0;
	size_t n;

	(void)state;
	dump_begin(&x);
	peer_begin(&x, 0xaa);
	must(nla_put(x.m, WGPEER_A_ENDPOINT, sizeof(at), &at));
	allowed(&x, "10.77.20.1", 32);
	allowed(&x, "2001:db8::1", 128);
	peer_done(&x);
	must(nla_nest_end(x.m, x.peers));
	good = nlmsg_data(nlmsg_hdr(x.m));
	n = (size_t)nlmsg_datalen(nlmsg_hdr(x.m));
	copy = malloc(n); /* of exactly this size: reading beyond it is seen */
	assert_non_null(copy);
	for (size_t at_byte = 0; at_byte < n; at_byte++) {
		for (unsigned b = 0; b < ARRAY_LEN(bytes); b++) {
			struct wg_genl_reader r = {.fn = sane, .arg = &peers};

			memcpy(copy, good, n);
			copy[at_byte] = bytes[b];
			if (wg_genl_read(&r, (struct nlattr *)(void *)copy, (int)n, NULL))
				refused++;
			else
				assert_int_equal(wg_genl_read_end(&r), 0);
		}
	}
	free(copy);
	nlmsg_free(x.m);
	assert_true(refused > 50);
	assert_true(peers > 500);
}

static void a_second_family_is_a_second_allowed_ip(void **state)
{
	struct wg_peer a = {.address = 0x0a4d1401};
	struct wg_edit edit = {.key = &a.public_key, .put = &a};
	struct nl_msg *m;
	struct tree t;
	size_t taken;

	(void)state;
	fill(a.public_key.b, 0xaa);
	assert_int_equal(prefix6_parse(&a.address6, "fd77::a4d:1401"), 0);
	m = wg_genl_edits(FAMILY, "wg0", &edit, 1, &taken);
	t = tree_of(m, WG_CMD_SET_DEVICE, SET_FLAGS);
	assert_string_equal(t.text,
			    IFNAME "8:{0:{1:aa*32 2:00*32 3:02000000 9:{"
				   "0:{1:0200 2:0a4d1401 3:20 } "
				   "0:{1:0a00 2:fd77000000000000000000000a4d1401 3:80 } } } } ");
	wg_genl_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(config_messages),
		cmocka_unit_test(get_and_empty_messages),
		cmocka_unit_test(edit_messages),
		cmocka_unit_test(hail_messages),
		cmocka_unit_test(a_second_family_is_a_second_allowed_ip),
		cmocka_unit_test(long_lists_are_split),
		cmocka_unit_test(device_and_peer_are_read),
		cmocka_unit_test(peers_are_joined),
		cmocka_unit_test(other_allowed_ips_are_not_exact),
		cmocka_unit_test(short_attributes_are_refused),
		cmocka_unit_test(nameless_peers_are_refused),
		cmocka_unit_test(damaged_dumps_do_no_harm),
	};

	return cmocka_run_group_tests_name("wg_genl", tests, NULL, NULL);
}
