/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The constant rules, to be read beside tests/golden/ruleset.nft. What they must hold, each against
 * somebody who tries:
 *
 * - Every packet is looked up, in both directions; there is no "established: accept" before the
 *   look-ups. A grant taken away, or timed out, stops a running stream with its next packet.
 * - A chain that must be closed ends in `drop` or in `goto refuse`, never in a policy: a base
 *   chain's drop policy takes effect only after the transaction that brings it.
 * - Packets that are neither to nor from our interface leave by the first rules, untouched.
 */
#include "daemon/priv/nft_rules.h"

#include <limits.h>
#include <netinet/tcp.h>
#include <libnftnl/chain.h>

#include "daemon/priv/link.h" /* LINK_GROUP, LINK_MARK */
#include "daemon/priv/nft_expr.h"

#include <linux/netfilter_ipv4.h>

struct rules {
	struct nft_batch *batch;
	const struct nft_shape *shape;
	const char *chain;	   /* the one that rules are being added to */
	const struct prefix6 *six; /* rules of IPv6 are being added; NULL: of IPv4, or of either */
};

static void chain_build(struct rules *r, struct nftnl_chain *c)
{
	struct nlmsghdr *nlh =
		nft_batch_message(r->batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE, NFT_NO_MARK);

	nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, NFT_TABLE);
	nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, r->chain);
	nftnl_chain_nlmsg_build_payload(nlh, c);
	nft_batch_end_message(r->batch, nlh);
	nftnl_chain_free(c);
}

/* A chain that is reached by goto. */
static void chain(struct rules *r, const char *name)
{
	r->chain = name;
	chain_build(r, nft_need(nftnl_chain_alloc()));
}

static void base_chain(struct rules *r, const char *name, const char *type, uint32_t hook,
		       int priority)
{
	struct nftnl_chain *c = nft_need(nftnl_chain_alloc());

	r->chain = name;
	nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, type);
	nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, hook);
	nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, priority);
	nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	chain_build(r, c);
}

static void rule_add(struct rules *r, const struct nft_term *terms)
{
	struct nft_rule rule = {.rule = nft_need(nftnl_rule_alloc()), .six = r->six};
	struct nlmsghdr *nlh = nft_batch_message(r->batch, NFT_MSG_NEWRULE,
						 NLM_F_CREATE | NLM_F_APPEND, NFT_NO_MARK);

	nftnl_rule_set_u32(rule.rule, NFTNL_RULE_FAMILY, NFPROTO_INET);
	nftnl_rule_set_str(rule.rule, NFTNL_RULE_TABLE, NFT_TABLE);
	nftnl_rule_set_str(rule.rule, NFTNL_RULE_CHAIN, r->chain);
	nft_rule_terms(&rule, terms);
	nftnl_rule_nlmsg_build_payload(nlh, rule.rule);
	nft_batch_end_message(r->batch, nlh);
	nftnl_rule_free(rule.rule);
}

/* Not ours, neither by its name nor by its group: an interface that was renamed is still ours. */
#define NOT_FROM(wg) IIFNAME_NOT(wg), IIFGROUP_NOT(LINK_GROUP)
#define NOT_TO(wg)   OIFNAME_NOT(wg), OIFGROUP_NOT(LINK_GROUP)

#define RULE(r, ...) rule_add(r, (const struct nft_term[]){__VA_ARGS__, {.emit = NULL}})

/* What holds in either family, once for each that the tunnel has: IPv4 first, whose packets are
 * then done, so that a second family costs them nothing. */
static void each_family(struct rules *r, void (*add)(struct rules *r))
{
	add(r);
	if (!r->shape->tunnel6.len)
		return;
	r->six = &r->shape->tunnel6;
	add(r);
	r->six = NULL;
}

static uint32_t gateway_of(const struct rules *r)
{
	return tunnel_gateway(r->shape->tunnel);
}

/* Where the page listens in this family; 0: there is none. */
static uint16_t page_of(const struct rules *r)
{
	if (!r->shape->page_port)
		return 0;
	return r->six ? r->shape->page_bound6 : r->shape->page_bound;
}

/* Answered at once, so that a phone shows an error and not a spinner. No packet is left after the
 * second rule: reject drops, whether it answers or not. */
static void refuse(struct rules *r)
{
	chain(r, "refuse");
	RULE(r, TCP, REJECT_RESET);
	RULE(r, REJECT_PROHIBITED);
}

/* What is not from the tunnel is none of from_tunnel's affair. But where printgated switched forwarding
 * on, nothing is forwarded that this table has not seen (link.h). */
static void elsewhere(struct rules *r)
{
	chain(r, "elsewhere");
	RULE(r, IIFNAME_IN("gated"), MARK_SET(LINK_MARK));
}

/* Nobody routes into the tunnel, nor to the page (the weak host model would let a LAN host reach it);
 * `lo` is this machine talking to its own tunnel address. */
