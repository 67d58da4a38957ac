/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPv4 addresses, prefixes, and how the tunnel prefix is divided. Pure functions; none of them
 * touches a socket.
 */
#include "common/inet.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

#define NET(a, b, c, d, l)                                                                         \
	{                                                                                          \
		((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d)), (l)                            \
	}

static const struct prefix4 private_nets[] = {
	NET(10, 0, 0, 0, 8),	 NET(172, 16, 0, 0, 12), /* RFC 1918 */
	NET(192, 168, 0, 0, 16), NET(100, 64, 0, 0, 10), /* RFC 1918, RFC 6598 */
	NET(169, 254, 0, 0, 16),			 /* RFC 3927: must stay the last */
};

int ip4_parse(uint32_t *out, const char *text)
{
	struct in_addr a;

	if (inet_pton(AF_INET, text, &a) != 1)
		return ERR_BAD_ADDRESS;
	*out = ntohl(a.s_addr);
	return 0;
}

void ip4_format(char out[IP4_TEXT_BYTES], uint32_t addr)
{
	(void)snprintf(out, IP4_TEXT_BYTES, "%u.%u.%u.%u", addr >> 24, addr >> 16 & 255,
		       addr >> 8 & 255, addr & 255);
}

/* "0" to "32", without leading zeros. */
static int length_parse(uint8_t *out, const char *text)
{
	size_t n = strlen(text);
	unsigned long v;

	if (n < 1 || n > 2 || strspn(text, "0123456789") != n || (n == 2 && text[0] == '0'))
		return ERR_BAD_ADDRESS;
	v = strtoul(text, NULL, 10);
	if (v > 32)
		return ERR_BAD_ADDRESS;
	*out = (uint8_t)v;
	return 0;
}

static int prefix4_scan(struct prefix4 *p, const char *text)
{
	const char *slash = strchrnul(text, '/');
	size_t n = (size_t)(slash - text);
	char addr[IP4_TEXT_BYTES];

	if (n >= sizeof(addr))
		return ERR_BAD_ADDRESS;
	memcpy(addr, text, n);
	addr[n] = '\0';
	p->len = 32;
	if (*slash && length_parse(&p->len, slash + 1))
		return ERR_BAD_ADDRESS;
	return ip4_parse(&p->addr, addr);
}

int prefix4_parse(struct prefix4 *out, const char *text, struct diag *d)
{
	char right[PREFIX4_TEXT_BYTES];
	struct prefix4 p = {0};

	if (prefix4_scan(&p, text))
		return diag_set(d, ERR_BAD_ADDRESS,
				"\"%.64s\" is no IPv4 address or prefix: write 192.168.1.20, or "
				"192.168.50.0/24 for a whole network",
				text);
	if (p.addr & ~prefix4_mask(p.len)) {
		prefix4_format(right, (struct prefix4){p.addr & prefix4_mask(p.len), p.len});
		return diag_set(
			d, ERR_BAD_ADDRESS,
			"%.64s is an address inside a network: the network is %s, the single "
			"address is written without /%u",
			text, right, (unsigned)p.len);
	}
	*out = p;
	return 0;
}

void prefix4_format(char out[PREFIX4_TEXT_BYTES], struct prefix4 p)
{
	char addr[IP4_TEXT_BYTES];

	ip4_format(addr, p.addr);
	if (p.len == 32)
		(void)snprintf(out, PREFIX4_TEXT_BYTES, "%s", addr);
	else
		(void)snprintf(out, PREFIX4_TEXT_BYTES, "%s/%u", addr, p.len % 100u);
}

uint32_t prefix4_mask(uint8_t len)
{
	return len == 0 ? 0 : len >= 32 ? UINT32_MAX : ~(UINT32_MAX >> len);
}

uint32_t prefix4_last(struct prefix4 p)
{
	return p.addr | ~prefix4_mask(p.len);
}

bool prefix4_contains(struct prefix4 p, uint32_t addr)
{
	return (addr & prefix4_mask(p.len)) == p.addr;
}

bool prefix4_covers(struct prefix4 outer, struct prefix4 inner)
{
	return outer.len <= inner.len && prefix4_contains(outer, inner.addr);
}

bool prefix4_overlaps(struct prefix4 a, struct prefix4 b)
{
	return prefix4_covers(a, b) || prefix4_covers(b, a);
}

static bool inside_one_of(struct prefix4 p, const struct prefix4 *nets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (prefix4_covers(nets[i], p))
			return true;
	return false;
}

bool prefix4_is_private(struct prefix4 p)
{
	return inside_one_of(p, private_nets, ARRAY_LEN(private_nets));
}

