/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links, addresses, per-interface forwarding and policy routing over route netlink (libnl-3,
 * libnl-route-3). No /proc/sys: forwarding and IPv6 are set by IFLA_AF_SPEC, which works where
 * /proc/sys is read-only.
 *
 * Policy routing, the second barrier: a rule `iif WG lookup LINK_TABLE` whose table holds a `throw`
 * route per printer target (the look-up goes on in the main table, which knows the way, also after
 * the LAN's own routes have changed) and `unreachable default`; for IPv6 only the latter.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/inet.h"

#define LINK_TABLE 20551 /* routing table of ours: 'P' << 8 | 'G' */
/* Of our rules: after `local` (0), before `main` (32766) and wg-quick's. */
#define LINK_PRIORITY 551
#define LINK_ALIAS    "printgate" /* IFLA_IFALIAS: how we know an interface as ours */
#define LINK_MTU      1420	  /* 1500 less WireGuard over IPv6 (wg-quick(8)) */

struct link;

int link_open(struct link **out, const char interface[IFNAMSIZ], struct diag *d)
	__attribute__((warn_unused_result));
void link_free(struct link *l);
/* The netlink port id of its socket: notifications that bear it are our own doing. */
uint32_t link_port(const struct link *l);

/* Our interface. */
int link_address(struct link *l, uint32_t addr, uint8_t len, struct diag *d)
	__attribute__((warn_unused_result)); /* the only one: others are removed */
int link_up(struct link *l, struct diag *d) __attribute__((warn_unused_result));
/* Forwarding on ours on; source routes off, IPv6 off on it (no link-local address, nothing
 * accepted). */
int link_forward_on(struct link *l, struct diag *d) __attribute__((warn_unused_result));

/* Any interface. */
int link_forwarding_get(struct link *l, const char *interface, bool *on, struct diag *d)
	__attribute__((warn_unused_result));
int link_forwarding_set(struct link *l, const char *interface, bool on, struct diag *d)
	__attribute__((warn_unused_result)); /* an interface that is gone is no error */

/* By which interface, and whether without a router (on-link), an address is reached now.
 * ERR_NOT_FOUND: no route. `local` if it is this machine's own. */
struct link_way {
	char interface[IFNAMSIZ];
	bool onlink;
	bool local;
};
int link_way_to(struct link *l, uint32_t addr, struct link_way *out, struct diag *d)
	__attribute__((warn_unused_result));

/* Whether all of p lies in a network that this machine has an address of. (That a route has no
 * router says less: on a point-to-point line the whole internet is reached that way.) */
int link_own_net(struct link *l, struct prefix4 p, bool *own, struct diag *d)
	__attribute__((warn_unused_result));

/* The rules and `unreachable default`, IPv4 and IPv6, made if missing. */
int link_barrier_up(struct link *l, struct diag *d) __attribute__((warn_unused_result));
int link_target_put(struct link *l, struct prefix4 target, struct diag *d)
	__attribute__((warn_unused_result));
int link_target_del(struct link *l, struct prefix4 target, struct diag *d)
	__attribute__((warn_unused_result)); /* absent is no error */
/* Makes the throw routes equal to the list. */
int link_targets_sync(struct link *l, const struct prefix4 *list, size_t n, struct diag *d)
	__attribute__((warn_unused_result));
/* Rules and table removed. */
int link_barrier_down(struct link *l, struct diag *d) __attribute__((warn_unused_result));
