/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interfaces, forwarding and the way to an address, over route netlink (link.h). Addresses are
 * link_addr.c's, rules and routes of our table link_route.c's. Called by printgated only.
 */
#include "daemon/priv/link.h"

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/if_arp.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <netlink/addr.h>
#include <netlink/cache.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/link/inet.h>
#include <netlink/route/link/inet6.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>

#include "common/log.h"
#include "common/mem.h"
#include "daemon/priv/iface.h"
#include "daemon/priv/link_own.h"

int link_open(struct link **out, const char interface[IFNAMSIZ], struct diag *d)
{
	struct link *l = mem_zalloc(1, sizeof(*l));
	int one = 1;
	int rc;

	(void)snprintf(l->interface, sizeof(l->interface), "%s", interface);
	rc = iface_socket(&l->sk, d);
	rc = rc ? rc : iface_socket(&l->strict, d);
	if (rc) {
		link_free(l);
		return rc;
	}
	/* Older kernels (< 4.20) have no filter: then whole dumps come, and are filtered here. */
	(void)setsockopt(nl_socket_get_fd(l->strict), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one,
			 sizeof(one));
	*out = l;
	return 0;
}

void link_free(struct link *l)
{
	if (!l)
		return;
	nl_socket_free(l->sk);
	nl_socket_free(l->strict);
	free(l);
}

uint32_t link_port(const struct link *l)
{
	return nl_socket_get_local_port(l->sk);
}

int link_own_index(struct link *l, int *index, struct diag *d)
{
	struct iface i;
	int rc = iface_get(l->sk, l->interface, &i, d);

	*index = i.index;
	if (i.index)
		l->index = i.index;
	if (rc == 0 && !i.index)
		return diag_set(d, ERR_NOT_FOUND, "there is no interface %s", l->interface);
	return rc;
}

/* ---- up, forwarding -------------------------------------------------------------------------- */

static struct rtnl_link *blank(void)
{
	struct rtnl_link *link = rtnl_link_alloc();

	if (!link)
		abort(); /* out of memory */
	return link;
}

/* Makes the interface what `want` says; frees it. Returns libnl's code. */
static int change(struct link *l, int index, struct rtnl_link *want)
{
	struct rtnl_link *which = blank();
	int rc;

	rtnl_link_set_ifindex(which, index);
	rc = rtnl_link_change(l->sk, which, want, 0);
	rtnl_link_put(which);
	rtnl_link_put(want);
	return rc;
}

/* Renames an interface, and sets it down: while it is up, kernels before 6.2 refuse. */
static int rename_to(struct link *l, int index, const char *name)
{
	struct rtnl_link *down = blank();
	struct rtnl_link *named;
	int rc;

	rtnl_link_unset_flags(down, IFF_UP);
	rc = change(l, index, down);
	if (rc < 0)
		return rc;
	named = blank();
	rtnl_link_set_name(named, name);
	return change(l, index, named);
}

static bool bears_mark(struct rtnl_link *link)
{
	const char *alias = rtnl_link_get_ifalias(link);

	return alias && !strcmp(alias, LINK_ALIAS);
}

int link_reclaim(struct link *l, struct diag *d)
{
	struct rtnl_link *link = NULL;
	bool renamed;
	int rc;

	if (!l->index || rtnl_link_get_kernel(l->sk, l->index, NULL, &link) < 0)
		return 0; /* there was none yet, or it is gone */
	renamed = strcmp(rtnl_link_get_name(link), l->interface) != 0 && bears_mark(link);
	rtnl_link_put(link);
	if (!renamed)
		return 0;
	rc = rename_to(l, l->index, l->interface);
	return rc < 0 ? iface_fail(d, rc, "cannot give %s its name again", l->interface) : 0;
}

