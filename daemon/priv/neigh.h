/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's neighbour table (ARP): who has an address of the LAN, and pins. A pin is a permanent
 * entry: what goes to a printer's address is sent to the one machine that was known as the printer,
 * so another that takes over the address receives nothing, also when no process of ours runs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/privmsg.h"
#include "daemon/priv/link.h"

/* NDA_PROTOCOL of our entries ('P'; iproute2's rt_protos has no such number): how they are known as
 * ours. Nobody else's permanent entries are touched. */
#define NEIGH_PROTOCOL 80

struct neigh_pin {
	uint32_t addr;
	struct hardware hardware;
	int index; /* out: the interface it holds on; 0: it does not hold */
};

/* What is known of an address now. Where it is nothing, or nothing fresh, the kernel is made to ask
 * for it (NEIGHBOUR_ASKED); nothing is waited for. */
int neigh_ask(struct link *l, uint32_t addr, struct privmsg_neighbour_is *out, struct diag *d)
	__attribute__((warn_unused_result));

/* Sets the pin where the address is on-link; where it is not, or somebody else has a permanent entry
 * for another machine, it does not hold, which is no error. */
int neigh_pin(struct link *l, struct neigh_pin *p, struct diag *d)
	__attribute__((warn_unused_result));

/* Removes all pins of ours but those that hold. */
int neigh_unpin_others(struct link *l, const struct neigh_pin *kept, size_t n, struct diag *d)
	__attribute__((warn_unused_result));
