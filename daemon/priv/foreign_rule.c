/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The expressions of nftables, with registers whose words are known or not. Only reads: netlink's
 * messages are built by libnftnl and answered by the kernel. Called by foreign.c for each rule.
 */
#include "daemon/priv/foreign_rule.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <libnftnl/expr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "daemon/priv/foreign_set.h"
#include "daemon/priv/foreign_xt.h"

#define WORD	  4
#define HEAD_IP	  20 /* RFC 791, without options */
#define HEAD_PORT 4  /* both ports, of TCP and UDP alike */

struct run {
	struct mnl_socket *socket;
	struct nftnl_rule *rule;
	const struct flow *flow;
	struct foreign_regs regs;
	struct foreign_ruling ruling;
};

enum step { STEP_NEXT, STEP_NO }; /* the rule goes on, or does not match */

static void load(struct run *r, uint32_t reg, const void *value, size_t len)
{
	size_t at = foreign_reg(reg);

	if (at + (len + WORD - 1) / WORD > FOREIGN_REG_WORDS)
		return;
	memset(r->regs.bytes + at * WORD, 0, (len + WORD - 1) / WORD * WORD);
	memcpy(r->regs.bytes + at * WORD, value, len);
	for (size_t i = 0; i < (len + WORD - 1) / WORD; i++)
		r->regs.known[at + i] = true;
}

static void forget(struct run *r, uint32_t reg, size_t len)
{
	for (size_t i = foreign_reg(reg); len && i < FOREIGN_REG_WORDS; i++) {
		r->regs.known[i] = false;
		len -= len < WORD ? len : WORD;
	}
}

static uint32_t get(const struct nftnl_expr *e, uint16_t what)
{
	return nftnl_expr_is_set(e, what) ? nftnl_expr_get_u32(e, what) : 0;
}

static enum step on_meta(struct run *r, const struct nftnl_expr *e)
{
	const struct flow *f = r->flow;
	uint32_t reg = get(e, NFTNL_EXPR_META_DREG), key = get(e, NFTNL_EXPR_META_KEY), index;
	static const uint8_t ip4 = NFPROTO_IPV4, unicast = 0;

	if (!nftnl_expr_is_set(e, NFTNL_EXPR_META_DREG))
		return STEP_NEXT; /* it sets a mark or the like */
	switch (key) {
	case NFT_META_IIFNAME:
	case NFT_META_OIFNAME:
		load(r, reg, key == NFT_META_IIFNAME ? f->in : f->out, IFNAMSIZ);
		break;
	case NFT_META_IIF:
	case NFT_META_OIF:
		index = if_nametoindex(key == NFT_META_IIF ? f->in : f->out);
		load(r, reg, &index, sizeof(index));
		break;
	case NFT_META_NFPROTO:
		load(r, reg, &ip4, sizeof(ip4));
		break;
	case NFT_META_L4PROTO:
		load(r, reg, &f->protocol, sizeof(f->protocol));
		break;
	case NFT_META_PKTTYPE:
		load(r, reg, &unicast, sizeof(unicast));
		break;
	default:
		forget(r, reg, IFNAMSIZ);
	}
	return STEP_NEXT;
}

/* The headers as they would be, and which of their bytes are known. */
static void headers(const struct flow *f, uint8_t *bytes, bool *is, uint32_t base)
{
	const uint32_t from = htonl(f->source), to = htonl(f->destination);
	const uint16_t ports[] = {htons(f->source_port), htons(f->target_port)};

	if (base == NFT_PAYLOAD_TRANSPORT_HEADER) {
		memcpy(bytes, ports, sizeof(ports));
		is[0] = is[1] = f->source_port != 0;
		is[2] = is[3] = f->target_port != 0;
		return;
	}
	bytes[9] = f->protocol;
	memcpy(bytes + 12, &from, sizeof(from));
	memcpy(bytes + 16, &to, sizeof(to));
	is[6] = is[7] = is[9] = true; /* no fragment */
	for (unsigned i = 0; i < 4; i++) {
		is[12 + i] = f->source != 0;
		is[16 + i] = f->destination != 0;
	}
}

static enum step on_payload(struct run *r, const struct nftnl_expr *e)
{
	uint32_t reg = get(e, NFTNL_EXPR_PAYLOAD_DREG), base = get(e, NFTNL_EXPR_PAYLOAD_BASE);
	uint32_t offset = get(e, NFTNL_EXPR_PAYLOAD_OFFSET), len = get(e, NFTNL_EXPR_PAYLOAD_LEN);
	uint8_t bytes[HEAD_IP] = {0};
	bool is[HEAD_IP] = {false}, all = true;
	size_t room = base == NFT_PAYLOAD_NETWORK_HEADER ? HEAD_IP : HEAD_PORT;

	forget(r, reg, len);
	if ((base != NFT_PAYLOAD_NETWORK_HEADER && base != NFT_PAYLOAD_TRANSPORT_HEADER) ||
	    offset > room || len > room - offset)
		return STEP_NEXT;
	headers(r->flow, bytes, is, base);
	for (uint32_t i = offset; i < offset + len; i++)
		all &= is[i];
	if (all)
		load(r, reg, bytes + offset, len);
	return STEP_NEXT;
}

