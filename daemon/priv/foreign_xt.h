/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The matches of iptables that decide about our traffic, as both iptables-nft and the old kernel
 * tables carry them. What is not known here may hold or not.
 */
#pragma once

#include <stddef.h>

#include "daemon/priv/flow.h"

/* Does the match `name` of that revision hold for the flow? data: len bytes of its own struct. */
enum holds foreign_xt_match(const struct flow *f, const char *name, unsigned revision,
			    const void *data, size_t len);

/* Does the target end a packet's way (REJECT)? Others that are not verdicts only note something. */
bool foreign_xt_refuses(const char *target);

/* The state bit of the flow's connection, NF_CT_STATE_BIT(): the same in nftables and iptables. */
uint32_t foreign_xt_state(const struct flow *f);
