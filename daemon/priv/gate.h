/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gate: nftables, WireGuard, links and routes as one thing that is made equal to what core says.
 * Order on the way up: pins → table acknowledged → rules and routes → peers → forwarding → link up. Nothing
 * is taken down on exit.
 */
#pragma once

#include "daemon/priv/change.h"
#include "daemon/priv/conf.h"
#include "daemon/priv/link.h"
#include "daemon/priv/nft.h"
#include "daemon/priv/track.h"
#include "daemon/priv/wg.h"

struct gate {
	const struct conf *conf;
	int key_dir; /* STATE/net */
	struct nft *nft;
	struct link *link;
	struct track *track;
	struct wg *wg;
	struct privmsg_printer
		*printers; /* as last applied: which targets and LAN interfaces are needed */
	size_t printer_count, printer_room;
	/* Interfaces on which we switched forwarding on. The table's set `gated` and a routing rule for
	 * each say so too: from them a later printgated learns it, and others can flush either. */
	struct gate_lan {
		char interface[IFNAMSIZ];
	} * gated;
	size_t gated_count, gated_room;
	bool stands; /* a full change has been applied: what is missing since then was taken away */
};

/* Opens the netlink parts (CAP_NET_ADMIN) and shuts the gate where there is no table yet. */
int gate_open(struct gate *g, const struct nft_shape *shape, struct diag *d)
	__attribute__((warn_unused_result));

/* Applies a change. *item is the item that failed, or UINT32_MAX. *half is true when nftables had
 * been changed before something else failed: a full change is then needed to make things equal. */
int gate_apply(struct gate *g, const struct change *c, uint32_t *item, bool *half, struct diag *d)
	__attribute__((warn_unused_result));

/* Replaces the table by the rules without any grant, at once: for when somebody else has taken rules
 * away. A full change opens it again. */
int gate_shut(struct gate *g, struct diag *d) __attribute__((warn_unused_result));

/* Turns forwarding on where printers are reached now, after links or routes have changed. */
int gate_lan(struct gate *g, struct diag *d) __attribute__((warn_unused_result));

/* Our rules in Docker's chain, as the configuration says: there or gone. *changed: they were not. */
int gate_coexist(struct gate *g, bool *changed, struct diag *d) __attribute__((warn_unused_result));

/* Who is at that address: asks the kernel, which asks the LAN, and does not wait for it. An address
 * that could be no printer's is nobody's. */
int gate_neighbour(struct gate *g, uint32_t address, struct privmsg_neighbour_is *out,
		   struct diag *d) __attribute__((warn_unused_result));

/* Pins the printers whose hardware address is known to it wherever they are on-link now, and closes
 * the way to those that are not: at once, after links or routes have changed. */
int gate_pins(struct gate *g, struct diag *d) __attribute__((warn_unused_result));

/* Removes everything: forwarding back to what it was, interface, pins, routes, rules in Docker's
 * chain, table, in this order. */
int gate_down(struct gate *g, struct diag *d) __attribute__((warn_unused_result));
void gate_close(struct gate *g);
