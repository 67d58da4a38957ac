/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WGDEVICE messages: encoder and reader (wg_genl.h). No socket is touched here. Used by wg_kernel.c.
 */
#include "daemon/priv/wg_genl.h"

#include <linux/time_types.h>
#include <linux/wireguard.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#define EDIT_BYTES 192 /* more than any edit takes: put_edit */

/* ---- encoder --------------------------------------------------------------------------------- */

/* Every message's size is reckoned beforehand, so a put that does not fit is a bug. */
static void must(int rc)
{
	if (rc < 0)
		abort();
}

static struct nl_msg *begin(int family, uint8_t cmd, int flags, const char *interface)
{
	struct nl_msg *m = nlmsg_alloc_size(WG_GENL_BYTES);

	if (!m ||
	    !genlmsg_put(m, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, flags, cmd, WG_GENL_VERSION))
		abort();
	must(nla_put_string(m, WGDEVICE_A_IFNAME, interface));
	return m;
}

static struct nlattr *nest(struct nl_msg *m, int type)
{
	struct nlattr *start = nla_nest_start(m, type);

	if (!start)
		abort();
	return start;
}

void wg_genl_free(struct nl_msg *m)
{
	if (!m)
		return;
	key_wipe(nlmsg_hdr(m), nlmsg_get_max_size(m));
	nlmsg_free(m);
}

struct nl_msg *wg_genl_get(int family, const char *interface)
{
	return begin(family, WG_CMD_GET_DEVICE, NLM_F_REQUEST | NLM_F_DUMP, interface);
}

struct nl_msg *wg_genl_config(int family, const char *interface, const struct wg_secret *key,
			      uint16_t port)
{
	struct nl_msg *m = begin(family, WG_CMD_SET_DEVICE, NLM_F_REQUEST | NLM_F_ACK, interface);

	if (key)
		must(nla_put(m, WGDEVICE_A_PRIVATE_KEY, WG_KEY_BYTES, key->b));
	if (port)
		must(nla_put_u16(m, WGDEVICE_A_LISTEN_PORT, port));
	return m;
}

struct nl_msg *wg_genl_empty(int family, const char *interface)
{
	struct nl_msg *m = begin(family, WG_CMD_SET_DEVICE, NLM_F_REQUEST | NLM_F_ACK, interface);

	must(nla_put_u32(m, WGDEVICE_A_FLAGS, WGDEVICE_F_REPLACE_PEERS));
	return m;
}

static void put_allowed_ip(struct nl_msg *m, uint16_t family, const void *ip, int bytes)
{
	struct nlattr *one = nest(m, 0);

	must(nla_put_u16(m, WGALLOWEDIP_A_FAMILY, family));
	must(nla_put(m, WGALLOWEDIP_A_IPADDR, bytes, ip));
	must(nla_put_u8(m, WGALLOWEDIP_A_CIDR_MASK, (uint8_t)(8 * bytes)));
	must(nla_nest_end(m, one));
}

static void put_allowed_ips(struct nl_msg *m, const struct wg_peer *p)
{
	struct in_addr ip = {.s_addr = htonl(p->address)};
	struct nlattr *list = nest(m, WGPEER_A_ALLOWEDIPS);

	put_allowed_ip(m, AF_INET, &ip, sizeof(ip));
	if (p->address6.len)
		put_allowed_ip(m, AF_INET6, p->address6.addr, IP6_BYTES);
	must(nla_nest_end(m, list));
}

static void put_endpoint(struct nl_msg *m, const struct endpoint *e)
{
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(e->port)};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(e->port)};

	memcpy(&four.sin_addr, e->addr, sizeof(four.sin_addr));
	memcpy(&six.sin6_addr, e->addr, sizeof(six.sin6_addr));
	if (e->family == 4)
		must(nla_put(m, WGPEER_A_ENDPOINT, sizeof(four), &four));
	else
		must(nla_put(m, WGPEER_A_ENDPOINT, sizeof(six), &six));
}

static void put_hail(struct nl_msg *m, const struct wg_hail *h)
{
	must(nla_put_u32(m, WGPEER_A_FLAGS, WGPEER_F_UPDATE_ONLY));
	if (h->endpoint.family)
		put_endpoint(m, &h->endpoint);
	must(nla_put_u16(m, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, h->keepalive));
}

