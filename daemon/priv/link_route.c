/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy routing, the second barrier (link.h): the routes of our table. What is already as it should
 * be is left alone, so nothing is announced that did not change. The rules are link_rule.c's. Called
 * by printgated only.
 */
#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "common/cleanup.h"
#include "common/mem.h"
#include "daemon/priv/iface.h"
#include "daemon/priv/link_own.h"

#define METRIC	   1024	 /* of our routes, in both families (IPv6's own default) */
#define ROUTES_MAX 65536 /* in our table; a dump beyond it is refused */

static const uint8_t families[] = {AF_INET, AF_INET6};

/* A route of our table. */
struct entry {
	uint8_t family;
	uint8_t type;	  /* RTN_THROW, RTN_UNREACHABLE */
	uint8_t len;	  /* of the destination's prefix */
	uint8_t addr[16]; /* network order */
	uint32_t metric;
};

struct table {
	struct entry *item;
	size_t n, cap;
};

/* A kernel without IPv6 needs no barrier for it. */
static bool no_such_family(uint8_t family, int rc)
{
	return family == AF_INET6 && (rc == -NLE_AF_NOSUPPORT || rc == -NLE_OPNOTSUPP);
}

/* ---- routes ---------------------------------------------------------------------------------- */

static struct entry target_entry(struct prefix4 target, uint8_t type)
{
	struct entry e = {
		.family = AF_INET,
		.type = type,
		.len = target.len,
		.metric = METRIC,
	};
	uint32_t raw = htonl(target.addr);

	memcpy(e.addr, &raw, sizeof(raw));
	return e;
}

static struct entry target6_entry(const struct prefix6 *target)
{
	struct entry e = {
		.family = AF_INET6,
		.type = RTN_THROW,
		.len = target->len,
		.metric = METRIC,
	};

	memcpy(e.addr, target->addr, sizeof(e.addr));
	return e;
}

static struct entry default_entry(uint8_t family)
{
	return (struct entry){.family = family, .type = RTN_UNREACHABLE, .metric = METRIC};
}

/* RTM_NEWROUTE or RTM_DELROUTE of one entry. Returns libnl's code. */
static int route_send(struct link *l, uint16_t cmd, int flags, const struct entry *e)
{
	struct rtmsg r = {
		.rtm_family = e->family,
		.rtm_dst_len = e->len,
		.rtm_table = RT_TABLE_UNSPEC,
		.rtm_protocol = cmd == RTM_NEWROUTE ? RTPROT_STATIC : RTPROT_UNSPEC,
		.rtm_scope = cmd == RTM_NEWROUTE ? RT_SCOPE_UNIVERSE : RT_SCOPE_NOWHERE,
		.rtm_type = e->type,
	};
	struct nl_msg *m = iface_message(cmd, flags, 256);
	int rc = nlmsg_append(m, &r, sizeof(r), NLMSG_ALIGNTO);

	rc = rc ? rc : nla_put_u32(m, RTA_TABLE, LINK_TABLE);
	rc = rc ? rc : nla_put_u32(m, RTA_PRIORITY, e->metric);
	if (e->len)
		rc = rc ? rc : nla_put(m, RTA_DST, e->family == AF_INET ? 4 : 16, e->addr);
	if (rc) {
		nlmsg_free(m);
		return rc;
	}
	return iface_talk(l->sk, m);
}

static int route_put(struct link *l, const struct entry *e, struct diag *d)
{
	int rc = route_send(l, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, e);

	if (rc == 0 || rc == -NLE_EXIST || no_such_family(e->family, rc))
		return 0;
	return iface_fail(d, rc, "cannot set a route of table %d", LINK_TABLE);
}

static int route_del(struct link *l, const struct entry *e, struct diag *d)
{
	int rc = route_send(l, RTM_DELROUTE, 0, e);

	if (rc == 0 || rc == -NLE_OBJ_NOTFOUND || no_such_family(e->family, rc))
		return 0;
	return iface_fail(d, rc, "cannot remove a route of table %d", LINK_TABLE);
}

/* ---- the table as it is ---------------------------------------------------------------------- */

/* nl_recvmsgs' callback, for each route of a dump. */
static int take_route(struct nl_msg *m, void *arg)
{
	struct table *t = arg;
	struct nlmsghdr *h = nlmsg_hdr(m);
	struct rtmsg *r = nlmsg_data(h);
	struct nlattr *tb[RTA_MAX + 1];
	struct entry e = {0};

	if (h->nlmsg_type != RTM_NEWROUTE || nlmsg_parse(h, sizeof(*r), tb, RTA_MAX, NULL) < 0)
		return NL_SKIP;
	if (!tb[RTA_TABLE] || nla_get_u32(tb[RTA_TABLE]) != LINK_TABLE || t->n >= ROUTES_MAX)
		return NL_SKIP;
	e.family = r->rtm_family;
	e.type = r->rtm_type;
	e.len = r->rtm_dst_len;
	if (tb[RTA_PRIORITY])
		e.metric = nla_get_u32(tb[RTA_PRIORITY]);
	if (tb[RTA_DST])
		(void)nla_memcpy(e.addr, tb[RTA_DST], sizeof(e.addr));
	t->item = mem_grow(t->item, &t->cap, t->n + 1, sizeof(*t->item));
	t->item[t->n++] = e;
	return NL_OK;
}

