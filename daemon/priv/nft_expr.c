/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the terms of nft_expr.h to the kernel's expressions. Knows how nftables computes, not what is
 * allowed: that is nft_rules.c. Registers: 1 and 2 are sixteen bytes wide, and each is four small
 * ones (32_00 to 32_07), where the parts of a key stand one behind the other.
 */
#include "daemon/priv/nft_expr.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <libnftnl/expr.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define NFT_NAME_BYTES 32 /* more than our longest name of a set */

#define REG_KEY	   NFT_REG_1
#define REG_SECOND NFT_REG_2

/* What follows an address in a key. */
static uint32_t reg_after(const struct nft_rule *r, unsigned nth)
{
	return (r->six ? NFT_REG32_04 : NFT_REG32_01) + nth;
}

static struct nftnl_expr *expr_add(struct nft_rule *r, const char *kind)
{
	struct nftnl_expr *e = nft_need(nftnl_expr_alloc(kind));

	nftnl_rule_add_expr(r->rule, e);
	return e;
}

static void load_meta(struct nft_rule *r, uint32_t key, uint32_t reg)
{
	struct nftnl_expr *e = expr_add(r, "meta");

	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, reg);
}

static void load_payload(struct nft_rule *r, uint32_t base, size_t offset, size_t len, uint32_t reg)
{
	struct nftnl_expr *e = expr_add(r, "payload");

	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, (uint32_t)offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, (uint32_t)len);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, reg);
}

static void load_ct(struct nft_rule *r, uint32_t key, int direction, uint32_t reg)
{
	struct nftnl_expr *e = expr_add(r, "ct");

	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, key);
	if (direction >= 0)
		nftnl_expr_set_u8(e, NFTNL_EXPR_CT_DIR, (uint8_t)direction);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, reg);
}

static void load_immediate(struct nft_rule *r, uint32_t reg, const void *value, uint32_t len)
{
	struct nftnl_expr *e = expr_add(r, "immediate");

	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, reg);
	nftnl_expr_set(e, NFTNL_EXPR_IMM_DATA, value, len);
}

static void compare(struct nft_rule *r, uint32_t op, const void *value, uint32_t len)
{
	struct nftnl_expr *e = expr_add(r, "cmp");

	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, REG_KEY);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, op);
	nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, value, len);
}

static void mask(struct nft_rule *r, const void *bits, uint32_t len)
{
	static const uint8_t zero[IP6_BYTES];
	struct nftnl_expr *e = expr_add(r, "bitwise");

	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, REG_KEY);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, REG_KEY);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, len);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, bits, len);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, zero, len);
}

static void to_network_order(struct nft_rule *r, uint32_t len)
{
	struct nftnl_expr *e = expr_add(r, "byteorder");

	nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_SREG, REG_KEY);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_DREG, REG_KEY);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_LEN, len);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_SIZE, len);
}

static struct nftnl_expr *lookup(struct nft_rule *r, const char *set)
{
	struct nftnl_expr *e = expr_add(r, "lookup");
	char name[NFT_NAME_BYTES];

	(void)snprintf(name, sizeof(name), "%s%s", set, r->six ? "6" : "");
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, REG_KEY);
	nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, name);
	return e;
}

static uint8_t family(const struct nft_rule *r)
{
	return r->six ? NFPROTO_IPV6 : NFPROTO_IPV4;
}

/* The table is of family inet: what follows holds for packets of one family only. */
static void want_family(struct nft_rule *r)
{
	const uint8_t wanted = family(r);

	if (r->is_family)
		return;
	load_meta(r, NFT_META_NFPROTO, REG_KEY);
	compare(r, NFT_CMP_EQ, &wanted, sizeof(wanted));
	r->is_family = true;
}

/* A tunnel address, or the mask of a prefix of such, in the rule's family and network order. */
struct value {
	uint8_t bytes[IP6_BYTES];
	uint32_t len;
};

static struct value address_value(const struct nft_rule *r, uint32_t addr)
{
	const uint32_t raw = htonl(addr);
	struct value v = {.len = sizeof(raw)};

	memcpy(v.bytes, &raw, sizeof(raw));
	if (r->six) {
		v.len = IP6_BYTES;
		memcpy(v.bytes, tunnel6_host(r->six, addr).addr, IP6_BYTES);
	}
	return v;
}