static void put_edit(struct nl_msg *m, const struct wg_edit *e)
{
	struct nlattr *peer = nest(m, 0);

	must(nla_put(m, WGPEER_A_PUBLIC_KEY, WG_KEY_BYTES, e->key->b));
	if (e->put) {
		must(nla_put_u32(m, WGPEER_A_FLAGS, WGPEER_F_REPLACE_ALLOWEDIPS));
		must(nla_put(m, WGPEER_A_PRESHARED_KEY, WG_KEY_BYTES, e->put->preshared.b));
		put_allowed_ips(m, e->put);
	} else if (e->hail) {
		put_hail(m, e->hail);
	} else {
		must(nla_put_u32(m, WGPEER_A_FLAGS, WGPEER_F_REMOVE_ME));
	}
	must(nla_nest_end(m, peer));
}

/* One WGDEVICE_A_PEERS only: of two the kernel heeds the last. */
struct nl_msg *wg_genl_edits(int family, const char *interface, const struct wg_edit *list,
			     size_t n, size_t *taken)
{
	struct nl_msg *m = begin(family, WG_CMD_SET_DEVICE, NLM_F_REQUEST | NLM_F_ACK, interface);
	struct nlattr *peers = nest(m, WGDEVICE_A_PEERS);
	size_t i;

	for (i = 0; i < n && nlmsg_hdr(m)->nlmsg_len + EDIT_BYTES < WG_GENL_BYTES; i++)
		put_edit(m, &list[i]);
	must(nla_nest_end(m, peers));
	*taken = i;
	return m;
}

/* ---- reader ---------------------------------------------------------------------------------- */

static const struct nla_policy device_policy[WGDEVICE_A_MAX + 1] = {
	[WGDEVICE_A_PRIVATE_KEY] = {.minlen = WG_KEY_BYTES, .maxlen = WG_KEY_BYTES},
	[WGDEVICE_A_LISTEN_PORT] = {.type = NLA_U16},
	[WGDEVICE_A_PEERS] = {.type = NLA_NESTED},
};

static const struct nla_policy peer_policy[WGPEER_A_MAX + 1] = {
	[WGPEER_A_PUBLIC_KEY] = {.minlen = WG_KEY_BYTES, .maxlen = WG_KEY_BYTES},
	[WGPEER_A_PRESHARED_KEY] = {.minlen = WG_KEY_BYTES, .maxlen = WG_KEY_BYTES},
	[WGPEER_A_ENDPOINT] = {.minlen = sizeof(struct sockaddr_in)},
	[WGPEER_A_LAST_HANDSHAKE_TIME] = {.minlen = sizeof(struct __kernel_timespec)},
	[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL] = {.type = NLA_U16},
	[WGPEER_A_RX_BYTES] = {.type = NLA_U64},
	[WGPEER_A_TX_BYTES] = {.type = NLA_U64},
	[WGPEER_A_ALLOWEDIPS] = {.type = NLA_NESTED},
};

static const struct nla_policy allowed_policy[WGALLOWEDIP_A_MAX + 1] = {
	[WGALLOWEDIP_A_FAMILY] = {.type = NLA_U16},
	[WGALLOWEDIP_A_IPADDR] = {.minlen = sizeof(struct in_addr)},
	[WGALLOWEDIP_A_CIDR_MASK] = {.type = NLA_U8},
};

static int bad(struct diag *d, const char *what)
{
	return diag_set(d, ERR_PROTOCOL, "the kernel's answer is malformed: %s", what);
}

static int peer_end(struct wg_genl_reader *r)
{
	int rc = r->has_peer && r->fn ? r->fn(r->arg, &r->peer) : 0;

	key_wipe(&r->peer, sizeof(r->peer));
	r->has_peer = false;
	r->allowed = (struct wg_allowed){0};
	return rc;
}

int wg_genl_read_end(struct wg_genl_reader *r)
{
	return peer_end(r);
}

static void read_endpoint(struct endpoint *out, struct nlattr *a)
{
	struct sockaddr_in6 six = {0};
	struct sockaddr_in four = {0};
	int n = nla_len(a);

	memcpy(&four, nla_data(a), sizeof(four)); /* the policy grants its size */
	if (four.sin_family == AF_INET) {
		out->family = 4;
		memcpy(out->addr, &four.sin_addr, sizeof(four.sin_addr));
		out->port = ntohs(four.sin_port);
	} else if (four.sin_family == AF_INET6 && n >= (int)sizeof(six)) {
		memcpy(&six, nla_data(a), sizeof(six));
		out->family = 6;
		memcpy(out->addr, &six.sin6_addr, sizeof(six.sin6_addr));
		out->port = ntohs(six.sin6_port);
	}
}