int tunnel_check(struct prefix4 tunnel, struct diag *d)
{
	char text[PREFIX4_TEXT_BYTES];

	prefix4_format(text, tunnel);
	if (tunnel.len < TUNNEL_LEN_MIN || tunnel.len > TUNNEL_LEN_MAX)
		return diag_set(d, ERR_BAD_PREFIX,
				"%s cannot be the tunnel prefix: its length must be from /%d (the "
				"largest) to /%d (the smallest)",
				text, TUNNEL_LEN_MIN, TUNNEL_LEN_MAX);
	if (!inside_one_of(tunnel, private_nets, ARRAY_LEN(private_nets) - 1))
		return diag_set(d, ERR_BAD_PREFIX,
				"%s cannot be the tunnel prefix: it must lie inside 10.0.0.0/8, "
				"172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10",
				text);
	return 0;
}

struct prefix4 tunnel_house(struct prefix4 tunnel)
{
	return (struct prefix4){tunnel.addr, (uint8_t)(tunnel.len + 2)};
}

uint32_t tunnel_gateway(struct prefix4 tunnel)
{
	return tunnel.addr + 1;
}

uint32_t tunnel_first_peer(struct prefix4 tunnel)
{
	return prefix4_last(tunnel_house(tunnel)) + 1;
}

uint32_t tunnel_last_peer(struct prefix4 tunnel)
{
	return prefix4_last(tunnel) - 1;
}

bool tunnel_is_peer(struct prefix4 tunnel, uint32_t addr)
{
	return addr >= tunnel_first_peer(tunnel) && addr <= tunnel_last_peer(tunnel);
}

bool tunnel_is_vpn(struct prefix4 tunnel, struct prefix4 vpn)
{
	return vpn.len <= 32 && !(vpn.addr & ~prefix4_mask(vpn.len)) &&
	       prefix4_covers(tunnel_house(tunnel), vpn) && !prefix4_contains(vpn, tunnel.addr) &&
	       !prefix4_contains(vpn, tunnel_gateway(tunnel));
}

int target_check(struct prefix4 tunnel, struct prefix4 target, struct diag *d)
{
	static const struct {
		struct prefix4 net;
		const char *what;
	} never[] = {
		{NET(0, 0, 0, 0, 8), "0.0.0.0/8 names no machine"},
		{NET(127, 0, 0, 0, 8),
		 "127.0.0.0/8 is this machine itself (write \"self\" to protect it)"},
		{NET(224, 0, 0, 0, 4), "224.0.0.0/4 is multicast"},
		{NET(240, 0, 0, 0, 4), "240.0.0.0/4 is reserved"},
	};
	char text[PREFIX4_TEXT_BYTES];

	prefix4_format(text, target);
	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		if (prefix4_overlaps(never[i].net, target))
			return diag_set(d, ERR_BAD_ADDRESS, "%s cannot be a printer: %s", text,
					never[i].what);
	if (prefix4_overlaps(tunnel, target))
		return diag_set(d, ERR_BAD_ADDRESS,
				"%s cannot be a printer: it overlaps the tunnel prefix; give the "
				"address that the printer has on the local network",
				text);
	return 0;
}

struct endpoint endpoint_of(const struct sockaddr *sa)
{
	struct endpoint e = {0};

	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof(in));
		e = (struct endpoint){.family = 4, .port = ntohs(in.sin_port)};
		memcpy(e.addr, &in.sin_addr, sizeof(in.sin_addr));
	} else if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in;
		bool mapped;

		memcpy(&in, sa, sizeof(in));
		mapped = IN6_IS_ADDR_V4MAPPED(&in.sin6_addr);
		e = (struct endpoint){.family = mapped ? 4 : 6, .port = ntohs(in.sin6_port)};
		memcpy(e.addr, in.sin6_addr.s6_addr + (mapped ? 12 : 0), mapped ? 4 : 16);
	}
	return e;
}

bool endpoint_is_loopback(const struct endpoint *e)
{
	static const uint8_t one[16] = {[15] = 1}; /* ::1 */

	return (e->family == 4 && e->addr[0] == 127) ||
	       (e->family == 6 && memcmp(e->addr, one, sizeof(one)) == 0);
}

void endpoint_format(char out[ENDPOINT_TEXT_BYTES], const struct endpoint *e)
{
	char addr[INET6_ADDRSTRLEN] = "";

	out[0] = '\0';
	if (e->family == 4 && inet_ntop(AF_INET, e->addr, addr, sizeof(addr)))
		(void)snprintf(out, ENDPOINT_TEXT_BYTES, "%s:%u", addr, (unsigned)e->port);
	else if (e->family == 6 && inet_ntop(AF_INET6, e->addr, addr, sizeof(addr)))
		(void)snprintf(out, ENDPOINT_TEXT_BYTES, "[%s]:%u", addr, (unsigned)e->port);
}