int link_strays_down(struct link *l, struct diag *d)
{
	struct nl_cache *cache = NULL;
	struct nl_object *o;
	int rc = rtnl_link_alloc_cache(l->sk, AF_UNSPEC, &cache);

	if (rc < 0)
		return iface_fail(d, rc, "cannot list interfaces");
	for (o = nl_cache_get_first(cache); o && rc >= 0; o = nl_cache_get_next(o)) {
		struct rtnl_link *link = (struct rtnl_link *)o, *down;

		if (!bears_mark(link) || !(rtnl_link_get_flags(link) & IFF_UP) ||
		    !strcmp(rtnl_link_get_name(link), l->interface))
			continue;
		log_warn("link", "%s was printgate's under another configuration: set down",
			 rtnl_link_get_name(link));
		down = blank();
		rtnl_link_unset_flags(down, IFF_UP);
		rc = change(l, rtnl_link_get_ifindex(link), down);
	}
	nl_cache_free(cache);
	return rc < 0 ? iface_fail(d, rc, "cannot set an interface of before down") : 0;
}

int link_is_up(struct link *l, bool *up, struct diag *d)
{
	struct iface i;
	int rc = iface_get(l->sk, l->interface, &i, d);

	*up = rc == 0 && i.up;
	return rc;
}

int link_up(struct link *l, struct diag *d)
{
	struct rtnl_link *want;
	int index;
	int rc = link_own_index(l, &index, d);

	if (rc)
		return rc;
	want = blank();
	rtnl_link_set_flags(want, IFF_UP);
	rc = change(l, index, want);
	if (rc == -NLE_EXIST) /* EADDRINUSE: the kernel's WireGuard binds its port now */
		return diag_set(d, ERR_KERNEL,
				"cannot bring %s up: its UDP port is taken by another program "
				"(ss -ulnp shows which)",
				l->interface);
	return rc < 0 ? iface_fail(d, rc, "cannot bring %s up", l->interface) : 0;
}

/* A phone does not choose its packets' way by IP options, whatever the machine's default is: beyond
 * the first hop of a source route its packets would no longer be what the table has judged. */
static int source_routes_off(struct link *l, int index)
{
	struct rtnl_link *want = blank();
	int rc = rtnl_link_inet_set_conf(want, IPV4_DEVCONF_ACCEPT_SOURCE_ROUTE, 0);

	if (rc < 0) {
		rtnl_link_put(want);
		return rc;
	}
	return change(l, index, want);
}

/* The rules know the interface by its group too, which it keeps whatever it is called. */
static int group_set(struct link *l, int index)
{
	struct rtnl_link *want = blank();

	rtnl_link_set_group(want, LINK_GROUP);
	return change(l, index, want);
}

static int forwarding_change(struct link *l, int index, bool on)
{
	struct rtnl_link *want = blank();
	int rc = rtnl_link_inet_set_conf(want, IPV4_DEVCONF_FORWARDING, on);

	if (rc < 0) {
		rtnl_link_put(want);
		return rc;
	}
	return change(l, index, want);
}

/* No link-local address: without one that we set the interface answers nothing. A kernel
 * without IPv6, or an interface that IPv6 is disabled on, has nothing to switch off. */
static int link_local_off(struct link *l, int index)
{
	struct rtnl_link *want = blank();
	int rc = rtnl_link_inet6_set_addr_gen_mode(want, IN6_ADDR_GEN_MODE_NONE);

	if (rc < 0) {
		rtnl_link_put(want);
		return rc;
	}
	rc = change(l, index, want);
	if (rc == -NLE_AF_NOSUPPORT || rc == -NLE_OPNOTSUPP)
		return 0;
	return rc;
}

int link_forward_on(struct link *l, struct diag *d)
{
	int index;
	int rc = link_own_index(l, &index, d);

	if (rc)
		return rc;
	rc = group_set(l, index);
	if (rc < 0)
		return iface_fail(d, rc, "cannot put %s into its group", l->interface);
	rc = link_local_off(l, index);
	if (rc < 0)
		return iface_fail(d, rc, "cannot switch IPv6's link-local address off on %s",
				  l->interface);
	rc = source_routes_off(l, index);
	if (rc < 0)
		return iface_fail(d, rc, "cannot switch source routes off on %s", l->interface);
	rc = forwarding_change(l, index, true);
	return rc < 0 ? iface_fail(d, rc, "cannot switch forwarding on for %s", l->interface) : 0;
}