static struct value mask_value(const struct nft_rule *r, uint32_t bits)
{
	struct value v = address_value(r, bits);

	if (r->six)
		memset(v.bytes, 0xff, IP6_BYTES - sizeof(bits));
	return v;
}

static void want_protocol(struct nft_rule *r, uint8_t protocol)
{
	if (r->is_protocol == protocol)
		return;
	load_meta(r, NFT_META_L4PROTO, REG_KEY);
	compare(r, NFT_CMP_EQ, &protocol, sizeof(protocol));
	r->is_protocol = protocol;
}

static void load_address(struct nft_rule *r, size_t ip4, size_t ip6, uint32_t reg)
{
	load_payload(r, NFT_PAYLOAD_NETWORK_HEADER, r->six ? ip6 : ip4, r->six ? IP6_BYTES : 4,
		     reg);
}

/* The family is tested by the caller: the test needs the key's register. (Of a connection of the
 * other family the kernel finds no such address, and the rule does not match.) */
static void load_part(struct nft_rule *r, uint32_t part, uint32_t reg)
{
	switch ((enum nft_part)part) {
	case PART_SADDR:
		load_address(r, offsetof(struct iphdr, saddr), offsetof(struct ip6_hdr, ip6_src),
			     reg);
		break;
	case PART_DADDR:
		load_address(r, offsetof(struct iphdr, daddr), offsetof(struct ip6_hdr, ip6_dst),
			     reg);
		break;
	case PART_CT_ORIGINAL_DADDR:
		load_ct(r, r->six ? NFT_CT_DST_IP6 : NFT_CT_DST_IP, IP_CT_DIR_ORIGINAL, reg);
		break;
	case PART_CT_REPLY_SADDR:
		load_ct(r, r->six ? NFT_CT_SRC_IP6 : NFT_CT_SRC_IP, IP_CT_DIR_REPLY, reg);
		break;
	}
}

static bool in_header(uint32_t part)
{
	return part == PART_SADDR || part == PART_DADDR;
}

void nft_rule_terms(struct nft_rule *r, const struct nft_term *terms)
{
	for (; terms->emit; terms++)
		terms->emit(r, terms);
}

void nft_emit_ifname(struct nft_rule *r, const struct nft_term *t)
{
	char name[IFNAMSIZ] = "";

	memcpy(name, t->name, strnlen(t->name, sizeof(name) - 1));
	load_meta(r, t->a, REG_KEY);
	compare(r, t->b, name, sizeof(name));
}

void nft_emit_ifname_in(struct nft_rule *r, const struct nft_term *t)
{
	load_meta(r, t->a, REG_KEY);
	(void)lookup(r, t->name);
}

void nft_emit_group(struct nft_rule *r, const struct nft_term *t)
{
	load_meta(r, t->a, REG_KEY);
	compare(r, NFT_CMP_NEQ, &t->b, sizeof(t->b));
}

/* Sets these bits of the packet's mark and keeps the others: (mark & ~bits) ^ bits. */
void nft_emit_mark_set(struct nft_rule *r, const struct nft_term *t)
{
	const uint32_t others = ~t->a;
	struct nftnl_expr *e;

	load_meta(r, NFT_META_MARK, REG_KEY);
	e = expr_add(r, "bitwise");
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, REG_KEY);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, REG_KEY);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, sizeof(others));
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, &others, sizeof(others));
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, &t->a, sizeof(t->a));
	e = expr_add(r, "meta");
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, NFT_META_MARK);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_SREG, REG_KEY);
}

void nft_emit_meta(struct nft_rule *r, const struct nft_term *t)
{
	uint8_t byte = (uint8_t)t->b;

	load_meta(r, t->a, REG_KEY);
	compare(r, NFT_CMP_EQ, t->c == 1 ? (const void *)&byte : &t->b, t->c);
	if (t->a == NFT_META_NFPROTO)
		r->is_family = true;
}

void nft_emit_addr(struct nft_rule *r, const struct nft_term *t)
{
	const struct value addr = address_value(r, t->b);

	if (in_header(t->a))
		want_family(r);
	load_part(r, t->a, REG_KEY);
	compare(r, NFT_CMP_EQ, addr.bytes, addr.len);
}

