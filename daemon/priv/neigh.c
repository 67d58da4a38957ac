/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Neighbour entries over route netlink. Called by gate.c, which decides what is pinned.
 */
#include "daemon/priv/neigh.h"

#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "common/log.h"
#include "common/mem.h"
#include "daemon/priv/iface.h"
#include "daemon/priv/link_own.h"

struct entry {
	uint32_t addr;
	int index;
	uint16_t state; /* NUD_…; NUD_NONE: there is no entry */
	uint8_t protocol;
	struct hardware hardware;
};

struct entries {
	struct entry *item;
	size_t n, cap;
};

/* ---- reading ----------------------------------------------------------------------------------- */

/* nl_recvmsgs' callback. */
static int take_entry(struct nl_msg *m, void *arg)
{
	struct entries *list = arg;
	struct nlmsghdr *h = nlmsg_hdr(m);
	struct ndmsg *ndm = nlmsg_data(h);
	struct nlattr *tb[NDA_MAX + 1];
	struct entry e = {0};

	if (h->nlmsg_type != RTM_NEWNEIGH || nlmsg_parse(h, sizeof(*ndm), tb, NDA_MAX, NULL) < 0 ||
	    ndm->ndm_family != AF_INET || !tb[NDA_DST] || nla_len(tb[NDA_DST]) != sizeof(e.addr))
		return NL_SKIP;
	e.addr = ntohl(nla_get_u32(tb[NDA_DST]));
	e.index = ndm->ndm_ifindex;
	e.state = ndm->ndm_state;
	if (tb[NDA_PROTOCOL])
		e.protocol = nla_get_u8(tb[NDA_PROTOCOL]);
	if (tb[NDA_LLADDR] && nla_len(tb[NDA_LLADDR]) == HARDWARE_BYTES)
		memcpy(e.hardware.b, nla_data(tb[NDA_LLADDR]), HARDWARE_BYTES);
	list->item = mem_grow(list->item, &list->cap, list->n + 1, sizeof(*list->item));
	list->item[list->n++] = e;
	return NL_OK;
}

/* Asks for one entry (e given) or for all of IPv4. Returns libnl's code. */
static int entries_get(struct link *l, const struct entry *e, struct entries *list)
{
	struct ndmsg ndm = {.ndm_family = AF_INET, .ndm_ifindex = e ? e->index : 0};
	struct nl_msg *m = iface_message(RTM_GETNEIGH, e ? 0 : NLM_F_DUMP, 256);
	int rc = nlmsg_append(m, &ndm, sizeof(ndm), NLMSG_ALIGNTO);

	if (e)
		rc = rc ? rc : nla_put_u32(m, NDA_DST, htonl(e->addr));
	rc = rc ? rc : nl_send_auto(l->strict, m);
	nlmsg_free(m);
	if (rc < 0)
		return rc;
	rc = nl_socket_modify_cb(l->strict, NL_CB_VALID, NL_CB_CUSTOM, take_entry, list);
	rc = rc < 0 ? rc : nl_recvmsgs_default(l->strict);
	if (e && rc >= 0)
		rc = nl_wait_for_ack(l->strict);
	return rc < 0 ? rc : 0;
}

/* Fills in what the kernel has for the entry's address on its interface. */
static int entry_read(struct link *l, struct entry *e, struct diag *d)
{
	struct entries list = {0};
	int rc = entries_get(l, e, &list);

	if (rc == 0 && list.n == 1)
		*e = list.item[0];
	free(list.item);
	if (rc == 0 || rc == -NLE_OBJ_NOTFOUND)
		return 0;
	return iface_fail(d, rc, "cannot read the neighbour table");
}

/* ---- writing ----------------------------------------------------------------------------------- */

/* RTM_NEWNEIGH or RTM_DELNEIGH. Returns libnl's code. */
static int entry_send(struct link *l, uint16_t cmd, int flags, const struct entry *e, uint8_t use)
{
	struct ndmsg ndm = {
		.ndm_family = AF_INET,
		.ndm_ifindex = e->index,
		.ndm_state = e->state,
		.ndm_flags = use,
	};
	struct nl_msg *m = iface_message(cmd, flags, 256);
	int rc = nlmsg_append(m, &ndm, sizeof(ndm), NLMSG_ALIGNTO);

	rc = rc ? rc : nla_put_u32(m, NDA_DST, htonl(e->addr));
	if (e->state == NUD_PERMANENT) {
		rc = rc ? rc : nla_put(m, NDA_LLADDR, HARDWARE_BYTES, e->hardware.b);
		rc = rc ? rc : nla_put_u8(m, NDA_PROTOCOL, e->protocol);
	}
	if (rc) {
		nlmsg_free(m);
		return rc;
	}
	return iface_talk(l->sk, m);
}

