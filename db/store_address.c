/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Free addresses. For peers, one look-up where the wanted address is free, which it nearly always
 * is: core asks for the one after the last it gave. For printers, a walk over their blocks: they
 * are few and seldom added.
 */
#include "db/store_internal.h"

#include <stdio.h>

static int address_taken(struct store *s, uint32_t address, struct diag *d)
{
	auto_query q = query_open(s, Q_PEER_HAS_ADDRESS);

	query_int(&q, address);
	return query_row(&q, d);
}

/* The lowest free address within lo..hi: 1 and *out, 0 if there is none, or an error. */
static int first_free(struct store *s, uint32_t lo, uint32_t hi, uint32_t *out, struct diag *d)
{
	auto_query q = query_open(s, Q_PEER_GAP);
	int taken = address_taken(s, lo, d);

	if (taken < 0)
		return taken;
	if (!taken) {
		*out = lo;
		return 1;
	}
	query_int(&q, lo);
	query_int(&q, hi);
	int got = query_row(&q, d);

	if (got != 1 || query_get_int(&q, 0) > hi)
		return got < 0 ? got : 0;
	*out = (uint32_t)query_get_int(&q, 0);
	return 1;
}

int store_peer_free_address(struct store *s, uint32_t first, uint32_t last, uint32_t after,
			    uint32_t *out, struct diag *d)
{
	uint32_t start = after >= first && after < last ? after + 1 : first;
	int got = first_free(s, start, last, out, d);

	if (got == 0 && start > first)
		got = first_free(s, first, start - 1, out, d);
	if (got != 0)
		return got < 0 ? got : 0;
	return diag_set(d, ERR_POOL_FULL,
			"all %u addresses for peers are taken; revoke a peer or choose a shorter "
			"tunnel prefix",
			last - first + 1);
}

struct block {
	int64_t first, last;
};

static struct block block_read(struct query *q)
{
	int64_t first = query_get_int(q, 0);

	return (struct block){first, first + (1LL << (32 - query_get_int(q, 1))) - 1};
}

/* Moves *at up to the lowest address that no block covers. */
static int lowest_free(struct store *s, int64_t *at, int64_t last, struct diag *d)
{
	auto_query q = query_open(s, Q_PRINTER_VPN_UP);
	int got;

	query_int(&q, last);
	while ((got = query_row(&q, d)) == 1) {
		struct block b = block_read(&q);

		if (b.first > *at)
			break;
		if (b.last >= *at)
			*at = b.last + 1;
	}
	return got < 0 ? got : 0;
}

/* Moves *at down, block by block of `size` addresses, to a free one, or below `first`. */
static int highest_free(struct store *s, int64_t first, int64_t *at, int64_t size, struct diag *d)
{
	auto_query q = query_open(s, Q_PRINTER_VPN_DOWN);
	int got = 0;

	query_int(&q, *at + size - 1);
	while (*at >= first && (got = query_row(&q, d)) == 1) {
		struct block b = block_read(&q);

		if (b.last < *at)
			break;
		if (b.first < *at + size)
			*at = (b.first & ~(size - 1)) - size;
	}
	return got < 0 ? got : 0;
}

/* A block of this length needs a house at least twice as large: its first one holds the gateway. */
static int no_room(struct prefix4 tunnel, uint8_t len, struct diag *d)
{
	struct prefix4 house = tunnel_house(tunnel);
	uint8_t enough = len < 3 ? 0 : (uint8_t)(len - 3);
	char text[PREFIX4_TEXT_BYTES], what[32] = "another printer";

	prefix4_format(text, house);
	if (len < 32 && len <= house.len && enough < TUNNEL_LEN_MIN)
		return diag_set(
			d, ERR_POOL_FULL,
			"a printer subnet of /%u is too large; the longest tunnel (/%d) has "
			"room for a /%d",
			len, TUNNEL_LEN_MIN, TUNNEL_LEN_MIN + 3);
	if (len < 32 && len <= house.len)
		return diag_set(d, ERR_POOL_FULL,
				"a printer subnet of /%u does not fit into %s, the printers' part "
				"of the tunnel; a tunnel prefix of /%u or shorter has room for it",
				len, text, enough);
	if (len < 32)
		(void)snprintf(what, sizeof(what), "a printer subnet of /%u", len);
	return diag_set(d, ERR_POOL_FULL,
			"no room for %s left in %s, the printers' part of the tunnel; remove a "
			"printer or choose a tunnel prefix shorter than /%u",
			what, text, tunnel.len);
}

int store_vpn_free(struct store *s, struct prefix4 tunnel, uint8_t len, struct prefix4 *out,
		   struct diag *d)
{
	struct prefix4 house = tunnel_house(tunnel);
	int64_t first = (int64_t)tunnel_gateway(tunnel) + 1, last = prefix4_last(house);
	int64_t at, size;
	int err;

	if (len == 0 || len > 32)
		return diag_set(d, ERR_BAD_ADDRESS, "a printer's prefix is /1 to /32");
	size = 1LL << (32 - len);
	at = size == 1 ? first : last + 1 - size;
	if (size == 1)
		err = lowest_free(s, &at, last, d);
	else
		err = highest_free(s, first, &at, size, d);
	if (err)
		return err;
	if (at < first || at > last)
		return no_room(tunnel, len, d);
	*out = (struct prefix4){(uint32_t)at, len};
	return 0;
}
