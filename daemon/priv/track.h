/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connection tracking: ends what the kernel still knows of connections whose grant was taken away.
 * The table refuses their packets already. But an entry that stays would lead the rest of a stream
 * that a printer still sends to whoever has that tunnel address next.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/inet.h"
#include "common/inet6.h"

struct track;

/* Connections from a peer, or from anybody (0), to a VPN address or block. */
struct track_pair {
	uint32_t peer;
	struct prefix4 vpn;
};

/* tunnel6 not none: connections between the IPv6 addresses that belong to a pair's end with it. */
int track_open(struct track **out, const struct prefix6 *tunnel6, struct diag *d)
	__attribute__((warn_unused_result));
void track_free(struct track *t);

/* Ends all connections from peers to printers: to the house, but for the gateway's own address. */
int track_cut_all(struct track *t, struct prefix4 tunnel, struct diag *d)
	__attribute__((warn_unused_result));

/* Ends the connections of all pairs (sorted in place). ERR_KERNEL. */
int track_cut(struct track *t, struct track_pair *list, size_t n, struct diag *d)
	__attribute__((warn_unused_result));