/* Makes the kernel ask for the address: NTF_USE is what a packet to it would do. An entry that has a
 * hardware address, but an old one, is set to be verified, as it would be some seconds after use. */
static int provoke(struct link *l, const struct entry *have)
{
	struct entry e = {.addr = have->addr, .index = have->index};

	if (have->state & (NUD_INCOMPLETE | NUD_PROBE))
		return 0;
	if (have->state & (NUD_STALE | NUD_DELAY)) {
		e.state = NUD_PROBE;
		return entry_send(l, RTM_NEWNEIGH, 0, &e, 0);
	}
	return entry_send(l, RTM_NEWNEIGH, NLM_F_CREATE, &e, NTF_USE);
}

int neigh_ask(struct link *l, uint32_t addr, struct privmsg_neighbour_is *out, struct diag *d)
{
	struct entry e = {.addr = addr};
	struct link_way way;
	int rc = link_way_to(l, addr, &way, d);

	*out = (struct privmsg_neighbour_is){.state = NEIGHBOUR_NONE};
	if (rc == ERR_NOT_FOUND || (rc == 0 && !way.local && (!way.onlink || !way.ethernet)))
		return 0;
	if (rc == 0 && way.local)
		out->state = NEIGHBOUR_LOCAL;
	if (rc || way.local)
		return rc;
	e.index = way.index;
	rc = entry_read(l, &e, d);
	if (rc)
		return rc;
	if (e.state & (NUD_PERMANENT | NUD_REACHABLE) && hardware_usable(&e.hardware)) {
		*out = (struct privmsg_neighbour_is){NEIGHBOUR_KNOWN, e.hardware};
		return 0;
	}
	if (e.state & (NUD_PERMANENT | NUD_NOARP)) /* the broadcast address, for one */
		return 0;
	out->state = NEIGHBOUR_ASKED;
	rc = provoke(l, &e);
	/* An entry that vanishes meanwhile is made anew when core asks again. */
	return rc == 0 || rc == -NLE_OBJ_NOTFOUND ? 0
						  : iface_fail(d, rc, "cannot ask for a neighbour");
}

/* ---- pins -------------------------------------------------------------------------------------- */

static bool is_ours(const struct entry *e)
{
	return e->state & NUD_PERMANENT && e->protocol == NEIGH_PROTOCOL;
}

int neigh_pin(struct link *l, struct neigh_pin *p, struct diag *d)
{
	struct entry e = {.addr = p->addr};
	char text[IP4_TEXT_BYTES];
	struct link_way way;
	int rc = link_way_to(l, p->addr, &way, d);

	p->index = 0;
	if (rc == ERR_NOT_FOUND || (rc == 0 && (way.local || !way.onlink || !way.ethernet)))
		return 0;
	if (rc)
		return rc;
	e.index = way.index;
	rc = entry_read(l, &e, d);
	if (rc)
		return rc;
	ip4_format(text, p->addr);
	if (e.state & NUD_PERMANENT && !hardware_same(&e.hardware, &p->hardware) && !is_ours(&e)) {
		log_warn("gate", "somebody else's neighbour entry for %s names another machine",
			 text);
		return 0;
	}
	p->index = way.index;
	if (e.state & NUD_PERMANENT && hardware_same(&e.hardware, &p->hardware))
		return 0;
	e = (struct entry){p->addr, way.index, NUD_PERMANENT, NEIGH_PROTOCOL, p->hardware};
	rc = entry_send(l, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &e, 0);
	return rc ? iface_fail(d, rc, "cannot pin the hardware address of %s", text) : 0;
}

static bool is_kept(const struct entry *e, const struct neigh_pin *kept, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (kept[i].addr == e->addr && kept[i].index == e->index)
			return true;
	return false;
}

int neigh_unpin_others(struct link *l, const struct neigh_pin *kept, size_t n, struct diag *d)
{
	struct entries list = {0};
	int rc = entries_get(l, NULL, &list);

	for (size_t i = 0; rc == 0 && i < list.n; i++) {
		const struct entry *e = &list.item[i];
		const struct entry which = {.addr = e->addr, .index = e->index};

		if (!is_ours(e) || is_kept(e, kept, n))
			continue;
		rc = entry_send(l, RTM_DELNEIGH, 0, &which, 0);
		if (rc == -NLE_OBJ_NOTFOUND || rc == -NLE_NODEV)
			rc = 0;
	}
	free(list.item);
	return rc ? iface_fail(d, rc, "cannot remove a pin from the neighbour table") : 0;
}
