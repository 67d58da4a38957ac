/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Terms of nftables rules: the few that nft_rules.c needs, named so that a list of them reads like
 * the line that nft(8) prints. A term becomes one or more expressions; what it takes for granted
 * (the family, the transport protocol) is tested before it, once in a rule. Addresses and ports are
 * given in host byte order.
 *
 * The same terms make rules of either family. All addresses in rules are tunnel addresses; a rule of
 * IPv6 has those that follow from them (inet6.h), sets and maps with a "6" behind their names, and
 * the ICMPv6 types that mean the same.
 */
#pragma once

#include <netinet/in.h> /* the C library's before the kernel's */
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <libnftnl/rule.h>
#include <netinet/ip_icmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/inet6.h"

/* libnftnl's objects: out of memory is fatal, as in mem.h. */
static inline void *nft_need(void *object)
{
	if (!object)
		abort();
	return object;
}

struct nft_rule {
	struct nftnl_rule *rule;
	const struct prefix6 *six; /* the tunnel's prefix in a rule of IPv6, NULL: one of IPv4 */
	bool is_family;		   /* tested already: the rule's family */
	uint8_t is_protocol;	   /* tested already: this transport protocol; 0: none */
};

struct nft_term {
	void (*emit)(struct nft_rule *r, const struct nft_term *t);
	const char *name; /* interface, set or chain */
	uint32_t a, b, c; /* what they mean is emit's business */
};

/* Appends the expressions of a list of terms that ends with an empty one. */
void nft_rule_terms(struct nft_rule *r, const struct nft_term *terms);

/* Parts of a key that is looked up in a set. */
enum nft_part { PART_SADDR, PART_DADDR, PART_CT_ORIGINAL_DADDR, PART_CT_REPLY_SADDR };
enum nft_port { PORT_SOURCE, PORT_DESTINATION }; /* its offset in the header is twice that */

void nft_emit_ifname(struct nft_rule *r, const struct nft_term *t);
void nft_emit_ifname_in(struct nft_rule *r, const struct nft_term *t);
void nft_emit_group(struct nft_rule *r, const struct nft_term *t);
void nft_emit_mark_set(struct nft_rule *r, const struct nft_term *t);
void nft_emit_meta(struct nft_rule *r, const struct nft_term *t);
void nft_emit_addr(struct nft_rule *r, const struct nft_term *t);
void nft_emit_addr_in(struct nft_rule *r, const struct nft_term *t);
void nft_emit_saddr_outside(struct nft_rule *r, const struct nft_term *t);
void nft_emit_port(struct nft_rule *r, const struct nft_term *t);
void nft_emit_icmp_type(struct nft_rule *r, const struct nft_term *t);
void nft_emit_tcp_flag(struct nft_rule *r, const struct nft_term *t);
void nft_emit_ct_state(struct nft_rule *r, const struct nft_term *t);
void nft_emit_ct_direction(struct nft_rule *r, const struct nft_term *t);
void nft_emit_pair(struct nft_rule *r, const struct nft_term *t);
void nft_emit_pair_of_ip4(struct nft_rule *r, const struct nft_term *t);
void nft_emit_service(struct nft_rule *r, const struct nft_term *t);
void nft_emit_verdict(struct nft_rule *r, const struct nft_term *t);
void nft_emit_reject(struct nft_rule *r, const struct nft_term *t);
void nft_emit_dnat(struct nft_rule *r, const struct nft_term *t);
void nft_emit_dnat_map(struct nft_rule *r, const struct nft_term *t);
void nft_emit_masquerade(struct nft_rule *r, const struct nft_term *t);
void nft_emit_wg_handshake(struct nft_rule *r, const struct nft_term *t);
void nft_emit_limit(struct nft_rule *r, const struct nft_term *t);
void nft_emit_counter(struct nft_rule *r, const struct nft_term *t);
void nft_emit_log(struct nft_rule *r, const struct nft_term *t);
void nft_emit_clamp(struct nft_rule *r, const struct nft_term *t);

/* clang-format off */
#define TERM(fn, n, x, y, z)	{ .emit = nft_emit_##fn, .name = (n), .a = (x), .b = (y), .c = (z) }