static int dump_family(struct link *l, uint8_t family, struct table *t)
{
	struct rtmsg r = {.rtm_family = family};
	struct nl_msg *m = iface_message(RTM_GETROUTE, NLM_F_DUMP, 256);
	int rc = nlmsg_append(m, &r, sizeof(r), NLMSG_ALIGNTO);

	rc = rc ? rc : nla_put_u32(m, RTA_TABLE, LINK_TABLE);
	rc = rc ? rc : nl_send_auto(l->strict, m);
	nlmsg_free(m);
	if (rc < 0)
		return rc;
	rc = nl_socket_modify_cb(l->strict, NL_CB_VALID, NL_CB_CUSTOM, take_route, t);
	return rc < 0 ? rc : nl_recvmsgs_default(l->strict);
}

/* The kernel answers the dump of a table that has never been used with ENOENT. */
static int table_read(struct link *l, struct table *t, struct diag *d)
{
	for (unsigned i = 0; i < ARRAY_LEN(families); i++) {
		int rc = dump_family(l, families[i], t);

		if (rc < 0 && rc != -NLE_OBJ_NOTFOUND && !no_such_family(families[i], rc))
			return iface_fail(d, rc, "cannot list the routes of table %d", LINK_TABLE);
	}
	return 0;
}

static int by_entry(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;
	int c = memcmp(x->addr, y->addr, sizeof(x->addr));

	if (c == 0)
		c = (int)x->len - (int)y->len;
	if (c == 0)
		c = (int)x->family - (int)y->family;
	if (c == 0)
		c = (int)x->type - (int)y->type;
	return c ? c : (x->metric > y->metric) - (x->metric < y->metric);
}

/* One walk along both, sorted: routes that are too many are removed, missing ones set. */
static int table_equal(struct link *l, struct table *want, struct table *have, struct diag *d)
{
	size_t h = 0, w = 0;
	int rc = 0;

	if (want->n)
		qsort(want->item, want->n, sizeof(*want->item), by_entry);
	if (have->n)
		qsort(have->item, have->n, sizeof(*have->item), by_entry);
	while (rc == 0 && (h < have->n || w < want->n)) {
		int c = h == have->n   ? 1
			: w == want->n ? -1
				       : by_entry(&have->item[h], &want->item[w]);

		if (c < 0)
			rc = route_del(l, &have->item[h], d);
		else if (c > 0)
			rc = route_put(l, &want->item[w], d);
		h += c <= 0;
		w += c >= 0;
	}
	return rc;
}

static void want(struct table *t, struct entry e)
{
	t->item = mem_grow(t->item, &t->cap, t->n + 1, sizeof(*t->item));
	t->item[t->n++] = e;
}

int link_targets_sync(struct link *l, const struct prefix4 *through, size_t n,
		      const struct prefix4 *shut, size_t m, const struct prefix6 *six,
		      struct diag *d)
{
	struct table wanted = {0}, have = {0};
	int rc;

	for (unsigned i = 0; i < ARRAY_LEN(families); i++)
		want(&wanted, default_entry(families[i]));
	for (size_t i = 0; i < n; i++)
		want(&wanted, target_entry(through[i], RTN_THROW));
	for (size_t i = 0; i < m; i++)
		want(&wanted, target_entry(shut[i], RTN_PROHIBIT));
	if (six->len)
		want(&wanted, target6_entry(six));
	rc = table_read(l, &have, d);
	rc = rc ? rc : table_equal(l, &wanted, &have, d);
	free(wanted.item);
	free(have.item);
	return rc;
}

/* ---- the barrier ----------------------------------------------------------------------------- */

/* The default comes first: from the rules on, the table decides. */
int link_barrier_up(struct link *l, bool mend, bool *mended, struct diag *d)
{
	*mended = false;
	for (unsigned i = 0; i < ARRAY_LEN(families); i++) {
		struct entry e = default_entry(families[i]);
		int rc = route_put(l, &e, d);

		if (rc)
			return rc;
		rc = link_rules_up(l, families[i], mend, mended);
		if (rc < 0 && !no_such_family(families[i], rc))
			return iface_fail(d, rc, "cannot set the routing rules for %s",
					  l->interface);
	}
	return 0;
}

int link_barrier_down(struct link *l, struct diag *d)
{
	struct table none = {0}, have = {0};
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < ARRAY_LEN(families); i++) {
		rc = link_rules_down(l, families[i]);
		if (no_such_family(families[i], rc))
			rc = 0;
	}
	if (rc)
		return iface_fail(d, rc, "cannot remove the routing rules for %s", l->interface);
	rc = table_read(l, &have, d);
	rc = rc ? rc : table_equal(l, &none, &have, d);
	free(have.item);
	return rc;
}
