/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Notices by netlink notification what others do to the kernel state that is ours: no polling. It
 * only tells what kind of thing happened; serve.c decides.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct watch {
	int route, nft; /* descriptors to poll for reading */
	char interface[IFNAMSIZ];
	uint32_t own_route,
		own_nft; /* netlink port ids of our own sockets: what we did ourselves */
};

/* What was seen; flags. */
#define WATCH_OURS                                                                                 \
	1 /* our table, interface, address, rule or route was touched: make it equal again */
#define WATCH_BARE                                                                                 \
	4 /* together with WATCH_OURS: the table, a chain or a rule of it is gone, it may be open */
#define WATCH_LAN                                                                                  \
	2 /* a route, an address or a link elsewhere changed: look for printers' ways again */

/* own_route, own_nft: port ids of the sockets by which this process makes its changes. */
int watch_open(struct watch *w, const char *interface, uint32_t own_route, uint32_t own_nft,
	       struct diag *d) __attribute__((warn_unused_result));
void watch_close(struct watch *w);

/* Reads all that is there. A lost notification (ENOBUFS) counts as both. Returns flags. */
unsigned watch_read(struct watch *w);
