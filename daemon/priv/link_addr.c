/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses of this machine and of our interface, over route netlink (link.h). Called by printgated
 * only.
 */
#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include <netlink/addr.h>
#include <netlink/cache.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>

#include "daemon/priv/iface.h"
#include "daemon/priv/link_own.h"

/* An address of our interface, of either family, as it is wanted. */
struct wanted {
	int family;
	uint8_t addr[IP6_BYTES]; /* network order */
	unsigned bytes;
	uint8_t len; /* of its network */
	bool there;  /* found, and for sure */
};

static bool is_it(struct rtnl_addr *a, const struct wanted *w)
{
	struct nl_addr *local = rtnl_addr_get_local(a);

	return local && nl_addr_get_family(local) == w->family &&
	       nl_addr_get_len(local) == w->bytes && rtnl_addr_get_prefixlen(a) == w->len &&
	       memcmp(nl_addr_get_binary_addr(local), w->addr, w->bytes) == 0;
}

static bool any_is_it(struct rtnl_addr *a, struct wanted *list, unsigned n)
{
	bool it = false;

	for (unsigned i = 0; i < n; i++) {
		bool this_one = is_it(a, &list[i]);

		list[i].there |= this_one;
		it |= this_one;
	}
	return it;
}

/* Removes all addresses of the interface but the wanted ones. */
static int addresses_strip(struct link *l, int index, struct wanted *list, unsigned n,
			   struct diag *d)
{
	struct nl_cache *cache = NULL;
	struct nl_object *o;
	bool removed = false;
	int rc = rtnl_addr_alloc_cache(l->sk, &cache);

	if (rc < 0)
		return iface_fail(d, rc, "cannot list addresses");
	for (o = nl_cache_get_first(cache); o && rc >= 0; o = nl_cache_get_next(o)) {
		struct rtnl_addr *a = (struct rtnl_addr *)o;

		if (rtnl_addr_get_ifindex(a) != index || any_is_it(a, list, n))
			continue;
		rc = rtnl_addr_delete(l->sk, a, 0);
		if (rc == -NLE_NOADDR || rc == -NLE_OBJ_NOTFOUND)
			rc = 0;
		removed = true;
	}
	nl_cache_free(cache);
	for (unsigned i = 0; i < n; i++)
		list[i].there &= !removed; /* it may have taken along others of its subnet */
	return rc < 0 ? iface_fail(d, rc, "cannot remove an address of %s", l->interface) : 0;
}

/* An IPv4 address and its network's length; false: it is something else. */
static bool own_ip4(struct rtnl_addr *a, uint32_t *addr, uint8_t *len)
{
	struct nl_addr *local = rtnl_addr_get_local(a);
	uint32_t raw;

	if (!local || nl_addr_get_family(local) != AF_INET || nl_addr_get_len(local) != sizeof(raw))
		return false;
	memcpy(&raw, nl_addr_get_binary_addr(local), sizeof(raw));
	*addr = ntohl(raw);
	*len = (uint8_t)rtnl_addr_get_prefixlen(a);
	return true;
}

int link_own_each(struct link *l, link_own_fn fn, void *arg, struct diag *d)
{
	struct nl_cache *cache = NULL;
	struct nl_object *o;
	uint32_t addr;
	uint8_t len;
	int rc = rtnl_addr_alloc_cache(l->sk, &cache);

	if (rc < 0)
		return iface_fail(d, rc, "cannot list addresses");
	for (o = nl_cache_get_first(cache); o; o = nl_cache_get_next(o))
		if (own_ip4((struct rtnl_addr *)o, &addr, &len))
			fn(arg, addr, len);
	nl_cache_free(cache);
	return 0;
}

struct own_net {
	struct prefix4 wanted;
	bool found;
};

static void own_net_has(void *arg, uint32_t addr, uint8_t len)
{
	struct own_net *o = arg;

	o->found |= prefix4_covers((struct prefix4){addr & prefix4_mask(len), len}, o->wanted);
}

int link_own_net(struct link *l, struct prefix4 p, bool *own, struct diag *d)
{
	struct own_net o = {.wanted = p};
	int rc = link_own_each(l, own_net_has, &o, d);

	*own = o.found;
	return rc;
}

/* A kernel without IPv6, or one that has it disabled on new interfaces (EACCES). */
static int no_ipv6(struct link *l, struct diag *d)
{
	return diag_set(
		d, ERR_CONFIG,
		"%s cannot have an IPv6 address: IPv6 is disabled on this machine; enable it "
		"(sysctl net.ipv6.conf.all.disable_ipv6=0 "
		"net.ipv6.conf.default.disable_ipv6=0), or set tunnel6 = off",
		l->interface);
}

static int address_add(struct link *l, int index, const struct wanted *w, struct diag *d)
{
	struct ifaddrmsg ifa = {
		.ifa_family = (uint8_t)w->family,
		.ifa_prefixlen = w->len,
		.ifa_flags = w->family == AF_INET6 ? IFA_F_NODAD : 0, /* nobody else is there */
		.ifa_scope = RT_SCOPE_UNIVERSE,
		.ifa_index = (unsigned)index,
	};
	struct nl_msg *m = iface_message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, 256);
	int rc = nlmsg_append(m, &ifa, sizeof(ifa), NLMSG_ALIGNTO);

	rc = rc ? rc : nla_put(m, IFA_LOCAL, (int)w->bytes, w->addr);
	rc = rc ? rc : nla_put(m, IFA_ADDRESS, (int)w->bytes, w->addr);
	if (rc) {
		nlmsg_free(m);
		return iface_fail(d, rc, "cannot set the address of %s", l->interface);
	}
	rc = iface_talk(l->sk, m);
	if (rc == 0 || rc == -NLE_EXIST)
		return 0;
	if (w->family == AF_INET6 &&
	    (rc == -NLE_NOACCESS || rc == -NLE_AF_NOSUPPORT || rc == -NLE_OPNOTSUPP))
		return no_ipv6(l, d);
	return iface_fail(d, rc, "cannot set the address of %s", l->interface);
}

int link_address(struct link *l, struct prefix4 four, const struct prefix6 *six, struct diag *d)
{
	const uint32_t raw = htonl(four.addr);
	struct wanted list[] = {
		{.family = AF_INET, .bytes = sizeof(raw), .len = four.len},
		{.family = AF_INET6, .bytes = sizeof(six->addr), .len = six->len},
	};
	unsigned n = six->len ? 2 : 1;
	int index;
	int rc = link_own_index(l, &index, d);

	memcpy(list[0].addr, &raw, sizeof(raw));
	memcpy(list[1].addr, six->addr, sizeof(six->addr));
	rc = rc ? rc : addresses_strip(l, index, list, n, d);
	for (unsigned i = 0; i < n && !rc; i++)
		if (!list[i].there)
			rc = address_add(l, index, &list[i], d);
	return rc;
}