void nft_emit_addr_in(struct nft_rule *r, const struct nft_term *t)
{
	const struct value addr = address_value(r, t->b), bits = mask_value(r, t->c);

	want_family(r);
	load_part(r, t->a, REG_KEY);
	mask(r, bits.bytes, bits.len);
	compare(r, NFT_CMP_EQ, addr.bytes, addr.len);
}

void nft_emit_saddr_outside(struct nft_rule *r, const struct nft_term *t)
{
	const struct value from = address_value(r, t->a), to = address_value(r, t->b);
	struct nftnl_expr *e;

	want_family(r);
	load_part(r, PART_SADDR, REG_KEY);
	e = expr_add(r, "range");
	nftnl_expr_set_u32(e, NFTNL_EXPR_RANGE_SREG, REG_KEY);
	nftnl_expr_set_u32(e, NFTNL_EXPR_RANGE_OP, NFT_RANGE_NEQ);
	nftnl_expr_set(e, NFTNL_EXPR_RANGE_FROM_DATA, from.bytes, from.len);
	nftnl_expr_set(e, NFTNL_EXPR_RANGE_TO_DATA, to.bytes, to.len);
}

void nft_emit_port(struct nft_rule *r, const struct nft_term *t)
{
	uint16_t port = htons((uint16_t)t->c);

	want_protocol(r, (uint8_t)t->b);
	load_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 2 * t->a, sizeof(port), REG_KEY);
	compare(r, NFT_CMP_EQ, &port, sizeof(port));
}

/* RFC 4443's type for what RFC 792 calls so. */
static uint8_t icmp6_type(uint32_t type)
{
	switch (type) {
	case ICMP_ECHO:
		return ICMP6_ECHO_REQUEST;
	case ICMP_ECHOREPLY:
		return ICMP6_ECHO_REPLY;
	default:
		return ICMP6_DST_UNREACH;
	}
}

void nft_emit_icmp_type(struct nft_rule *r, const struct nft_term *t)
{
	uint8_t type = r->six ? icmp6_type(t->a) : (uint8_t)t->a;

	want_family(r);
	want_protocol(r, r->six ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	load_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, offsetof(struct icmphdr, type), sizeof(type),
		     REG_KEY);
	compare(r, NFT_CMP_EQ, &type, sizeof(type));
}

void nft_emit_tcp_flag(struct nft_rule *r, const struct nft_term *t)
{
	static const uint8_t none;
	uint8_t flag = (uint8_t)t->a;

	want_protocol(r, IPPROTO_TCP);
	load_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 13, sizeof(flag), REG_KEY); /* th_flags */
	mask(r, &flag, sizeof(flag));
	compare(r, NFT_CMP_NEQ, &none, sizeof(none));
}

/* b: the state is among these, else: it is none of them. */
void nft_emit_ct_state(struct nft_rule *r, const struct nft_term *t)
{
	static const uint32_t none;

	load_ct(r, NFT_CT_STATE, -1, REG_KEY);
	if (t->b)
		mask(r, &t->a, sizeof(t->a));
	compare(r, NFT_CMP_NEQ, t->b ? &none : &t->a, sizeof(none));
}

void nft_emit_ct_direction(struct nft_rule *r, const struct nft_term *t)
{
	uint8_t direction = (uint8_t)t->a;

	load_ct(r, NFT_CT_DIRECTION, -1, REG_KEY);
	compare(r, NFT_CMP_EQ, &direction, sizeof(direction));
}

void nft_emit_pair(struct nft_rule *r, const struct nft_term *t)
{
	if (in_header(t->a) || in_header(t->b))
		want_family(r);
	load_part(r, t->a, REG_KEY);
	load_part(r, t->b, reg_after(r, 0));
	nftnl_expr_set_u32(lookup(r, t->name), NFTNL_EXPR_LOOKUP_FLAGS, t->c);
}

void nft_emit_pair_of_ip4(struct nft_rule *r, const struct nft_term *t)
{
	if (!r->six)
		nft_emit_pair(r, t);
}

void nft_emit_service(struct nft_rule *r, const struct nft_term *t)
{
	want_family(r);
	load_part(r, t->a, REG_KEY);
	load_meta(r, NFT_META_L4PROTO, reg_after(r, 0));
	load_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 2 * t->b, sizeof(uint16_t), reg_after(r, 1));
	(void)lookup(r, t->name);
}

