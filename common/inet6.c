/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPv6 prefixes, and how the tunnel's IPv6 addresses follow from its IPv4 addresses (inet6.h).
 */
#include "common/inet6.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define V4_AT (IP6_BYTES - 4) /* where the IPv4 address stands */

static bool bits_clear(const uint8_t addr[IP6_BYTES], unsigned from)
{
	for (unsigned i = from; i < 8 * IP6_BYTES; i++)
		if (addr[i / 8] & 0x80 >> i % 8)
			return false;
	return true;
}

/* "1" to "128", without leading zeros. */
static bool length_parse(uint8_t *out, const char *text)
{
	size_t n = strlen(text);
	unsigned long v;

	if (n < 1 || n > 3 || strspn(text, "0123456789") != n || text[0] == '0')
		return false;
	v = strtoul(text, NULL, 10);
	*out = (uint8_t)v;
	return v <= 8 * IP6_BYTES;
}

int prefix6_parse(struct prefix6 *out, const char *text)
{
	const char *slash = strchrnul(text, '/');
	size_t n = (size_t)(slash - text);
	struct prefix6 p = {.len = 8 * IP6_BYTES};
	char addr[IP6_TEXT_BYTES];

	if (n >= sizeof(addr))
		return ERR_BAD_ADDRESS;
	memcpy(addr, text, n);
	addr[n] = '\0';
	if (inet_pton(AF_INET6, addr, p.addr) != 1 ||
	    (*slash && !length_parse(&p.len, slash + 1)) || !bits_clear(p.addr, p.len))
		return ERR_BAD_ADDRESS;
	*out = p;
	return 0;
}

void prefix6_format(char out[PREFIX6_TEXT_BYTES], const struct prefix6 *p)
{
	char addr[IP6_TEXT_BYTES] = "";

	out[0] = '\0';
	if (!p->len || !inet_ntop(AF_INET6, p->addr, addr, sizeof(addr)))
		return;
	if (p->len == 8 * IP6_BYTES)
		(void)snprintf(out, PREFIX6_TEXT_BYTES, "%s", addr);
	else
		(void)snprintf(out, PREFIX6_TEXT_BYTES, "%s/%u", addr, p->len % 128u);
}

bool prefix6_valid(const struct prefix6 *p)
{
	return p->len <= 8 * IP6_BYTES && bits_clear(p->addr, p->len);
}

bool prefix6_equal(const struct prefix6 *a, const struct prefix6 *b)
{
	return a->len == b->len && memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

int tunnel6_check(const struct prefix6 *tunnel6, struct diag *d)
{
	char text[PREFIX6_TEXT_BYTES];

	prefix6_format(text, tunnel6);
	if (tunnel6->len < TUNNEL6_LEN_MIN || tunnel6->len > TUNNEL6_LEN_MAX)
		return diag_set(d, ERR_BAD_PREFIX,
				"\"%s\" cannot be the tunnel's IPv6 prefix: its length must be "
				"from /%d to /%d",
				text, TUNNEL6_LEN_MIN, TUNNEL6_LEN_MAX);
	if (tunnel6->addr[0] != 0xfd || !prefix6_valid(tunnel6))
		return diag_set(d, ERR_BAD_PREFIX,
				"%s cannot be the tunnel's IPv6 prefix: it must lie inside "
				"fd00::/8",
				text);
	return 0;
}

struct prefix6 tunnel6_of(const struct prefix6 *tunnel6, struct prefix4 p)
{
	const uint32_t raw = htonl(p.addr);
	struct prefix6 out = *tunnel6;

	if (!tunnel6->len)
		return out;
	memcpy(out.addr + V4_AT, &raw, sizeof(raw));
	out.len = (uint8_t)(8 * V4_AT + p.len);
	return out;
}

struct prefix6 tunnel6_host(const struct prefix6 *tunnel6, uint32_t addr)
{
	return tunnel6_of(tunnel6, (struct prefix4){addr, 32});
}

bool tunnel6_back(const struct prefix6 *tunnel6, const uint8_t addr[IP6_BYTES], uint32_t *out)
{
	uint32_t raw;

	if (!tunnel6->len || memcmp(addr, tunnel6->addr, V4_AT) != 0)
		return false;
	memcpy(&raw, addr + V4_AT, sizeof(raw));
	*out = ntohl(raw);
	return true;
}