int link_forwarding_get(struct link *l, const char *interface, bool *on, struct diag *d)
{
	struct rtnl_link *link = NULL;
	uint32_t value = 0;
	int rc = rtnl_link_get_kernel(l->sk, 0, interface, &link);

	if (rc == -NLE_NODEV || rc == -NLE_OBJ_NOTFOUND)
		return diag_set(d, ERR_NOT_FOUND, "there is no interface %s", interface);
	if (rc < 0)
		return iface_fail(d, rc, "cannot ask for the interface %s", interface);
	rc = rtnl_link_inet_get_conf(link, IPV4_DEVCONF_FORWARDING, &value);
	rtnl_link_put(link);
	if (rc < 0)
		return iface_fail(d, rc, "cannot tell whether %s forwards", interface);
	*on = value != 0;
	return 0;
}

int link_forwarding_set(struct link *l, const char *interface, bool on, struct diag *d)
{
	struct iface i;
	int rc = iface_get(l->sk, interface, &i, d);

	if (rc || !i.index)
		return rc;
	rc = forwarding_change(l, i.index, on);
	if (rc >= 0 || rc == -NLE_NODEV || rc == -NLE_OBJ_NOTFOUND)
		return 0;
	return iface_fail(d, rc, "cannot switch forwarding %s for %s", on ? "on" : "off",
			  interface);
}

/* ---- the way to an address ------------------------------------------------------------------- */

static int way_of(struct link *l, struct rtnl_route *route, const char *text, struct link_way *out,
		  struct diag *d)
{
	struct rtnl_nexthop *hop = rtnl_route_nexthop_n(route, 0);
	uint8_t type = rtnl_route_get_type(route);
	struct rtnl_link *link = NULL;
	int rc;

	if (type != RTN_UNICAST && type != RTN_LOCAL)
		return diag_set(d, ERR_NOT_FOUND, "%s is not the address of one machine", text);
	if (!hop)
		return diag_set(d, ERR_NOT_FOUND, "there is no route to %s", text);
	rc = rtnl_link_get_kernel(l->sk, rtnl_route_nh_get_ifindex(hop), NULL, &link);
	if (rc < 0)
		return iface_fail(d, rc, "cannot name the interface that leads to %s", text);
	memset(out, 0, sizeof(*out));
	(void)snprintf(out->interface, sizeof(out->interface), "%s", rtnl_link_get_name(link));
	out->index = rtnl_link_get_ifindex(link);
	out->ethernet = rtnl_link_get_arptype(link) == ARPHRD_ETHER &&
			!(rtnl_link_get_flags(link) & IFF_NOARP);
	out->local = type == RTN_LOCAL;
	out->onlink = !rtnl_route_nh_get_gateway(hop) && !rtnl_route_nh_get_via(hop);
	rtnl_link_put(link);
	return 0;
}

int link_way_to(struct link *l, uint32_t addr, struct link_way *out, struct diag *d)
{
	struct in_addr ip = {.s_addr = htonl(addr)};
	struct nl_addr *to = nl_addr_build(AF_INET, &ip, sizeof(ip));
	struct rtnl_route *route = NULL;
	char text[IP4_TEXT_BYTES];
	int rc;

	if (!to)
		abort(); /* out of memory */
	ip4_format(text, addr);
	rc = rtnl_route_lookup(l->sk, to, &route);
	nl_addr_put(to);
	if (rc == -NLE_PERM)
		return iface_fail(d, rc, "cannot ask for the route to %s", text);
	if (rc < 0) /* unreachable, prohibit, no route: libnl has no code for each */
		return diag_set(d, ERR_NOT_FOUND, "there is no route to %s", text);
	rc = way_of(l, route, text, out, d);
	rtnl_route_put(route);
	return rc;
}
