/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WGDEVICE messages beside the real ones in tests/golden/genl/ (made by tests/kernel/reference.py):
 * our requests mean what those of the reference, wg(8), mean for the same input, and the dumps of a
 * real kernel are read as wg(8) reads them. Run from the top folder.
 */
#include "daemon/priv/wg_genl.h"

#include <stdarg.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netlink/msg.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "tests/unit/genl_tree.h"

#define GOLDEN	      "tests/golden/genl/"
#define MESSAGE_BYTES 16384
#define PEERS	      60 /* of set_peers.hex */
#define SET_FLAGS     (NLM_F_REQUEST | NLM_F_ACK)

/* ---- golden files: a message is a line of hex -------------------------------------------------- */

union message {
	struct nlmsghdr h;
	uint8_t b[MESSAGE_BYTES];
};

typedef void (*message_fn)(void *arg, const union message *m);

static unsigned digit(char c)
{
	const char *at = strchr("0123456789abcdef", c);

	assert_non_null(at);
	return (unsigned)(at - "0123456789abcdef");
}

static void unhex(union message *m, const char *line, size_t n)
{
	assert_true(n % 2 == 0 && n / 2 <= sizeof(m->b) && n / 2 >= NLMSG_HDRLEN);
	for (size_t i = 0; i < n / 2; i++)
		m->b[i] = (uint8_t)(digit(line[2 * i]) << 4 | digit(line[2 * i + 1]));
	assert_int_equal(m->h.nlmsg_len, n / 2);
}

/* Calls fn for each message; returns how many there are. */
static unsigned golden_each(const char *path, message_fn fn, void *arg)
{
	union message *m = malloc(sizeof(*m));
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	unsigned count = 0;
	ssize_t n;

	assert_non_null(m);
	assert_non_null(f);
	while ((n = getline(&line, &room, f)) > 0) {
		unhex(m, line, (size_t)n - (line[n - 1] == '\n'));
		fn(arg, m);
		count++;
	}
	free(line);
	free(m);
	(void)fclose(f);
	return count;
}

/* ---- what is sent ---------------------------------------------------------------------------- */

/* The list of peers goes on in the next message: one tree of all, without the seams. */
#define SEAM	  "} 2:77673000 8:{" /* 2: "wg0" */
#define SEAM_SIZE (sizeof(SEAM) - 1)

static void tree_join(struct tree *t)
{
	char *at;

	while ((at = strstr(t->text, SEAM))) {
		memmove(at, at + SEAM_SIZE, strlen(at + SEAM_SIZE) + 1);
		t->n -= SEAM_SIZE;
	}
}

static void grow_golden(void *arg, const union message *m)
{
	tree_grow_message(arg, &m->h, WG_CMD_SET_DEVICE, SET_FLAGS);
}

static void grow_ours(struct tree *t, struct nl_msg *m)
{
	tree_grow_message(t, nlmsg_hdr(m), WG_CMD_SET_DEVICE, SET_FLAGS);
	wg_genl_free(m);
}

static void compare(struct tree *ours, const char *golden, unsigned messages)
{
	static struct tree theirs;

	memset(&theirs, 0, sizeof(theirs));
	assert_int_equal(golden_each(golden, grow_golden, &theirs), messages);
	tree_join(&theirs);
	tree_join(ours);
	assert_string_equal(ours->text, theirs.text);
}

static void numbered_key(uint8_t out[WG_KEY_BYTES], unsigned n, uint8_t fill)
{
	memset(out, fill, WG_KEY_BYTES);
	out[0] = (uint8_t)(n >> 8);
	out[1] = (uint8_t)n;
}

static void key_and_port(void **state)
{
	static struct tree t;
	struct wg_secret key;

	(void)state;
	memset(key.b, 0x11, sizeof(key.b));
	key.b[0] = 0x10;
	key.b[WG_KEY_BYTES - 1] = 0x51;
	grow_ours(&t, wg_genl_config(FAMILY, "wg0", &key, 51820));
	compare(&t, GOLDEN "set_config.hex", 1);
}

