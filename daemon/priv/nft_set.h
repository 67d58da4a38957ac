/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sets and maps of the table, and their elements on the way to and from the kernel. What changes
 * often is in hash sets; sets of intervals (printer subnets, port ranges) are small.
 */
#pragma once

#include <libmnl/libmnl.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/priv/nft_batch.h"

enum nft_set_id {
	SET_GRANTS,	    /* peer . VPN address, with time-outs */
	SET_SUBNET_GRANTS,  /* peer . VPN block, with time-outs */
	SET_SERVICES,	    /* VPN address . protocol . port */
	SET_RANGES,	    /* VPN address or block . protocol . ports */
	MAP_PRINTERS,	    /* VPN address : LAN address */
	MAP_SUBNETS,	    /* VPN block : LAN block */
	SET_TARGETS,	    /* VPN address . LAN address: what MAP_PRINTERS says, as a set */
	SET_SUBNET_TARGETS, /* VPN block . LAN block */
	SET_GATED,	    /* interfaces on which printgated switched forwarding on */
	/* The same for IPv6, with tunnel6 only. There are no subnets of it. */
	SET_GRANTS6,
	SET_SERVICES6,
	SET_RANGES6,
	MAP_PRINTERS6,
	SET_TARGETS6,
	NFT_SETS
};

#define NFT_KEY_BYTES  32 /* two IPv6 addresses */
#define NFT_DATA_BYTES 16 /* an IPv6 address; an IPv4 block: first and last address */

/* As the kernel has it: network order, unused bytes zero, so that memcmp() tells. */
struct nft_elem {
	enum nft_set_id set;
	uint8_t key[NFT_KEY_BYTES];
	uint8_t end[NFT_KEY_BYTES]; /* interval sets: the last key that is in */
	uint8_t data[NFT_DATA_BYTES];
	uint32_t seconds; /* time-out; 0: stays */
	uint32_t mark;
};

/* Appends all sets, empty; `six`: also those for IPv6. */
void nft_sets_add(struct nft_batch *b, bool six);
/* Bytes of an address in the set's keys. */
size_t nft_set_address_bytes(enum nft_set_id set);

/* Appends n elements, grouped by set, to be added (NFT_MSG_NEWSETELEM) or deleted
 * (NFT_MSG_DELSETELEM). packed: many a message, without marks. */
void nft_elems_append(struct nft_batch *b, uint16_t type, const struct nft_elem *e, size_t n,
		      bool packed);

/* Is exactly this key in its set? 1: yes, its data is in *data then (zero without); 0: no;
 * otherwise a negative errno. */
int nft_elem_ask(struct mnl_socket *socket, const struct nft_elem *e, uint8_t data[NFT_DATA_BYTES])
	__attribute__((warn_unused_result));

/* Calls fn for each key of a set. 0 (also when there is no table), or a negative errno. */
typedef void (*nft_key_fn)(void *arg, const uint8_t key[NFT_KEY_BYTES]);
int nft_keys_each(struct mnl_socket *socket, enum nft_set_id set, nft_key_fn fn, void *arg)
	__attribute__((warn_unused_result));
