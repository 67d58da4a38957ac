/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table `inet printgate` over libnftnl and libmnl: constant rules, and elements that move.
 * tests/golden/ruleset.nft shows what is loaded. Only this file and those whose names begin with
 * nft_ know about nftables: nft_rules.c is the policy, nft_set.c the sets, nft_expr.c how a rule's
 * words are spelt, nft_batch.c the transaction. Every change is applied whole or not at all.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/inet.h"
#include "common/inet6.h"
#include "common/privmsg.h"

#define NFT_LOG_GROUP 20551 /* NFLOG group of handshakes: 'P' << 8 | 'G' */

struct mnl_socket;
struct nft;

/* What the constant rules depend on. */
struct nft_shape {
	char interface[IFNAMSIZ];
	struct prefix4 tunnel;
	struct prefix6 tunnel6; /* none: every IPv6 packet from the tunnel is refused */
	uint16_t page_port; /* the page's port on the gateway's tunnel address; 0: no page there */
	uint16_t listen_port; /* WireGuard's */
	/* Where printgate-web really listens on that address and on its IPv6 twin (see sock.c); 0: it
	 * does not. */
	uint16_t page_bound, page_bound6;
};

/* Opens the netlink socket (needs CAP_NET_ADMIN). ERR_KERNEL: names what is missing. */
int nft_open(struct nft **out, const struct nft_shape *shape, struct diag *d)
	__attribute__((warn_unused_result));
void nft_free(struct nft *n);
/* The netlink port id of its socket: notifications that bear it are our own doing. */
uint32_t nft_port(const struct nft *n);
/* The socket itself, for reading others' tables; stays ours. */
struct mnl_socket *nft_socket(const struct nft *n);

/* Loads the skeleton with empty sets if the table is not there yet; an existing table is left as it
 * is, since the first full change replaces it in one transaction. */
int nft_shut(struct nft *n, struct diag *d) __attribute__((warn_unused_result));

/* One change. After nft_begin, the functions below only append; nft_commit sends one batch.
 * Removals are sent before additions whatever the order of calls. full: the table is replaced by
 * the skeleton plus these elements in one transaction (`gated` keeps its elements). */
void nft_begin(struct nft *n, bool full);
void nft_printer_put(struct nft *n, const struct privmsg_printer *p);
void nft_printer_del(struct nft *n, const struct privmsg_printer *p);
void nft_service_put(struct nft *n, const struct privmsg_service *s);
void nft_service_del(struct nft *n, const struct privmsg_service *s);
void nft_grant_put(struct nft *n, const struct privmsg_grant *g); /* replaces its time-out too */
void nft_grant_del(struct nft *n, const struct privmsg_grant *g); /* absent is no error */
/* Interfaces on which printgated itself switched forwarding on: transit for others stays shut. */
void nft_gated_put(struct nft *n, const char interface[IFNAMSIZ]);
/* ERR_KERNEL with the kernel's reason; nothing was changed then. *item: what the caller passed last
 * to nft_mark before the failing append, or UINT32_MAX. */
int nft_commit(struct nft *n, uint32_t *item, struct diag *d) __attribute__((warn_unused_result));
void nft_mark(struct nft *n, uint32_t item);

/* Calls fn for each interface in `gated`; no table: none. */
typedef void (*nft_gated_fn)(void *arg, const char *interface);
int nft_gated_each(struct nft *n, nft_gated_fn fn, void *arg, struct diag *d)
	__attribute__((warn_unused_result));

/* Deletes the table; absent is no error. */
int nft_down(struct nft *n, struct diag *d) __attribute__((warn_unused_result));
