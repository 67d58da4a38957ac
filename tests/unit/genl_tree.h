/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A WGDEVICE message as a tree in text, made by a second, independent reader of attributes (from
 * linux/netlink.h alone): "TYPE:VALUE " for each attribute, values in hex, "{…}" around a nest.
 */
#pragma once

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/wireguard.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define FAMILY	      29
#define TREE_BYTES    65536
#define TREE_TYPE_MAX 15

struct tree {
	char text[TREE_BYTES];
	size_t n;
};

static inline void __attribute__((format(printf, 2, 3)))
tree_grow(struct tree *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	t->n += (size_t)vsnprintf(t->text + t->n, sizeof(t->text) - t->n, fmt, ap);
	va_end(ap);
	assert_true(t->n < sizeof(t->text));
}

static inline void tree_hex(struct tree *t, const uint8_t *p, size_t n)
{
	if (n == 32 && memcmp(p, p + 1, 31) == 0) { /* a key made up for a test */
		tree_grow(t, "%02x*32", p[0]);
		return;
	}
	for (size_t i = 0; i < n; i++)
		tree_grow(t, "%02x", p[i]);
}

/* level: 0 the device, 1 the list of peers, 2 a peer, 3 the list of allowed IPs, 4 one. */
static inline bool tree_is_nest(unsigned level, unsigned type)
{
	return level == 1 || level == 3 || (level == 0 && type == WGDEVICE_A_PEERS) ||
	       (level == 2 && type == WGPEER_A_ALLOWEDIPS);
}

static inline void tree_walk(struct tree *t, const uint8_t *p, size_t n, unsigned level);

static inline void tree_one(struct tree *t, const uint8_t *p, const struct nlattr *a,
			    unsigned level)
{
	unsigned type = a->nla_type & NLA_TYPE_MASK;
	size_t n = a->nla_len - (size_t)NLA_HDRLEN;

	tree_grow(t, "%u:", type);
	if (tree_is_nest(level, type)) {
		tree_grow(t, "{");
		tree_walk(t, p + NLA_HDRLEN, n, level + 1);
		tree_grow(t, "}");
	} else {
		tree_hex(t, p + NLA_HDRLEN, n);
	}
	tree_grow(t, " ");
}

/* The attributes of one type, or (type < 0) all. */
static inline void tree_pass(struct tree *t, const uint8_t *p, size_t n, unsigned level, int type)
{
	while (n >= NLA_HDRLEN) {
		struct nlattr a;
		size_t step;

		memcpy(&a, p, sizeof(a));
		assert_true(a.nla_len >= NLA_HDRLEN && a.nla_len <= n);
		assert_true((a.nla_type & NLA_TYPE_MASK) <= TREE_TYPE_MAX);
		if (type < 0 || (a.nla_type & NLA_TYPE_MASK) == type)
			tree_one(t, p, &a, level);
		step = NLA_ALIGN(a.nla_len);
		p += step < n ? step : n;
		n -= step < n ? step : n;
	}
	assert_int_equal(n, 0);
}

/* The order of a list's elements counts. That of named attributes does not, the kernel takes them by
 * their names: they are told in the order of their types. */
static inline void tree_walk(struct tree *t, const uint8_t *p, size_t n, unsigned level)
{
	if (level == 1 || level == 3) {
		tree_pass(t, p, n, level, -1);
		return;
	}
	for (int type = 0; type <= TREE_TYPE_MAX; type++)
		tree_pass(t, p, n, level, type);
}

/* Of a whole message; its headers must be these. */
static inline void tree_grow_message(struct tree *t, const struct nlmsghdr *h, unsigned cmd,
				     unsigned flags)
{
	struct genlmsghdr g;

	memcpy(&g, (const uint8_t *)h + NLMSG_HDRLEN, sizeof(g));
	assert_int_equal(h->nlmsg_type, FAMILY);
	assert_int_equal(h->nlmsg_flags, flags);
	assert_int_equal(g.cmd, cmd);
	assert_int_equal(g.version, WG_GENL_VERSION);
	tree_walk(t, (const uint8_t *)h + NLMSG_HDRLEN + GENL_HDRLEN,
		  h->nlmsg_len - (size_t)NLMSG_HDRLEN - GENL_HDRLEN, 0);
}
