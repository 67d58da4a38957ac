/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Matches of iptables, by their structs in linux/netfilter/xt_*.h. Used by foreign_rule.c and
 * foreign_legacy.c.
 */
#include "daemon/priv/foreign_xt.h"

#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_state.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <string.h>

#include "common/cleanup.h"

static enum holds known(bool yes)
{
	return yes ? HOLDS_YES : HOLDS_NO;
}

uint32_t foreign_xt_state(const struct flow *f)
{
	return NF_CT_STATE_BIT(f->reply ? IP_CT_ESTABLISHED : IP_CT_NEW);
}

static enum holds on_comment(const struct flow *f, const void *data, size_t len)
{
	(void)f;
	(void)data;
	(void)len;
	return HOLDS_YES;
}

/* Revision 3 only adds port ranges to revision 2's beginning; what is read is the same in both.
 * `-m state` is this match under its old name (the alias flag). */
static enum holds on_conntrack(const struct flow *f, const void *data, size_t len)
{
	const struct xt_conntrack_mtinfo2 *info = data;
	uint32_t bits = foreign_xt_state(f);

	if (len < sizeof(*info))
		return HOLDS_MAYBE;
	if (info->match_flags & ~(uint32_t)(XT_CONNTRACK_STATE | XT_CONNTRACK_STATE_ALIAS))
		return HOLDS_MAYBE;
	if (!(info->match_flags & XT_CONNTRACK_STATE))
		return HOLDS_YES;
	if (f->translated)
		bits |= XT_CONNTRACK_STATE_DNAT;
	return known(((info->state_mask & bits) != 0) ^
		     ((info->invert_flags & XT_CONNTRACK_STATE) != 0));
}

static enum holds on_state(const struct flow *f, const void *data, size_t len)
{
	const struct xt_state_info *info = data;

	return len < sizeof(*info) ? HOLDS_MAYBE : known(info->statemask & foreign_xt_state(f));
}

static enum holds port_in(uint16_t port, const uint16_t range[2], bool invert)
{
	if (range[0] == 0 && range[1] == UINT16_MAX)
		return known(!invert);
	if (!port)
		return HOLDS_MAYBE;
	return known((port >= range[0] && port <= range[1]) ^ invert);
}

static enum holds both(enum holds a, enum holds b)
{
	if (a == HOLDS_NO || b == HOLDS_NO)
		return HOLDS_NO;
	return a == HOLDS_YES && b == HOLDS_YES ? HOLDS_YES : HOLDS_MAYBE;
}

static enum holds on_udp(const struct flow *f, const void *data, size_t len)
{
	const struct xt_udp *info = data;

	if (f->protocol != IPPROTO_UDP || len < sizeof(*info))
		return f->protocol != IPPROTO_UDP ? HOLDS_NO : HOLDS_MAYBE;
	return both(port_in(f->source_port, info->spts, info->invflags & XT_UDP_INV_SRCPT),
		    port_in(f->target_port, info->dpts, info->invflags & XT_UDP_INV_DSTPT));
}

static enum holds on_tcp(const struct flow *f, const void *data, size_t len)
{
	const struct xt_tcp *info = data;

	if (f->protocol != IPPROTO_TCP || len < sizeof(*info))
		return f->protocol != IPPROTO_TCP ? HOLDS_NO : HOLDS_MAYBE;
	if (info->option || info->flg_mask)
		return HOLDS_MAYBE;
	return both(port_in(f->source_port, info->spts, info->invflags & XT_TCP_INV_SRCPT),
		    port_in(f->target_port, info->dpts, info->invflags & XT_TCP_INV_DSTPT));
}

static enum holds on_multiport(const struct flow *f, const void *data, size_t len)
{
	const struct xt_multiport_v1 *info = data;
	bool found = false;

	if (len < sizeof(*info) || info->count > ARRAY_LEN(info->ports) ||
	    info->flags != XT_MULTIPORT_DESTINATION || !f->target_port)
		return HOLDS_MAYBE;
	for (unsigned i = 0; i < info->count; i++) {
		uint16_t first = info->ports[i];
		uint16_t last = first;

		if (info->pflags[i] && i + 1U < info->count)
			last = info->ports[++i];
		found |= f->target_port >= first && f->target_port <= last;
	}
	return known(found ^ (info->invert != 0));
}

/* What comes in is for this machine, what goes through is for another. */
static enum holds on_addrtype(const struct flow *f, const void *data, size_t len)
{
	const struct xt_addrtype_info_v1 *info = data;
	uint16_t here = f->hook == NF_INET_LOCAL_IN ? XT_ADDRTYPE_LOCAL : XT_ADDRTYPE_UNICAST;
	uint16_t from = f->hook == NF_INET_LOCAL_OUT ? XT_ADDRTYPE_LOCAL : XT_ADDRTYPE_UNICAST;
	bool yes = true;

	if (len < sizeof(*info))
		return HOLDS_MAYBE;
	if (info->source)
		yes &= ((info->source & from) != 0) ^
		       ((info->flags & XT_ADDRTYPE_INVERT_SOURCE) != 0);
	if (info->dest)
		yes &= ((info->dest & here) != 0) ^ ((info->flags & XT_ADDRTYPE_INVERT_DEST) != 0);
	return known(yes);
}

static const struct {
	const char *name;
	unsigned first, last; /* revisions of this form */
	enum holds (*run)(const struct flow *f, const void *data, size_t len);
} matches[] = {
	{"comment", 0, 0, on_comment},	 {"conntrack", 2, 3, on_conntrack},
	{"state", 0, 0, on_state},	 {"udp", 0, 0, on_udp},
	{"tcp", 0, 0, on_tcp},		 {"multiport", 1, 1, on_multiport},
	{"addrtype", 1, 1, on_addrtype},
};

enum holds foreign_xt_match(const struct flow *f, const char *name, unsigned revision,
			    const void *data, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(matches); i++)
		if (!strcmp(matches[i].name, name) && revision >= matches[i].first &&
		    revision <= matches[i].last)
			return matches[i].run(f, data, len);
	return HOLDS_MAYBE;
}

bool foreign_xt_refuses(const char *target)
{
	return !strcmp(target, "REJECT") || !strcmp(target, "DROP");
}
