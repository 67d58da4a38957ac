/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links, addresses, per-interface forwarding and policy routing over route netlink (libnl-3,
 * libnl-route-3). No /proc/sys: forwarding and IPv6 are set by IFLA_AF_SPEC, which works where
 * /proc/sys is read-only.
 *
 * Policy routing, the second barrier, for what comes in by the tunnel and before the machine's own
 * addresses are looked at:
 *
 *	0: iif WG fwmark LINK_MARK/LINK_MARK lookup LINK_TABLE
 *	0: iif WG fwmark 0/LINK_MARK unreachable
 *	0: lookup local
 *
 * Only what the firewall table has judged bears the mark, so without that table nothing has a way,
 * not even to this machine. And with it only what LINK_TABLE lets through: a `throw` route per printer
 * target and for the tunnel address (the look-up goes on in the local and main tables, which know the
 * way, also after the LAN's own routes have changed), `prohibit` for this machine's own addresses
 * within a printer subnet, `unreachable default`; for IPv6 only the latter, and with tunnel6 the tunnel
 * address.
 *
 * And for each LAN interface on which we switched forwarding on, behind `local`:
 *
 *	1: iif LAN fwmark 0/LINK_MARK blackhole
 *
 * Without the table, which marks what comes from there, the machine forwards nothing for its
 * neighbours; and the rule tells a later printgated that it was us.
 *
 * A rule is put behind those of its own priority, so `local` is set again behind ours and the old one
 * removed: there is no moment without it, and `ip rule flush` spares rules of priority 0.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/inet.h"
#include "common/inet6.h"

#define LINK_TABLE 20551      /* routing table of ours: 'P' << 8 | 'G' */
#define LINK_MARK  0x08000000 /* of packets that the table has judged; others' marks are kept */
#define LINK_GROUP 20551 /* IFLA_GROUP of our interface, which stays with it under another name */
#define LINK_ALIAS "printgate" /* IFLA_IFALIAS: how we know an interface as ours */
#define LINK_MTU   1420	       /* 1500 less WireGuard over IPv6 (wg-quick(8)) */

struct link;

int link_open(struct link **out, const char interface[IFNAMSIZ], struct diag *d)
	__attribute__((warn_unused_result));
void link_free(struct link *l);
/* The netlink port id of its socket: notifications that bear it are our own doing. */
uint32_t link_port(const struct link *l);

/* Our interface. */
/* Its addresses, with host bits: the only ones, others are removed. six of length 0: none of IPv6.
 * ERR_CONFIG, with what to do, where this machine has no IPv6 for it. */
int link_address(struct link *l, struct prefix4 four, const struct prefix6 *six, struct diag *d)
	__attribute__((warn_unused_result));
int link_is_up(struct link *l, bool *up, struct diag *d) __attribute__((warn_unused_result));
int link_up(struct link *l, struct diag *d) __attribute__((warn_unused_result));
/* Ours, if somebody has renamed it meanwhile, gets its name back, and is down then. */
int link_reclaim(struct link *l, struct diag *d) __attribute__((warn_unused_result));
/* Any other interface that bears our mark, from a configuration of before, is set down: the rules do
 * not speak of it any more. */
int link_strays_down(struct link *l, struct diag *d) __attribute__((warn_unused_result));
/* Our group; IPv4 forwarding on ours on; source routes off; no link-local address on it, so that
 * without an IPv6 address from link_address nothing of IPv6 is accepted. */
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
	bool ethernet; /* machines there have hardware addresses, which the kernel asks for */
	int index;     /* the interface's */
};
int link_way_to(struct link *l, uint32_t addr, struct link_way *out, struct diag *d)
	__attribute__((warn_unused_result));

/* Whether all of p lies in a network that this machine has an address of. (That a route has no
 * router says less: on a point-to-point line the whole internet is reached that way.) */
int link_own_net(struct link *l, struct prefix4 p, bool *own, struct diag *d)
	__attribute__((warn_unused_result));

/* The rule of a LAN interface, made if missing, and removed; and each interface that has one. */
int link_gated_put(struct link *l, const char *interface, struct diag *d)
	__attribute__((warn_unused_result));
int link_gated_del(struct link *l, const char *interface, struct diag *d)
	__attribute__((warn_unused_result)); /* absent is no error */
typedef void (*link_gated_fn)(void *arg, const char *interface);
int link_gated_each(struct link *l, link_gated_fn fn, void *arg, struct diag *d)
	__attribute__((warn_unused_result));

/* Calls fn for each IPv4 address of this machine; len is its network's. */
typedef void (*link_own_fn)(void *arg, uint32_t addr, uint8_t len);
int link_own_each(struct link *l, link_own_fn fn, void *arg, struct diag *d)
	__attribute__((warn_unused_result));

/* The rules and `unreachable default`, IPv4 and IPv6, made if missing or out of order. With `mend`,
 * the kernel's own rules for the tables main and default are set again if they are gone: a flush takes
 * them too, and no packet finds a way then, not even WireGuard's. *mended tells of that. */
int link_barrier_up(struct link *l, bool mend, bool *mended, struct diag *d)
	__attribute__((warn_unused_result));
/* Makes our table equal to the lists: `through` and `six` (of length 0: nothing) thrown to the other
 * tables, `shut` prohibited (which a phone is told at once, also by UDP). */
int link_targets_sync(struct link *l, const struct prefix4 *through, size_t n,
		      const struct prefix4 *shut, size_t m, const struct prefix6 *six,
		      struct diag *d) __attribute__((warn_unused_result));
/* Rules and table removed. */
int link_barrier_down(struct link *l, struct diag *d) __attribute__((warn_unused_result));
