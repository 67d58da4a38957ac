/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interfaces by name over route netlink. Decides nothing: it says whether an interface bears our
 * mark, and the callers (wg_kernel.c, wg_user.c, link.c) decide what that means.
 */
#include "daemon/priv/iface.h"

#include <linux/if_link.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>

#include "daemon/priv/link.h"

int iface_fail(struct diag *d, int nlerr, const char *fmt, ...)
{
	char what[DIAG_TEXT_BYTES];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (nlerr == -NLE_PERM)
		return diag_set(d, ERR_NOT_PERMITTED,
				"%s: the kernel asks for the capability CAP_NET_ADMIN in this "
				"network namespace",
				what);
	return diag_set(d, ERR_KERNEL, "%s: %s", what, nl_geterror(nlerr));
}

int iface_foreign(const char *name, struct diag *d)
{
	return diag_set(d, ERR_CONFLICT,
			"the interface %s is there already and is not printgate's: remove it, or "
			"choose another interface name",
			name);
}

int iface_socket(struct nl_sock **out, struct diag *d)
{
	struct nl_sock *sk = nl_socket_alloc();
	int rc = sk ? nl_connect(sk, NETLINK_ROUTE) : -NLE_NOMEM;

	if (rc < 0) {
		nl_socket_free(sk);
		return iface_fail(d, rc, "cannot open a route netlink socket");
	}
	*out = sk;
	return 0;
}

struct nl_msg *iface_message(uint16_t type, int flags, unsigned long room)
{
	struct nl_msg *m = nlmsg_alloc_size(room);

	if (!m || !nlmsg_put(m, NL_AUTO_PORT, NL_AUTO_SEQ, type, 0, flags))
		abort(); /* out of memory */
	return m;
}

int iface_talk(struct nl_sock *sk, struct nl_msg *m)
{
	int rc = nl_send_sync(sk, m); /* frees m */

	return rc < 0 ? rc : 0;
}

int iface_get(struct nl_sock *sk, const char *name, struct iface *out, struct diag *d)
{
	struct rtnl_link *link = NULL;
	const char *text;
	int rc;

	memset(out, 0, sizeof(*out));
	rc = rtnl_link_get_kernel(sk, 0, name, &link);
	if (rc == -NLE_NODEV || rc == -NLE_OBJ_NOTFOUND)
		return 0;
	if (rc < 0)
		return iface_fail(d, rc, "cannot ask for the interface %s", name);
	out->index = rtnl_link_get_ifindex(link);
	out->up = (rtnl_link_get_flags(link) & IFF_UP) != 0;
	out->carrier = rtnl_link_get_carrier(link) != 0;
	text = rtnl_link_get_ifalias(link);
	out->ours = text && strcmp(text, LINK_ALIAS) == 0;
	text = rtnl_link_get_type(link);
	(void)snprintf(out->kind, sizeof(out->kind), "%s", text ? text : "");
	rtnl_link_put(link);
	return 0;
}

int iface_create(struct nl_sock *sk, const char *name, const char *kind, unsigned mtu,
		 struct diag *d)
{
	struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC};
	struct nl_msg *m = iface_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 512);
	struct nlattr *info;
	int rc = nlmsg_append(m, &ifi, sizeof(ifi), NLMSG_ALIGNTO);

	rc = rc ? rc : nla_put_string(m, IFLA_IFNAME, name);
	rc = rc ? rc : nla_put_u32(m, IFLA_MTU, mtu);
	info = rc ? NULL : nla_nest_start(m, IFLA_LINKINFO);
	if (!info || nla_put_string(m, IFLA_INFO_KIND, kind) || nla_nest_end(m, info)) {
		nlmsg_free(m);
		return diag_set(d, ERR_INTERNAL, "the message that creates %s is too long", name);
	}
	rc = iface_talk(sk, m);
	if (rc == -NLE_OPNOTSUPP)
		return diag_set(d, ERR_NOT_FOUND, "this kernel has no interfaces of kind %s", kind);
	return rc ? iface_fail(d, rc, "cannot create the interface %s", name) : 0;
}

int iface_mark(struct nl_sock *sk, int index, struct diag *d)
{
	struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC, .ifi_index = index};
	struct nl_msg *m = iface_message(RTM_SETLINK, 0, 256);
	int rc = nlmsg_append(m, &ifi, sizeof(ifi), NLMSG_ALIGNTO);

	rc = rc ? rc : nla_put(m, IFLA_IFALIAS, (int)strlen(LINK_ALIAS), LINK_ALIAS);
	rc = rc ? rc : nla_put_u32(m, IFLA_GROUP, LINK_GROUP);
	if (rc) {
		nlmsg_free(m);
		return iface_fail(d, rc, "cannot mark the interface");
	}
	rc = iface_talk(sk, m);
	return rc ? iface_fail(d, rc, "cannot mark the interface with alias and group") : 0;
}

int iface_delete(struct nl_sock *sk, int index, struct diag *d)
{
	struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC, .ifi_index = index};
	struct nl_msg *m = iface_message(RTM_DELLINK, 0, 256);
	int rc = nlmsg_append(m, &ifi, sizeof(ifi), NLMSG_ALIGNTO);

	if (rc) {
		nlmsg_free(m);
		return iface_fail(d, rc, "cannot remove the interface");
	}
	rc = iface_talk(sk, m);
	if (rc == 0 || rc == -NLE_NODEV || rc == -NLE_OBJ_NOTFOUND)
		return 0;
	return iface_fail(d, rc, "cannot remove the interface");
}
