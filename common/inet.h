/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPv4 addresses, prefixes and the division of the tunnel prefix. Addresses are held in host byte
 * order so that ranges compare with < and >; they are turned round where they meet the kernel.
 *
 * The tunnel prefix is divided in quarters: the first is "the house" (network address, the gateway,
 * then printers' VPN addresses), the other three hold peers. The prefix's last address, the
 * broadcast address, is given to nobody.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

#define IP4_TEXT_BYTES	    16 /* "255.255.255.255" */
#define PREFIX4_TEXT_BYTES  19 /* … "/32" */
#define ENDPOINT_TEXT_BYTES 54 /* "[" INET6_ADDRSTRLEN "]:65535" */
#define TUNNEL_LEN_MIN	    12 /* shortest tunnel prefix: /12 */
#define TUNNEL_LEN_MAX	    28 /* longest: /28 has 2 printers and 11 peers */

struct prefix4 {
	uint32_t addr; /* host order, host bits zero */
	uint8_t len;   /* 0..32 */
};

/* A peer's outer address as WireGuard reports it; family 0 means unknown. */
struct endpoint {
	uint8_t family;	  /* 0, 4 or 6 */
	uint8_t addr[16]; /* network order; IPv4 in the first four bytes */
	uint16_t port;	  /* host order */
};

/* Strict dotted quad. Returns 0 or ERR_BAD_ADDRESS, *out untouched on failure. */
int ip4_parse(uint32_t *out, const char *text) __attribute__((warn_unused_result));
void ip4_format(char out[IP4_TEXT_BYTES], uint32_t addr);

/* "A.B.C.D/L" or "A.B.C.D" (then /32); host bits must be zero. Returns 0 or ERR_BAD_ADDRESS with a
 * sentence that names the right prefix when only host bits are wrong. */
int prefix4_parse(struct prefix4 *out, const char *text, struct diag *d)
	__attribute__((warn_unused_result));
/* Without "/32" for a single address. */
void prefix4_format(char out[PREFIX4_TEXT_BYTES], struct prefix4 p);
uint32_t prefix4_mask(uint8_t len);
uint32_t prefix4_last(struct prefix4 p);
bool prefix4_contains(struct prefix4 p, uint32_t addr);
bool prefix4_covers(struct prefix4 outer, struct prefix4 inner);
bool prefix4_overlaps(struct prefix4 a, struct prefix4 b);

/* May this be a tunnel prefix: length within TUNNEL_LEN_MIN..MAX, inside RFC 1918 or RFC 6598
 * space? ERR_BAD_PREFIX with a sentence. */
int tunnel_check(struct prefix4 tunnel, struct diag *d) __attribute__((warn_unused_result));
struct prefix4 tunnel_house(struct prefix4 tunnel); /* what a phone's AllowedIPs is */
uint32_t tunnel_gateway(struct prefix4 tunnel);
uint32_t tunnel_first_peer(struct prefix4 tunnel);
uint32_t tunnel_last_peer(struct prefix4 tunnel);
bool tunnel_is_peer(struct prefix4 tunnel, uint32_t addr);
/* A VPN address or block: inside the house, not covering its network address or the gateway. */
bool tunnel_is_vpn(struct prefix4 tunnel, struct prefix4 vpn);

/* May peers be led to this address at all? Refuses 0/8, 127/8, multicast, 240/4 and anything that
 * overlaps the tunnel prefix. ERR_BAD_ADDRESS with a sentence. */
int target_check(struct prefix4 tunnel, struct prefix4 target, struct diag *d)
	__attribute__((warn_unused_result));
/* RFC 1918, RFC 6598 (100.64/10) or RFC 3927 (169.254/16), wholly. */
bool prefix4_is_private(struct prefix4 p);

struct sockaddr;

/* Of an AF_INET or AF_INET6 address; IPv4 in IPv6's clothes (RFC 4291, 2.5.5.2) becomes IPv4 again.
 * Unknown for any other family. */
struct endpoint endpoint_of(const struct sockaddr *sa);
bool endpoint_is_loopback(const struct endpoint *e); /* 127/8 or ::1 */

/* "192.0.2.1:51820" or "[2001:db8::1]:51820"; "" when unknown. */
void endpoint_format(char out[ENDPOINT_TEXT_BYTES], const struct endpoint *e);