static void not_into(struct rules *r)
{
	RULE(r, DADDR_IN(r->shape->tunnel), NOT_FROM(r->shape->interface), IIFNAME_NOT("lo"), DROP);
}

/* WireGuard has checked each peer's source already; this one needs no trust in it. */
static void only_peers(struct rules *r)
{
	const struct prefix4 tunnel = r->shape->tunnel;

	RULE(r, SADDR_OUTSIDE(tunnel_first_peer(tunnel), tunnel_last_peer(tunnel)), DROP);
}

static void granted(struct rules *r)
{
	const uint32_t gateway = gateway_of(r);

	if (page_of(r))
		RULE(r, DADDR(gateway), TCP_DPORT(r->shape->page_port), ACCEPT);
	RULE(r, DADDR(gateway), ICMP_TYPE(ICMP_ECHO), ACCEPT);
	RULE(r, PAIR_NOT_IN("grants", PART_SADDR, PART_DADDR),
	     PAIR_NOT_IN_SUBNETS("subnet_grants", PART_SADDR, PART_DADDR), GOTO("refuse"));
	/* No other ICMP: errors from a phone would have to be believed before connection tracking
	 * knows what they are about. */
	RULE(r, ICMP_TYPE(ICMP_ECHO), ACCEPT);
	RULE(r, SERVICE_IN("services", PART_DADDR, PORT_DESTINATION), ACCEPT);
	RULE(r, SERVICE_IN("ranges", PART_DADDR, PORT_DESTINATION), ACCEPT);
}

/* The gate. Before connection tracking, so that what is refused costs no state; after the
 * reassembly of fragments, which connection tracking brings along (a fragment without ports would
 * match no service anyway). */
static void from_tunnel(struct rules *r)
{
	base_chain(r, "from_tunnel", "filter", NF_INET_PRE_ROUTING, NF_IP_PRI_RAW);
	each_family(r, not_into);
	RULE(r, NOT_FROM(r->shape->interface), GOTO("elsewhere"));
	each_family(r, only_peers);
	/* Without it no packet from the tunnel has a way (link.h): the second barrier trusts what
	 * this table has seen only. */
	RULE(r, MARK_SET(LINK_MARK));
	each_family(r, granted);
	/* IPv6 comes here too, all of it if the tunnel has no IPv6 prefix. */
	RULE(r, GOTO("refuse"));
}

static void translated(struct rules *r)
{
	const uint32_t gateway = gateway_of(r);

	if (page_of(r))
		RULE(r, DADDR(gateway), TCP_DPORT(r->shape->page_port),
		     DNAT_TO(gateway, page_of(r)));
	RULE(r, DNAT_MAP("printers"));
	if (!r->six) /* a printer subnet is one of IPv4 */
		RULE(r, DNAT_PREFIX_MAP("subnets"));
}

/* The page listens on a port of its own, so that it does not quarrel with a web server of this
 * machine; peers ask for the usual one. */
static void to_printer(struct rules *r)
{
	base_chain(r, "to_printer", "nat", NF_INET_PRE_ROUTING, NF_IP_PRI_NAT_DST);
	RULE(r, NOT_FROM(r->shape->interface), ACCEPT);
	each_family(r, translated);
}

static void meant_for_self(struct rules *r)
{
	const uint32_t gateway = gateway_of(r);

	RULE(r, DADDR(gateway), CT_ORIGINAL_DADDR(gateway), ACCEPT);
	RULE(r, PAIR_IN("targets", PART_CT_ORIGINAL_DADDR, PART_CT_REPLY_SADDR), ACCEPT);
}

/* What comes out of the tunnel and stays on this machine: page and ping by the tunnel address itself; `self`, which
 * leads to that address, and an address of this machine that was added as a printer by itself. A
 * printer subnet usually holds the gateway's own LAN address, and always the LAN's broadcast address:
 * neither is a printer. */
static void to_self(struct rules *r)
{
	base_chain(r, "to_self", "filter", NF_INET_LOCAL_IN, NF_IP_PRI_FILTER);
	RULE(r, NOT_FROM(r->shape->interface), ACCEPT);
	each_family(r, meant_for_self);
	RULE(r, GOTO("refuse"));
}

/* Address translation asks its map once per connection and lets pass what it cannot track. So what
 * leaves the tunnel for elsewhere is looked up again, packet by packet: an old connection must not
 * lead to the printer that had this VPN address before, nor an address without a printer, nor an
 * untracked packet, anywhere.
 *
 * What is from elsewhere: where printgated switched forwarding on, it did so for the tunnel; this
 * machine becomes nobody else's router. IPv6 forwarding is never ours, so it is not ours to forbid; and
 * no IPv6 of the tunnel's goes elsewhere, whatever this machine forwards. */