static int read_allowed(struct wg_genl_reader *r, struct nlattr *list, struct diag *d)
{
	struct nlattr *tb[WGALLOWEDIP_A_MAX + 1];
	struct nlattr *one;
	bool six;
	int left;

	nla_for_each_nested(one, list, left) {
		if (nla_parse_nested(tb, WGALLOWEDIP_A_MAX, one, allowed_policy) < 0 ||
		    !tb[WGALLOWEDIP_A_FAMILY] || !tb[WGALLOWEDIP_A_IPADDR] ||
		    !tb[WGALLOWEDIP_A_CIDR_MASK])
			return bad(d, "an allowed IP");
		six = nla_get_u16(tb[WGALLOWEDIP_A_FAMILY]) == AF_INET6;
		if (!six && nla_get_u16(tb[WGALLOWEDIP_A_FAMILY]) != AF_INET)
			return bad(d, "an allowed IP's family");
		if (nla_len(tb[WGALLOWEDIP_A_IPADDR]) < (six ? IP6_BYTES : 4))
			return bad(d, "an allowed IP's length");
		wg_allowed_take(&r->allowed, &r->peer, six, nla_data(tb[WGALLOWEDIP_A_IPADDR]),
				nla_get_u8(tb[WGALLOWEDIP_A_CIDR_MASK]));
	}
	return 0;
}

/* A peer that goes on brings its key and more allowed IPs only. */
static void read_fields(struct wg_peer_state *p, struct nlattr **tb)
{
	struct __kernel_timespec t;

	if (tb[WGPEER_A_PRESHARED_KEY])
		memcpy(p->peer.preshared.b, nla_data(tb[WGPEER_A_PRESHARED_KEY]), WG_KEY_BYTES);
	if (tb[WGPEER_A_ENDPOINT])
		read_endpoint(&p->endpoint, tb[WGPEER_A_ENDPOINT]);
	if (tb[WGPEER_A_LAST_HANDSHAKE_TIME]) {
		memcpy(&t, nla_data(tb[WGPEER_A_LAST_HANDSHAKE_TIME]), sizeof(t));
		p->last_handshake = t.tv_sec > 0 ? t.tv_sec : 0;
	}
	if (tb[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL])
		p->keepalive = nla_get_u16(tb[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL]);
	if (tb[WGPEER_A_RX_BYTES])
		p->rx_bytes = nla_get_u64(tb[WGPEER_A_RX_BYTES]);
	if (tb[WGPEER_A_TX_BYTES])
		p->tx_bytes = nla_get_u64(tb[WGPEER_A_TX_BYTES]);
}

static int read_peer(struct wg_genl_reader *r, struct nlattr *peer, struct diag *d)
{
	struct nlattr *tb[WGPEER_A_MAX + 1];
	struct wg_key key;
	int rc;

	if (nla_parse_nested(tb, WGPEER_A_MAX, peer, peer_policy) < 0 || !tb[WGPEER_A_PUBLIC_KEY])
		return bad(d, "a peer");
	memcpy(key.b, nla_data(tb[WGPEER_A_PUBLIC_KEY]), WG_KEY_BYTES);
	if (!r->has_peer || !key_equal(&key, &r->peer.peer.public_key)) {
		rc = peer_end(r);
		if (rc)
			return rc;
		r->peer.peer.public_key = key;
		r->has_peer = true;
	}
	read_fields(&r->peer, tb);
	return tb[WGPEER_A_ALLOWEDIPS] ? read_allowed(r, tb[WGPEER_A_ALLOWEDIPS], d) : 0;
}

int wg_genl_read(struct wg_genl_reader *r, struct nlattr *attrs, int len, struct diag *d)
{
	struct nlattr *tb[WGDEVICE_A_MAX + 1];
	struct nlattr *peer;
	int left, rc = 0;

	if (nla_parse(tb, WGDEVICE_A_MAX, attrs, len, device_policy) < 0)
		return bad(d, "the device");
	if (tb[WGDEVICE_A_PRIVATE_KEY])
		memcpy(r->config.key.b, nla_data(tb[WGDEVICE_A_PRIVATE_KEY]), WG_KEY_BYTES);
	if (tb[WGDEVICE_A_LISTEN_PORT])
		r->config.listen_port = nla_get_u16(tb[WGDEVICE_A_LISTEN_PORT]);
	if (!tb[WGDEVICE_A_PEERS])
		return 0;
	nla_for_each_nested(peer, tb[WGDEVICE_A_PEERS], left) {
		rc = read_peer(r, peer, d);
		if (rc)
			break;
	}
	return rc;
}