static enum step on_ct(struct run *r, const struct nftnl_expr *e)
{
	const struct flow *f = r->flow;
	uint32_t reg = get(e, NFTNL_EXPR_CT_DREG), value;
	uint8_t direction = f->reply;

	if (!nftnl_expr_is_set(e, NFTNL_EXPR_CT_DREG))
		return STEP_NEXT;
	switch (get(e, NFTNL_EXPR_CT_KEY)) {
	case NFT_CT_STATE:
		value = foreign_xt_state(f);
		load(r, reg, &value, sizeof(value));
		break;
	case NFT_CT_STATUS:
		value = (f->reply ? IPS_SEEN_REPLY | IPS_CONFIRMED : 0) |
			(f->translated ? IPS_DST_NAT | IPS_DST_NAT_DONE : 0);
		load(r, reg, &value, sizeof(value));
		break;
	case NFT_CT_DIRECTION:
		load(r, reg, &direction, sizeof(direction));
		break;
	default:
		forget(r, reg, IFNAMSIZ);
	}
	return STEP_NEXT;
}

static enum step on_fib(struct run *r, const struct nftnl_expr *e)
{
	uint32_t type = r->flow->hook == NF_INET_LOCAL_IN ? RTN_LOCAL : RTN_UNICAST;
	uint32_t reg = get(e, NFTNL_EXPR_FIB_DREG);

	if (get(e, NFTNL_EXPR_FIB_RESULT) == NFT_FIB_RESULT_ADDRTYPE &&
	    get(e, NFTNL_EXPR_FIB_FLAGS) & NFTA_FIB_F_DADDR)
		load(r, reg, &type, sizeof(type));
	else
		forget(r, reg, IFNAMSIZ);
	return STEP_NEXT;
}

static bool compares(uint32_t op, int order)
{
	switch (op) {
	case NFT_CMP_EQ:
		return order == 0;
	case NFT_CMP_NEQ:
		return order != 0;
	case NFT_CMP_LT:
		return order < 0;
	case NFT_CMP_LTE:
		return order <= 0;
	case NFT_CMP_GT:
		return order > 0;
	default:
		return order >= 0;
	}
}

static enum step on_cmp(struct run *r, const struct nftnl_expr *e)
{
	uint32_t len = 0;
	const void *data = nftnl_expr_get(e, NFTNL_EXPR_CMP_DATA, &len);
	const uint8_t *have = foreign_reg_bytes(&r->regs, get(e, NFTNL_EXPR_CMP_SREG), len);

	if (!have || !data)
		return STEP_NO;
	return compares(get(e, NFTNL_EXPR_CMP_OP), memcmp(have, data, len)) ? STEP_NEXT : STEP_NO;
}

static enum step on_range(struct run *r, const struct nftnl_expr *e)
{
	uint32_t from_len = 0, to_len = 0;
	const void *from = nftnl_expr_get(e, NFTNL_EXPR_RANGE_FROM_DATA, &from_len);
	const void *to = nftnl_expr_get(e, NFTNL_EXPR_RANGE_TO_DATA, &to_len);
	const uint8_t *have = foreign_reg_bytes(&r->regs, get(e, NFTNL_EXPR_RANGE_SREG), from_len);
	bool in;

	if (!have || !from || !to || from_len != to_len)
		return STEP_NO;
	in = memcmp(have, from, from_len) >= 0 && memcmp(have, to, to_len) <= 0;
	return in == (get(e, NFTNL_EXPR_RANGE_OP) == NFT_RANGE_EQ) ? STEP_NEXT : STEP_NO;
}

static enum step on_bitwise(struct run *r, const struct nftnl_expr *e)
{
	uint32_t len = get(e, NFTNL_EXPR_BITWISE_LEN), mask_len = 0, xor_len = 0;
	uint32_t reg = get(e, NFTNL_EXPR_BITWISE_DREG);
	const uint8_t *have = foreign_reg_bytes(&r->regs, get(e, NFTNL_EXPR_BITWISE_SREG), len);
	const uint8_t *mask = nftnl_expr_get(e, NFTNL_EXPR_BITWISE_MASK, &mask_len);
	const uint8_t *flip = nftnl_expr_get(e, NFTNL_EXPR_BITWISE_XOR, &xor_len);
	uint8_t out[FOREIGN_REG_WORDS * WORD];

	if (!have || !mask || !flip || mask_len != len || xor_len != len) {
		forget(r, reg, len);
		return STEP_NEXT;
	}
	for (uint32_t i = 0; i < len; i++)
		out[i] = (have[i] & mask[i]) ^ flip[i];
	load(r, reg, out, len);
	return STEP_NEXT;
}

