/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dumps the connections, picks those of the pairs, deletes each by its tuple. (Deleting by a
 * filter is for kernels from 6.10 on.) Called by gate.c on the way of a removal only.
 */
#include "daemon/priv/track.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/mem.h"

#define TRACK_RECEIVE 32768 /* half the messages of a 16 KiB buffer */
#define TUPLE_BYTES   128   /* an IPv4 tuple has about 50, one of IPv6 74 */

/* CTA_TUPLE_ORIG's payload as the kernel sent it, to be sent back. */
struct found {
	uint8_t family;
	uint16_t len;
	char tuple[TUPLE_BYTES];
};

struct track {
	struct mnl_socket *socket;
	struct prefix6 tunnel6;
	uint32_t seq;
	const struct track_pair *pair; /* during track_cut */
	size_t pairs;
	struct prefix4 all; /* the tunnel, during track_cut_all; else of length 0 */
	struct found *found;
	size_t count, room;
};

int track_open(struct track **out, const struct prefix6 *tunnel6, struct diag *d)
{
	struct track *t = mem_zalloc(1, sizeof(*t));

	t->tunnel6 = *tunnel6;
	t->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!t->socket || mnl_socket_bind(t->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		track_free(t);
		return diag_set(d, ERR_KERNEL, "cannot open connection tracking: %s",
				strerror(errno));
	}
	*out = t;
	return 0;
}

void track_free(struct track *t)
{
	if (!t)
		return;
	if (t->socket)
		(void)mnl_socket_close(t->socket);
	free(t->found);
	free(t);
}

static struct nlmsghdr *message(struct track *t, char *buffer, uint16_t type, uint16_t flags,
				uint8_t family)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *nfg;

	nlh->nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type);
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	nlh->nlmsg_seq = ++t->seq;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	return nlh;
}

static int pair_order(const void *a, const void *b)
{
	const struct track_pair *x = a, *y = b;

	return x->peer < y->peer ? -1 : x->peer > y->peer;
}

static bool pair_of(const struct track *t, uint32_t peer, uint32_t dst)
{
	size_t low = 0, high = t->pairs;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->pair[mid].peer < peer)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < t->pairs && t->pair[low].peer == peer; low++)
		if (prefix4_contains(t->pair[low].vpn, dst))
			return true;
	return false;
}

static bool wanted(const struct track *t, uint32_t src, uint32_t dst)
{
	if (t->all.len)
		return tunnel_is_peer(t->all, src) && dst != tunnel_gateway(t->all) &&
		       prefix4_contains(tunnel_house(t->all), dst);
	return pair_of(t, 0, dst) || pair_of(t, src, dst);
}

/* The attribute of that type inside the nest, or NULL. */
static const struct nlattr *inner(const struct nlattr *nest, uint16_t type)
{
	const char *p = mnl_attr_get_payload(nest);
	int left = mnl_attr_get_payload_len(nest);

	for (const struct nlattr *a = (const void *)p; mnl_attr_ok(a, left); a = mnl_attr_next(a)) {
		if (mnl_attr_get_type(a) == type)
			return a;
		left -= MNL_ALIGN(a->nla_len);
	}
	return NULL;
}

static bool address(const struct nlattr *ip, uint16_t type, uint32_t *out)
{
	const struct nlattr *a = inner(ip, type);

	if (!a || mnl_attr_validate(a, MNL_TYPE_U32) < 0)
		return false;
	*out = ntohl(mnl_attr_get_u32(a));
	return true;
}

/* The IPv4 tunnel address that this one of IPv6 belongs to. */
static bool address6(const struct track *t, const struct nlattr *ip, uint16_t type, uint32_t *out)
{
	const struct nlattr *a = inner(ip, type);

	return a && mnl_attr_get_payload_len(a) == IP6_BYTES &&
	       tunnel6_back(&t->tunnel6, mnl_attr_get_payload(a), out);
}

