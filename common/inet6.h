/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPv6 inside the tunnel. Nothing of it is given out or stored a peer: the IPv6 address that belongs
 * to an IPv4 tunnel address is the IPv6 prefix with that address in its last 32 bits. Addresses are
 * held in network byte order, as the kernel takes them. Pure functions.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/inet.h"

#define IP6_BYTES	   16
#define IP6_TEXT_BYTES	   46 /* INET6_ADDRSTRLEN */
#define PREFIX6_TEXT_BYTES 50 /* … "/128" */
#define TUNNEL6_LEN_MIN	   64 /* one subnet of a ULA prefix (RFC 4193, 3.1) */
#define TUNNEL6_LEN_MAX	   96 /* 32 bits remain for the IPv4 tunnel address */

struct prefix6 {
	uint8_t addr[IP6_BYTES]; /* host bits zero */
	uint8_t len;		 /* 1..128; 0: there is none */
};

/* "fd12:3456:789a:1::/64", or an address (then /128); host bits must be zero. Returns 0 or
 * ERR_BAD_ADDRESS, *out untouched then. */
int prefix6_parse(struct prefix6 *out, const char *text) __attribute__((warn_unused_result));
/* Without "/128" for a single address; "" for none. */
void prefix6_format(char out[PREFIX6_TEXT_BYTES], const struct prefix6 *p);
/* Length 0 and nothing else, or 1..128 without host bits. */
bool prefix6_valid(const struct prefix6 *p);
bool prefix6_equal(const struct prefix6 *a, const struct prefix6 *b);

/* May this be the tunnel's IPv6 prefix: inside fd00::/8 (RFC 4193), TUNNEL6_LEN_MIN..MAX?
 * ERR_BAD_PREFIX with a sentence. */
int tunnel6_check(const struct prefix6 *tunnel6, struct diag *d)
	__attribute__((warn_unused_result));
/* The IPv6 address, or block, that belongs to one of IPv4; none where tunnel6 is none. */
struct prefix6 tunnel6_of(const struct prefix6 *tunnel6, struct prefix4 p);
struct prefix6 tunnel6_host(const struct prefix6 *tunnel6, uint32_t addr);
/* The IPv4 tunnel address that an IPv6 one belongs to. False: it lies outside the prefix. */
bool tunnel6_back(const struct prefix6 *tunnel6, const uint8_t addr[IP6_BYTES], uint32_t *out);