void nft_emit_verdict(struct nft_rule *r, const struct nft_term *t)
{
	struct nftnl_expr *e = expr_add(r, "immediate");

	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, t->a);
	if (t->name)
		nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, t->name);
}

void nft_emit_reject(struct nft_rule *r, const struct nft_term *t)
{
	struct nftnl_expr *e = expr_add(r, "reject");

	nftnl_expr_set_u32(e, NFTNL_EXPR_REJECT_TYPE, t->a);
	nftnl_expr_set_u8(e, NFTNL_EXPR_REJECT_CODE, (uint8_t)t->b);
}

static struct nftnl_expr *nat(struct nft_rule *r)
{
	struct nftnl_expr *e = expr_add(r, "nat");

	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_FAMILY, family(r));
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MIN, REG_KEY);
	return e;
}

void nft_emit_dnat(struct nft_rule *r, const struct nft_term *t)
{
	const struct value addr = address_value(r, t->a);
	uint16_t port = htons((uint16_t)t->b);

	load_immediate(r, REG_KEY, addr.bytes, addr.len);
	load_immediate(r, REG_SECOND, &port, sizeof(port));
	nftnl_expr_set_u32(nat(r), NFTNL_EXPR_NAT_REG_PROTO_MIN, REG_SECOND);
}

/* a: the map's values are ranges of addresses, each mapped host by host. */
void nft_emit_dnat_map(struct nft_rule *r, const struct nft_term *t)
{
	struct nftnl_expr *e;

	want_family(r);
	load_part(r, PART_DADDR, REG_KEY);
	nftnl_expr_set_u32(lookup(r, t->name), NFTNL_EXPR_LOOKUP_DREG, REG_KEY);
	e = nat(r);
	if (!t->a)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MAX, reg_after(r, 0));
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_FLAGS, NF_NAT_RANGE_NETMAP);
}

void nft_emit_masquerade(struct nft_rule *r, const struct nft_term *t)
{
	(void)t;
	(void)expr_add(r, "masq");
}

/* `tcp option maxseg size set rt mtu`: writes down what the route's MTU allows. */
void nft_emit_clamp(struct nft_rule *r, const struct nft_term *t)
{
	struct nftnl_expr *e = expr_add(r, "rt");

	(void)t;
	nftnl_expr_set_u32(e, NFTNL_EXPR_RT_KEY, NFT_RT_TCPMSS);
	nftnl_expr_set_u32(e, NFTNL_EXPR_RT_DREG, REG_KEY);
	to_network_order(r, 2);
	e = expr_add(r, "exthdr");
	nftnl_expr_set_u32(e, NFTNL_EXPR_EXTHDR_SREG, REG_KEY);
	nftnl_expr_set_u8(e, NFTNL_EXPR_EXTHDR_TYPE, TCPOPT_MAXSEG);
	nftnl_expr_set_u32(e, NFTNL_EXPR_EXTHDR_OFFSET, 2);
	nftnl_expr_set_u32(e, NFTNL_EXPR_EXTHDR_LEN, 2);
	nftnl_expr_set_u32(e, NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_TCPOPT);
}

/* After nft_emit_port: the first byte of the datagram is WireGuard's message type (wireguard.com/
 * protocol: 1 handshake initiation, 2 response). */
void nft_emit_wg_handshake(struct nft_rule *r, const struct nft_term *t)
{
	const uint8_t first = (uint8_t)t->a, last = (uint8_t)t->b;

	load_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, sizeof(struct udphdr), 1, REG_KEY);
	compare(r, NFT_CMP_GTE, &first, sizeof(first));
	compare(r, NFT_CMP_LTE, &last, sizeof(last));
}

void nft_emit_limit(struct nft_rule *r, const struct nft_term *t)
{
	struct nftnl_expr *e = expr_add(r, "limit");

	nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_RATE, t->a);
	nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_UNIT, 1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_BURST, t->a);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
}

void nft_emit_counter(struct nft_rule *r, const struct nft_term *t)
{
	(void)t;
	(void)expr_add(r, "counter");
}

void nft_emit_log(struct nft_rule *r, const struct nft_term *t)
{
	nftnl_expr_set_u16(expr_add(r, "log"), NFTNL_EXPR_LOG_GROUP, (uint16_t)t->a);
}
