/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What link.c (interfaces and addresses) and link_route.c (rules and routes) share.
 */
#pragma once

#include "daemon/priv/link.h"

struct nl_sock;

struct link {
	struct nl_sock *sk;
	/* Its dumps are filtered by the kernel (NETLINK_GET_STRICT_CHK): a table, not all routes. */
	struct nl_sock *strict;
	char interface[IFNAMSIZ];
};