static void forwarding(struct rules *r, const char *wg)
{
	chain(r, "others");
	RULE(r, IPV4, IIFNAME_IN("gated"), NOT_TO(wg), DROP);
	RULE(r, OIFNAME(wg), TCP_FLAG(TH_SYN), CLAMP_MSS);

	base_chain(r, "transit", "filter", NF_INET_FORWARD, NF_IP_PRI_MANGLE);
	RULE(r, NOT_FROM(wg), GOTO("others"));
	RULE(r, PAIR_IN("targets", PART_CT_ORIGINAL_DADDR, PART_CT_REPLY_SADDR), ACCEPT);
	RULE(r, PAIR_IN("subnet_targets", PART_CT_ORIGINAL_DADDR, PART_CT_REPLY_SADDR), ACCEPT);
	RULE(r, GOTO("refuse"));

	base_chain(r, "as_gateway", "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC);
	RULE(r, IIFNAME(wg), OIFNAME_NOT(wg), MASQUERADE);
}

static void own_refusals(struct rules *r)
{
	RULE(r, MADE_HERE, ICMP_TYPE(ICMP_DEST_UNREACH), ACCEPT);
}

/* Into the tunnel, without being part of an established connection: only our own refusals, and
 * errors about what is granted. `related` alone would also admit connections that a tracking helper
 * (FTP) expects, from the printer to the phone. By IPv6 a phone reaches this machine only, whose
 * errors are our own. */
static void unasked(struct rules *r)
{
	chain(r, "unasked");
	RULE(r, MADE_HERE, TCP_FLAG(TH_RST), ACCEPT);
	each_family(r, own_refusals);
	RULE(r, CT_RELATED, ICMP_TYPE(ICMP_DEST_UNREACH),
	     PAIR_IN("grants", PART_DADDR, PART_CT_ORIGINAL_DADDR), ACCEPT);
	RULE(r, CT_RELATED, ICMP_TYPE(ICMP_DEST_UNREACH),
	     PAIR_IN("subnet_grants", PART_DADDR, PART_CT_ORIGINAL_DADDR), ACCEPT);
	RULE(r, DROP);
}

/* While the interface has no address, or is down, the default route would take what is for phones,
 * and nothing would encrypt it. */
static void not_elsewhere(struct rules *r)
{
	RULE(r, DADDR_IN(r->shape->tunnel), NOT_TO(r->shape->interface), OIFNAME_NOT("lo"), DROP);
}

static void answers(struct rules *r)
{
	const uint32_t gateway = gateway_of(r);

	if (page_of(r))
		RULE(r, SADDR(gateway), TCP_SPORT(r->shape->page_port), ACCEPT);
	RULE(r, SADDR(gateway), ICMP_TYPE(ICMP_ECHOREPLY), ACCEPT);
	RULE(r, PAIR_NOT_IN("grants", PART_DADDR, PART_SADDR),
	     PAIR_NOT_IN_SUBNETS("subnet_grants", PART_DADDR, PART_SADDR), DROP);
	RULE(r, PAIR_NOT_IN("targets", PART_CT_ORIGINAL_DADDR, PART_CT_REPLY_SADDR),
	     PAIR_NOT_IN_SUBNETS("subnet_targets", PART_CT_ORIGINAL_DADDR, PART_CT_REPLY_SADDR),
	     DROP);
	RULE(r, ICMP_TYPE(ICMP_ECHOREPLY), ACCEPT);
	RULE(r, SERVICE_IN("services", PART_SADDR, PORT_SOURCE), ACCEPT);
	RULE(r, SERVICE_IN("ranges", PART_SADDR, PORT_SOURCE), ACCEPT);
}

/* The way back, after all translation: addresses are as the phone sees them. Replies only, and each
 * is looked up as its request was. */
static void to_tunnel(struct rules *r)
{
	base_chain(r, "to_tunnel", "filter", NF_INET_POST_ROUTING, 300);
	each_family(r, not_elsewhere);
	RULE(r, NOT_TO(r->shape->interface), ACCEPT);
	RULE(r, CT_NOT_ESTABLISHED, GOTO("unasked"));
	RULE(r, CT_DIRECTION_ORIGINAL, DROP);
	each_family(r, answers);
	RULE(r, DROP);
}

/* WireGuard tells nobody of a handshake. So its two handshake messages are reported by NFLOG, only
 * that they came, and whoever sent them: printgated then looks which peer it was. Anybody can send
 * such a datagram, hence the limit. It judges nothing. */
static void handshakes(struct rules *r, const char *wg)
{
	base_chain(r, "handshakes", "filter", NF_INET_LOCAL_IN, NF_IP_PRI_FILTER);
	RULE(r, NOT_FROM(wg), UDP_DPORT(r->shape->listen_port), WG_HANDSHAKE, LIMIT_PER_SECOND(5),
	     LOG_GROUP(NFT_LOG_GROUP));
}

void nft_rules_add(struct nft_batch *b, const struct nft_shape *shape)
{
	struct rules r = {.batch = b, .shape = shape};
	const char *wg = shape->interface;

	refuse(&r);
	elsewhere(&r);
	from_tunnel(&r);
	to_printer(&r);
	to_self(&r);
	forwarding(&r, wg);
	unasked(&r);
	to_tunnel(&r);
	handshakes(&r, wg);
}