static bool addresses(const struct track *t, const struct nlattr *ip, uint32_t *src, uint32_t *dst)
{
	if (address(ip, CTA_IP_V4_SRC, src))
		return address(ip, CTA_IP_V4_DST, dst);
	return address6(t, ip, CTA_IP_V6_SRC, src) && address6(t, ip, CTA_IP_V6_DST, dst);
}

static int on_entry(const struct nlmsghdr *nlh, void *arg)
{
	struct track *t = arg;
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	const char *p = mnl_nlmsg_get_payload_offset(nlh, sizeof(struct nfgenmsg));
	int left = (int)(mnl_nlmsg_get_payload_len(nlh) - MNL_ALIGN(sizeof(struct nfgenmsg)));

	for (const struct nlattr *a = (const void *)p; mnl_attr_ok(a, left); a = mnl_attr_next(a)) {
		const struct nlattr *ip;
		uint32_t src, dst;

		left -= MNL_ALIGN(a->nla_len);
		if (mnl_attr_get_type(a) != CTA_TUPLE_ORIG)
			continue;
		ip = inner(a, CTA_TUPLE_IP);
		if (!ip || !addresses(t, ip, &src, &dst) || !wanted(t, src, dst) ||
		    mnl_attr_get_payload_len(a) > TUPLE_BYTES)
			continue;
		t->found = mem_grow(t->found, &t->room, t->count + 1, sizeof(*t->found));
		t->found[t->count].family = nfg->nfgen_family;
		t->found[t->count].len = mnl_attr_get_payload_len(a);
		memcpy(t->found[t->count++].tuple, mnl_attr_get_payload(a),
		       mnl_attr_get_payload_len(a));
	}
	return MNL_CB_OK;
}

/* Sends one request and reads its answer to the end: 0 or a negative errno. */
static int talk(struct track *t, const struct nlmsghdr *nlh, mnl_cb_t fn)
{
	static char buffer[TRACK_RECEIVE] __attribute__((aligned(8)));
	unsigned port = mnl_socket_get_portid(t->socket);
	int rc = MNL_CB_OK;

	if (mnl_socket_sendto(t->socket, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	while (rc > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(t->socket, buffer, sizeof(buffer));

		if (n < 0)
			return -errno;
		rc = mnl_cb_run(buffer, (size_t)n, t->seq, port, fn, t);
	}
	return rc < 0 ? -errno : 0;
}

static int delete_found(struct track *t, const struct found *f)
{
	char buffer[512] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = message(t, buffer, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, f->family);
	int rc;

	mnl_attr_put(nlh, CTA_TUPLE_ORIG | NLA_F_NESTED, f->len, f->tuple);
	rc = talk(t, nlh, NULL);
	return rc == -ENOENT ? 0 : rc; /* it ended by itself meanwhile */
}

/* Deletes the entries that are wanted. */
static int cut(struct track *t, struct diag *d)
{
	const uint8_t family = t->tunnel6.len ? AF_UNSPEC : AF_INET; /* AF_UNSPEC: both */
	char buffer[256] __attribute__((aligned(8)));
	int rc;

	t->count = 0;
	rc = talk(t, message(t, buffer, IPCTNL_MSG_CT_GET, NLM_F_DUMP, family), on_entry);
	for (size_t i = 0; !rc && i < t->count; i++)
		rc = delete_found(t, &t->found[i]);
	return rc ? diag_set(d, ERR_KERNEL, "cannot end connections: %s", strerror(-rc)) : 0;
}

int track_cut_all(struct track *t, struct prefix4 tunnel, struct diag *d)
{
	int rc;

	t->all = tunnel;
	rc = cut(t, d);
	t->all.len = 0;
	return rc;
}

int track_cut(struct track *t, struct track_pair *list, size_t n, struct diag *d)
{
	int rc;

	if (!n)
		return 0;
	qsort(list, n, sizeof(*list), pair_order);
	t->pair = list;
	t->pairs = n;
	rc = cut(t, d);
	t->pair = NULL;
	t->pairs = 0;
	return rc;
}