/* Matches. */
#define IIFNAME(n)		TERM(ifname, n, NFT_META_IIFNAME, NFT_CMP_EQ, 0)
#define IIFNAME_NOT(n)		TERM(ifname, n, NFT_META_IIFNAME, NFT_CMP_NEQ, 0)
#define OIFNAME(n)		TERM(ifname, n, NFT_META_OIFNAME, NFT_CMP_EQ, 0)
#define OIFNAME_NOT(n)		TERM(ifname, n, NFT_META_OIFNAME, NFT_CMP_NEQ, 0)
#define IIFGROUP_NOT(v)		TERM(group, NULL, NFT_META_IIFGROUP, v, 0)
#define OIFGROUP_NOT(v)		TERM(group, NULL, NFT_META_OIFGROUP, v, 0)
#define IIFNAME_IN(set)		TERM(ifname_in, set, NFT_META_IIFNAME, 0, 0)
#define MADE_HERE		TERM(meta, NULL, NFT_META_IIF, 0, 4)
#define IPV4			TERM(meta, NULL, NFT_META_NFPROTO, NFPROTO_IPV4, 1)
#define TCP			TERM(meta, NULL, NFT_META_L4PROTO, IPPROTO_TCP, 1)
#define SADDR(v)		TERM(addr, NULL, PART_SADDR, v, 0)
#define DADDR(v)		TERM(addr, NULL, PART_DADDR, v, 0)
#define CT_ORIGINAL_DADDR(v)	TERM(addr, NULL, PART_CT_ORIGINAL_DADDR, v, 0)
#define DADDR_IN(prefix)	TERM(addr_in, NULL, PART_DADDR, (prefix).addr, prefix4_mask((prefix).len))
#define SADDR_OUTSIDE(from, to)	TERM(saddr_outside, NULL, from, to, 0)
#define TCP_DPORT(v)		TERM(port, NULL, PORT_DESTINATION, IPPROTO_TCP, v)
#define TCP_SPORT(v)		TERM(port, NULL, PORT_SOURCE, IPPROTO_TCP, v)
#define UDP_DPORT(v)		TERM(port, NULL, PORT_DESTINATION, IPPROTO_UDP, v)
#define WG_HANDSHAKE		TERM(wg_handshake, NULL, 1, 2, 0)
#define TCP_FLAG(flag)		TERM(tcp_flag, NULL, flag, 0, 0)
#define ICMP_TYPE(type)		TERM(icmp_type, NULL, type, 0, 0)
#define CT_RELATED		TERM(ct_state, NULL, NF_CT_STATE_BIT(IP_CT_RELATED), true, 0)
#define CT_NOT_ESTABLISHED	TERM(ct_state, NULL, NF_CT_STATE_BIT(IP_CT_ESTABLISHED), false, 0)
#define CT_DIRECTION_ORIGINAL	TERM(ct_direction, NULL, IP_CT_DIR_ORIGINAL, 0, 0)
/* Of printer subnets, which IPv6 has none of: no test in a rule of IPv6. */
#define PAIR_NOT_IN_SUBNETS(set, p, q) TERM(pair_of_ip4, set, p, q, NFT_LOOKUP_F_INV)
#define PAIR_IN(set, p, q)	TERM(pair, set, p, q, 0)
#define PAIR_NOT_IN(set, p, q)	TERM(pair, set, p, q, NFT_LOOKUP_F_INV)
#define SERVICE_IN(set, p, port) TERM(service, set, p, port, 0)

/* What is done. */
#define LIMIT_PER_SECOND(n)	TERM(limit, NULL, n, 0, 0)
#define COUNTER			TERM(counter, NULL, 0, 0, 0)
#define LOG_GROUP(group)	TERM(log, NULL, group, 0, 0)
#define MARK_SET(bits)		TERM(mark_set, NULL, bits, 0, 0)
#define ACCEPT			TERM(verdict, NULL, NF_ACCEPT, 0, 0)
#define DROP			TERM(verdict, NULL, NF_DROP, 0, 0)
#define GOTO(chain)		TERM(verdict, chain, (uint32_t)NFT_GOTO, 0, 0)
#define REJECT_RESET		TERM(reject, NULL, NFT_REJECT_TCP_RST, 0, 0)
#define REJECT_PROHIBITED	TERM(reject, NULL, NFT_REJECT_ICMPX_UNREACH, NFT_REJECT_ICMPX_ADMIN_PROHIBITED, 0)
#define DNAT_TO(addr, port)	TERM(dnat, NULL, addr, port, 0)
#define DNAT_MAP(map)		TERM(dnat_map, map, false, 0, 0)
#define DNAT_PREFIX_MAP(map)	TERM(dnat_map, map, true, 0, 0)
#define MASQUERADE		TERM(masquerade, NULL, 0, 0, 0)
#define CLAMP_MSS		TERM(clamp, NULL, 0, 0, 0)
/* clang-format on */
