/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of the second barrier (link.h), at the head of the list and in their order. What is
 * already as it should be is left alone. Called by link_route.c only.
 */
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "common/cleanup.h"
#include "daemon/priv/iface.h"
#include "daemon/priv/link_own.h"

/* The kernel's own, of net/ipv4/fib_rules.c and net/ipv6/fib6_rules.c. */
#define PRIORITY_MAIN	 32766
#define PRIORITY_DEFAULT 32767

#define PRIORITY_GATED 1 /* behind local: the machine itself stays reachable from there */

#define COPIES_MAX 64 /* of one rule that are removed in one go */

enum rule {
	RULE_JUDGED, /* marked: our table decides */
	RULE_REST,   /* not marked: no way */
	RULE_LOCAL,  /* this machine's own addresses */
	RULE_GATED,  /* not marked, from a LAN interface: no way beyond this machine */
	RULE_MAIN,
	RULE_DEFAULT,
	RULES,
};

static const struct {
	uint32_t priority;
	uint8_t action; /* with FR_ACT_TO_TBL `table` */
	uint32_t table;
	bool iif; /* for one interface, with LINK_MARK as the mask of `mark` */
	uint32_t mark;
} rules[RULES] = {
	[RULE_JUDGED] = {0, FR_ACT_TO_TBL, LINK_TABLE, true, LINK_MARK},
	[RULE_REST] = {0, FR_ACT_UNREACHABLE, 0, true, 0},
	[RULE_LOCAL] = {0, FR_ACT_TO_TBL, RT_TABLE_LOCAL, false, 0},
	[RULE_GATED] = {PRIORITY_GATED, FR_ACT_BLACKHOLE, 0, true, 0},
	[RULE_MAIN] = {PRIORITY_MAIN, FR_ACT_TO_TBL, RT_TABLE_MAIN, false, 0},
	[RULE_DEFAULT] = {PRIORITY_DEFAULT, FR_ACT_TO_TBL, RT_TABLE_DEFAULT, false, 0},
};

/* The rules of a family as they stand. */
struct list {
	const char *interface;
	link_gated_fn gated; /* may be NULL */
	void *arg;
	unsigned count[RULES];
	bool disordered; /* one of ours stands behind another rule that should come after it */
};

/* RTM_NEWRULE or RTM_DELRULE. Returns libnl's code. */
static int rule_send_for(struct link *l, uint16_t cmd, uint8_t family, enum rule which,
			 const char *interface)
{
	struct fib_rule_hdr r = {
		.family = family,
		.table = RT_TABLE_UNSPEC,
		.action = rules[which].action,
	};
	const int once = which == RULE_GATED ? NLM_F_EXCL : 0;
	struct nl_msg *m = iface_message(cmd, cmd == RTM_NEWRULE ? NLM_F_CREATE | once : 0, 256);
	int rc = nlmsg_append(m, &r, sizeof(r), NLMSG_ALIGNTO);

	rc = rc ? rc : nla_put_u32(m, FRA_PRIORITY, rules[which].priority);
	if (rules[which].table)
		rc = rc ? rc : nla_put_u32(m, FRA_TABLE, rules[which].table);
	if (rules[which].iif) {
		rc = rc ? rc : nla_put_string(m, FRA_IIFNAME, interface);
		rc = rc ? rc : nla_put_u32(m, FRA_FWMARK, rules[which].mark);
		rc = rc ? rc : nla_put_u32(m, FRA_FWMASK, LINK_MARK);
	} else if (cmd == RTM_NEWRULE) {
		/* As the kernel's own: systemd-networkd removes all others when it starts. */
		rc = rc ? rc : nla_put_u8(m, FRA_PROTOCOL, RTPROT_KERNEL);
	}
	if (rc) {
		nlmsg_free(m);
		return rc;
	}
	return iface_talk(l->sk, m);
}

static int rule_send(struct link *l, uint16_t cmd, uint8_t family, enum rule which)
{
	return rule_send_for(l, cmd, family, which, l->interface);
}

static uint32_t number(struct nlattr *attr)
{
	return attr ? nla_get_u32(attr) : 0;
}

/* A selector that none of our rules has makes it somebody else's. */
static bool has_selector(const struct fib_rule_hdr *r, struct nlattr **tb)
{
	return r->src_len || r->dst_len || r->tos || (r->flags & FIB_RULE_INVERT) ||
	       tb[FRA_OIFNAME] || tb[FRA_L3MDEV] || tb[FRA_UID_RANGE] || tb[FRA_IP_PROTO] ||
	       tb[FRA_SPORT_RANGE] || tb[FRA_DPORT_RANGE];
}

static bool is_rule(const struct list *l, const struct fib_rule_hdr *r, struct nlattr **tb,
		    enum rule which)
{
	if (r->action != rules[which].action || number(tb[FRA_PRIORITY]) != rules[which].priority ||
	    (rules[which].table && number(tb[FRA_TABLE]) != rules[which].table))
		return false;
	if (!rules[which].iif)
		return !tb[FRA_IIFNAME] && !number(tb[FRA_FWMARK]) && !number(tb[FRA_FWMASK]);
	return tb[FRA_IIFNAME] &&
	       (which == RULE_GATED || !strcmp(nla_get_string(tb[FRA_IIFNAME]), l->interface)) &&
	       number(tb[FRA_FWMARK]) == rules[which].mark && number(tb[FRA_FWMASK]) == LINK_MARK;
}