static void rule_on(struct run *r, uint32_t verdict, const char *chain)
{
	switch ((int)verdict) {
	case NF_ACCEPT:
		r->ruling.verdict = FOREIGN_ACCEPT;
		break;
	case NF_DROP:
		r->ruling.verdict = FOREIGN_DROP;
		break;
	case NFT_RETURN:
		r->ruling.verdict = FOREIGN_RETURN;
		break;
	case NFT_JUMP:
	case NFT_GOTO:
		r->ruling.verdict = (int)verdict == NFT_JUMP ? FOREIGN_JUMP : FOREIGN_GOTO;
		(void)snprintf(r->ruling.chain, sizeof(r->ruling.chain), "%s", chain ? chain : "");
		break;
	default: /* continue */
		break;
	}
}

static enum step on_immediate(struct run *r, const struct nftnl_expr *e)
{
	uint32_t reg = get(e, NFTNL_EXPR_IMM_DREG), len = 0;
	const void *data;

	if (reg == NFT_REG_VERDICT) {
		rule_on(r, get(e, NFTNL_EXPR_IMM_VERDICT),
			nftnl_expr_get_str(e, NFTNL_EXPR_IMM_CHAIN));
		return STEP_NEXT;
	}
	data = nftnl_expr_get(e, NFTNL_EXPR_IMM_DATA, &len);
	if (data)
		load(r, reg, data, len);
	return STEP_NEXT;
}

static enum step on_lookup(struct run *r, const struct nftnl_expr *e)
{
	struct foreign_elem found;
	struct foreign_set_name set = {
		.family = nftnl_rule_get_u32(r->rule, NFTNL_RULE_FAMILY),
		.table = nftnl_rule_get_str(r->rule, NFTNL_RULE_TABLE),
		.name = nftnl_expr_get_str(e, NFTNL_EXPR_LOOKUP_SET),
	};
	enum holds in =
		foreign_set_ask(r->socket, &set, &r->regs, get(e, NFTNL_EXPR_LOOKUP_SREG), &found);
	bool invert = get(e, NFTNL_EXPR_LOOKUP_FLAGS) & NFT_LOOKUP_F_INV;

	if (in == HOLDS_MAYBE || (in == HOLDS_YES) == invert)
		return STEP_NO;
	if (!nftnl_expr_is_set(e, NFTNL_EXPR_LOOKUP_DREG))
		return STEP_NEXT;
	if (get(e, NFTNL_EXPR_LOOKUP_DREG) == NFT_REG_VERDICT)
		rule_on(r, found.verdict, found.chain);
	else
		load(r, get(e, NFTNL_EXPR_LOOKUP_DREG), found.data, found.len);
	return STEP_NEXT;
}

static enum step on_match(struct run *r, const struct nftnl_expr *e)
{
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_MT_NAME);
	uint32_t len = 0;
	const void *info = nftnl_expr_get(e, NFTNL_EXPR_MT_INFO, &len);

	if (!name || !info)
		return STEP_NO;
	return foreign_xt_match(r->flow, name, get(e, NFTNL_EXPR_MT_REV), info, len) == HOLDS_YES
		       ? STEP_NEXT
		       : STEP_NO;
}

static enum step on_target(struct run *r, const struct nftnl_expr *e)
{
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_TG_NAME);

	if (name && foreign_xt_refuses(name))
		r->ruling.verdict = FOREIGN_DROP;
	return STEP_NEXT;
}

static enum step on_reject(struct run *r, const struct nftnl_expr *e)
{
	(void)e;
	r->ruling.verdict = FOREIGN_DROP;
	return STEP_NEXT;
}

static enum step on_note(struct run *r, const struct nftnl_expr *e)
{
	(void)r;
	(void)e;
	return STEP_NEXT;
}

/* What is not here depends on what nobody knows beforehand: the rule counts as not matching. */
static const struct {
	const char *name;
	enum step (*run)(struct run *r, const struct nftnl_expr *e);
} kinds[] = {
	{"meta", on_meta},	 {"payload", on_payload}, {"ct", on_ct},
	{"fib", on_fib},	 {"cmp", on_cmp},	  {"range", on_range},
	{"bitwise", on_bitwise}, {"lookup", on_lookup},	  {"immediate", on_immediate},
	{"match", on_match},	 {"target", on_target},	  {"reject", on_reject},
	{"counter", on_note},	 {"log", on_note},	  {"notrack", on_note},
};

static enum step apply(struct run *r, const struct nftnl_expr *e)
{
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return kinds[i].run(r, e);
	return STEP_NO;
}

struct foreign_ruling foreign_rule_apply(struct mnl_socket *socket, struct nftnl_rule *rule,
					 const struct flow *f)
{
	struct run r = {.socket = socket, .rule = rule, .flow = f};
	struct nftnl_expr_iter *it = nftnl_expr_iter_create(rule);
	struct nftnl_expr *e;
	enum step step = STEP_NEXT;

	while (it && step == STEP_NEXT && r.ruling.verdict == FOREIGN_ON &&
	       (e = nftnl_expr_iter_next(it)))
		step = apply(&r, e);
	if (it)
		nftnl_expr_iter_destroy(it);
	return r.ruling;
}
