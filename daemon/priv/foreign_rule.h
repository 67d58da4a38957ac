/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One nftables rule of somebody else's, applied in thought to a flow. A rule whose match cannot be
 * told beforehand counts as not matching: a limit or a mark neither admits our traffic for certain
 * nor shuts it out.
 */
#pragma once

#include <libmnl/libmnl.h>
#include <libnftnl/rule.h>

#include "daemon/priv/flow.h"

#define FOREIGN_CHAIN_BYTES 128 /* NFT_NAME_MAXLEN is 256; none of the tools goes beyond 32 */

enum foreign_verdict {
	FOREIGN_ON, /* the next rule is asked */
	FOREIGN_ACCEPT,
	FOREIGN_DROP, /* or reject */
	FOREIGN_JUMP,
	FOREIGN_GOTO,
	FOREIGN_RETURN,
};

struct foreign_ruling {
	enum foreign_verdict verdict;
	char chain[FOREIGN_CHAIN_BYTES]; /* of JUMP and GOTO */
};

/* The socket is asked what is in sets that the rule looks up. */
struct foreign_ruling foreign_rule_apply(struct mnl_socket *socket, struct nftnl_rule *rule,
					 const struct flow *f);