static void peers(void **state)
{
	static struct wg_peer peer[PEERS];
	static struct wg_edit edit[PEERS];
	static struct tree t;
	size_t taken, sum = 0;

	(void)state;
	for (unsigned n = 0; n < PEERS; n++) {
		numbered_key(peer[n].public_key.b, n, 0xaa);
		if (n % 2 == 0)
			numbered_key(peer[n].preshared.b, n, 0x55);
		peer[n].address = 0x0a4d1400 + n;
		edit[n] = (struct wg_edit){.key = &peer[n].public_key, .put = &peer[n]};
	}
	for (; sum < PEERS; sum += taken)
		grow_ours(&t, wg_genl_edits(FAMILY, "wg0", edit + sum, PEERS - sum, &taken));
	compare(&t, GOLDEN "set_peers.hex", 2);
}

static void removal(void **state)
{
	static struct tree t;
	struct wg_key key;
	struct wg_edit edit = {.key = &key};
	size_t taken;

	(void)state;
	numbered_key(key.b, 1, 0xaa);
	grow_ours(&t, wg_genl_edits(FAMILY, "wg0", &edit, 1, &taken));
	compare(&t, GOLDEN "remove_peer.hex", 1);
}

/* ---- what is read ---------------------------------------------------------------------------- */

static int show(void *arg, const struct wg_peer_state *p)
{
	char key[WG_KEY_TEXT_BYTES], psk[WG_KEY_TEXT_BYTES], ip[IP4_TEXT_BYTES];
	char endpoint[ENDPOINT_TEXT_BYTES];
	struct wg_key secret; /* a test's, with nothing to hide */

	memcpy(secret.b, p->peer.preshared.b, sizeof(secret.b));
	key_format(key, &p->peer.public_key);
	key_format(psk, &secret);
	ip4_format(ip, p->peer.address);
	endpoint_format(endpoint, &p->endpoint);
	tree_grow(arg, "%s %s %s %d %lld %llu %llu %s\n", key, psk, p->exact ? ip : "-", p->exact,
		  (long long)p->last_handshake, (unsigned long long)p->rx_bytes,
		  (unsigned long long)p->tx_bytes, p->endpoint.family ? endpoint : "-");
	return 0;
}

static void take(void *arg, const union message *m)
{
	struct diag d = {0};
	size_t head = NLMSG_HDRLEN + GENL_HDRLEN;

	if (m->h.nlmsg_type != FAMILY) {
		assert_int_equal(m->h.nlmsg_type, NLMSG_DONE);
		return;
	}
	assert_int_equal(wg_genl_read(arg, (struct nlattr *)(void *)(uintptr_t)(m->b + head),
				      (int)(m->h.nlmsg_len - head), &d),
			 0);
}

/* Reads the dump; returns how many messages it is of. */
static unsigned compare_dump(struct wg_genl_reader *r, const char *messages, const char *listing)
{
	static struct tree ours, theirs;
	unsigned count;
	FILE *f = fopen(listing, "re");

	assert_non_null(f);
	memset(&ours, 0, sizeof(ours));
	memset(&theirs, 0, sizeof(theirs));
	theirs.n = fread(theirs.text, 1, sizeof(theirs.text) - 1, f);
	(void)fclose(f);
	r->fn = show;
	r->arg = &ours;
	count = golden_each(messages, take, r);
	assert_int_equal(wg_genl_read_end(r), 0);
	assert_true(theirs.n > 0);
	assert_string_equal(ours.text, theirs.text);
	return count;
}

/* A session, an endpoint of either family, a preshared key, no and several allowed IPs. */
static void dump_of_a_few(void **state)
{
	struct wg_genl_reader r = {0};

	(void)state;
	assert_int_equal(compare_dump(&r, GOLDEN "dump_few.hex", GOLDEN "dump_few.txt"), 2);
	assert_int_equal(r.config.listen_port, 51820);
	assert_true(r.config.key.b[0] == 0x10 && r.config.key.b[WG_KEY_BYTES - 1] == 0x51);
}

/* Peers over several messages, and one whose allowed IPs go on in the next two. */
static void dump_that_continues(void **state)
{
	struct wg_genl_reader r = {0};

	(void)state;
	assert_true(compare_dump(&r, GOLDEN "dump_continued.hex", GOLDEN "dump_continued.txt") > 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_and_port),
		cmocka_unit_test(peers),
		cmocka_unit_test(removal),
		cmocka_unit_test(dump_of_a_few),
		cmocka_unit_test(dump_that_continues),
	};

	return cmocka_run_group_tests_name("wg_golden", tests, NULL, NULL);
}
