/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What link.c (interfaces), link_addr.c (addresses), link_route.c (routes) and link_rule.c (rules)
 * share.
 */
#pragma once

#include "daemon/priv/link.h"

struct nl_sock;

struct link {
	struct nl_sock *sk;
	/* Its dumps are filtered by the kernel (NETLINK_GET_STRICT_CHK): a table, not all routes. */
	struct nl_sock *strict;
	char interface[IFNAMSIZ];
	int index; /* of our interface when it was last seen, 0: not yet */
};

/* link.c's: our interface's index. ERR_NOT_FOUND: there is none. */
int link_own_index(struct link *l, int *index, struct diag *d) __attribute__((warn_unused_result));

/* link_rule.c's: the rules of one family at the head of the list. Returns libnl's code. */
int link_rules_up(struct link *l, uint8_t family, bool mend, bool *mended);
int link_rules_down(struct link *l, uint8_t family);