/* nl_recvmsgs' callback, for each rule of a dump, in the kernel's order. */
static int take_rule(struct nl_msg *m, void *arg)
{
	struct list *l = arg;
	struct nlmsghdr *h = nlmsg_hdr(m);
	const struct fib_rule_hdr *r = nlmsg_data(h);
	struct nlattr *tb[FRA_MAX + 1];

	if (h->nlmsg_type != RTM_NEWRULE || nlmsg_parse(h, sizeof(*r), tb, FRA_MAX, NULL) < 0 ||
	    has_selector(r, tb))
		return NL_SKIP;
	for (enum rule which = 0; which < RULES; which++) {
		if (!is_rule(l, r, tb, which))
			continue;
		for (enum rule after = which + 1; after <= RULE_LOCAL; after++)
			l->disordered |= l->count[after] > 0;
		l->count[which]++;
		if (which == RULE_GATED && l->gated)
			l->gated(l->arg, nla_get_string(tb[FRA_IIFNAME]));
	}
	return NL_OK;
}

static int rules_read(struct link *l, uint8_t family, struct list *out, link_gated_fn fn, void *arg)
{
	struct fib_rule_hdr r = {.family = family};
	struct nl_msg *m = iface_message(RTM_GETRULE, NLM_F_DUMP, 256);
	int rc = nlmsg_append(m, &r, sizeof(r), NLMSG_ALIGNTO);

	*out = (struct list){.interface = l->interface, .gated = fn, .arg = arg};
	rc = rc ? rc : nl_send_auto(l->strict, m);
	nlmsg_free(m);
	if (rc < 0)
		return rc;
	rc = nl_socket_modify_cb(l->strict, NL_CB_VALID, NL_CB_CUSTOM, take_rule, out);
	return rc < 0 ? rc : nl_recvmsgs_default(l->strict);
}

/* Removes the first n copies: the oldest ones. */
static int rule_del(struct link *l, uint8_t family, enum rule which, unsigned n)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < n && i < COPIES_MAX; i++)
		rc = rule_send(l, RTM_DELRULE, family, which);
	return rc == -NLE_OBJ_NOTFOUND ? 0 : rc;
}

/* New copies of the three, in their order, behind whatever has priority 0; then the old ones go, of
 * which the kernel removes the first. Where `local` has been moved elsewhere it stays there. */
static int rules_put(struct link *l, uint8_t family, const struct list *have)
{
	int rc = 0;

	for (enum rule which = RULE_JUDGED; rc == 0 && which <= RULE_LOCAL; which++)
		if (which != RULE_LOCAL || have->count[which] > 0)
			rc = rule_send(l, RTM_NEWRULE, family, which);
	for (enum rule which = RULE_JUDGED; rc == 0 && which <= RULE_LOCAL; which++)
		rc = rule_del(l, family, which, have->count[which]);
	return rc;
}

static int rules_mend(struct link *l, uint8_t family, const struct list *have, bool *mended)
{
	int rc = 0;

	if (have->count[RULE_MAIN] > 0)
		return 0;
	*mended = true;
	rc = rule_send(l, RTM_NEWRULE, family, RULE_MAIN);
	/* IPv6 has no rule for the table default. */
	if (rc == 0 && family == AF_INET && have->count[RULE_DEFAULT] == 0)
		rc = rule_send(l, RTM_NEWRULE, family, RULE_DEFAULT);
	return rc;
}

int link_rules_up(struct link *l, uint8_t family, bool mend, bool *mended)
{
	struct list have;
	int rc = rules_read(l, family, &have, NULL, NULL);

	if (rc < 0)
		return rc;
	if (have.disordered || have.count[RULE_JUDGED] != 1 || have.count[RULE_REST] != 1)
		rc = rules_put(l, family, &have);
	if (rc == 0 && mend)
		rc = rules_mend(l, family, &have, mended);
	return rc;
}

int link_rules_down(struct link *l, uint8_t family)
{
	struct list have;
	int rc = rules_read(l, family, &have, NULL, NULL);

	/* The one that shuts goes last. */
	rc = rc < 0 ? rc : rule_del(l, family, RULE_JUDGED, have.count[RULE_JUDGED]);
	return rc < 0 ? rc : rule_del(l, family, RULE_REST, have.count[RULE_REST]);
}

/* ---- LAN interfaces; IPv4 only, as our forwarding is ------------------------------------------------ */

int link_gated_put(struct link *l, const char *interface, struct diag *d)
{
	int rc = rule_send_for(l, RTM_NEWRULE, AF_INET, RULE_GATED, interface);

	if (rc == 0 || rc == -NLE_EXIST)
		return 0;
	return iface_fail(d, rc, "cannot set the routing rule for %s", interface);
}

int link_gated_del(struct link *l, const char *interface, struct diag *d)
{
	int rc = rule_send_for(l, RTM_DELRULE, AF_INET, RULE_GATED, interface);

	if (rc == 0 || rc == -NLE_OBJ_NOTFOUND)
		return 0;
	return iface_fail(d, rc, "cannot remove the routing rule for %s", interface);
}

int link_gated_each(struct link *l, link_gated_fn fn, void *arg, struct diag *d)
{
	struct list have;
	int rc = rules_read(l, AF_INET, &have, fn, arg);

	return rc < 0 ? iface_fail(d, rc, "cannot list the routing rules") : 0;
}
