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
	int log;	/* NFLOG group of handshakes; -1: this kernel has none */
	int route, nft; /* descriptors to poll for reading */
	char interface[IFNAMSIZ];
	int index; /* of the interface, by which it is known under another name; 0: none seen */
};

/* What was seen, flags: OURS, our table, interface, address, rule or route was touched: make it equal
 * again. BARE, together with OURS: the table, a chain or a rule of it is gone, it may be open. LAN, a
 * route, an address, a link or forwarding elsewhere changed: look for printers' ways again. HANDSHAKE, a
 * handshake message came: some peer may have connected. DOCKER, the chain of coexist.h came, or lost
 * rules. DOWN, together with OURS: the interface was set down, if only for a moment. */
#define WATCH_OURS	1
#define WATCH_LAN	2
#define WATCH_BARE	4
#define WATCH_HANDSHAKE 8
#define WATCH_DOCKER	16
#define WATCH_DOWN	32

/* own_route, own_nft: port ids of the sockets by which this process makes its changes, which are not
 * told of. */
int watch_open(struct watch *w, const char *interface, uint32_t own_route, uint32_t own_nft,
	       struct diag *d) __attribute__((warn_unused_result));
/* NFLOG's part, which must be there before HELLO tells core whether it can count on it. Fails where
 * the kernel has no NFLOG or another program has the group: w->log is -1 then. */
int watch_open_log(struct watch *w, struct diag *d) __attribute__((warn_unused_result));
void watch_close(struct watch *w);

/* Reads all that is there. A lost notification (ENOBUFS) counts as both. Returns flags. */
unsigned watch_read(struct watch *w);
