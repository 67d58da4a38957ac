/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes to the table: collects elements, asks the kernel what is there already, and sends one
 * transaction. The kernel is asked rather than remembered: time-outs remove elements without a word,
 * and a question to a hash set costs the same however full it is.
 */
#include "daemon/priv/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "daemon/priv/nft_list.h"
#include "daemon/priv/nft_rules.h"
#include "daemon/priv/nft_set.h"

#define RECEIVE_BYTES (1 << 20) /* a limit, not memory held: room for refusals */
#define COMMIT_TRIES  3

struct nft {
	struct mnl_socket *socket;
	struct nft_shape shape;
	bool full;
	uint32_t mark;
	struct nft_list put, del; /* as called for */
};

/* Writes a tunnel address as keys of that set have it. */
static void part(const struct nft *n, enum nft_set_id set, uint8_t *at, uint32_t addr)
{
	const struct prefix6 six = tunnel6_host(&n->shape.tunnel6, addr);
	const uint32_t raw = htonl(addr);

	if (nft_set_address_bytes(set) == sizeof(six.addr))
		memcpy(at, six.addr, sizeof(six.addr));
	else
		memcpy(at, &raw, sizeof(raw));
}

/* Has this VPN address a twin? Blocks have none: a printer subnet is one of IPv4. */
static bool has_six(const struct nft *n, struct prefix4 vpn)
{
	return n->shape.tunnel6.len && vpn.len == 32;
}

static bool is_host(struct prefix4 p)
{
	return p.len == 32;
}

static struct nft_elem *elem(struct nft *n, struct nft_list *list, enum nft_set_id set)
{
	struct nft_elem *e = nft_list_push(list);

	e->set = set;
	e->mark = n->mark;
	return e;
}

static void add_printer(struct nft *n, struct nft_list *list, const struct privmsg_printer *p)
{
	struct nft_elem *e = elem(n, list, is_host(p->vpn) ? MAP_PRINTERS : MAP_SUBNETS);
	struct prefix4 to = p->target;

	if (p->self)
		to = (struct prefix4){tunnel_gateway(n->shape.tunnel), 32};
	part(n, e->set, e->key, p->vpn.addr);
	part(n, e->set, e->data, to.addr);
	if (is_host(p->vpn))
		return;
	part(n, e->set, e->end, prefix4_last(p->vpn));
	part(n, e->set, e->data + 4, prefix4_last(to));
}

/* By IPv6 this machine alone is reached. Whatever else a VPN address stands for now, it does not
 * stand for this machine any more. */
static void add_printer6(struct nft *n, struct nft_list *list, const struct privmsg_printer *p)
{
	struct nft_elem *e;

	if (!has_six(n, p->vpn))
		return;
	e = elem(n, p->self ? list : &n->del, MAP_PRINTERS6);
	part(n, e->set, e->key, p->vpn.addr);
	part(n, e->set, e->data, tunnel_gateway(n->shape.tunnel));
}

/* The entry of `targets` that belongs to an entry of a map. */
static struct nft_elem target_of(const struct nft_elem *map, const uint8_t data[NFT_DATA_BYTES])
{
	const size_t width = nft_set_address_bytes(map->set);
	struct nft_elem e = {.set = SET_TARGETS, .mark = map->mark};

	memcpy(e.key, map->key, width);
	memcpy(e.key + width, data, width);
	if (map->set == MAP_PRINTERS6)
		e.set = SET_TARGETS6;
	if (map->set != MAP_SUBNETS)
		return e;
	e.set = SET_SUBNET_TARGETS;
	memcpy(e.end, map->end, 4);
	memcpy(e.end + 4, data + 4, 4);
	return e;
}

static bool is_map(const struct nft_elem *e)
{
	return e->set == MAP_PRINTERS || e->set == MAP_SUBNETS || e->set == MAP_PRINTERS6;
}

/* Only now, when each key has one value left, come the targets. */
static void add_targets(struct nft_list *put)
{
	size_t count;

	nft_list_tidy(put);
	count = put->count;
	for (size_t i = 0; i < count; i++) {
		struct nft_elem target = target_of(&put->item[i], put->item[i].data);

		if (is_map(&put->item[i]))
			*nft_list_push(put) = target;
	}
	nft_list_tidy(put);
}

/* Address, protocol and port, each at the start of its own registers (of four bytes). */
static void service_key(const struct nft *n, enum nft_set_id set, uint8_t *at, uint32_t addr,
			uint8_t protocol, uint16_t port)
{
	const size_t width = nft_set_address_bytes(set);

	part(n, set, at, addr);
	at[width] = protocol;
	port = htons(port);
	memcpy(at + width + 4, &port, sizeof(port));
}

static void service_elem(struct nft *n, struct nft_list *list, enum nft_set_id set,
			 const struct privmsg_service *s)
{
	struct nft_elem *e = elem(n, list, set);

	service_key(n, set, e->key, s->vpn.addr, s->service.protocol, s->service.first);
	if (set == SET_RANGES || set == SET_RANGES6)
		service_key(n, set, e->end, prefix4_last(s->vpn), s->service.protocol,
			    s->service.last);
}

static void add_service(struct nft *n, struct nft_list *list, const struct privmsg_service *s)
{
	bool one = is_host(s->vpn) && s->service.first == s->service.last;

	service_elem(n, list, one ? SET_SERVICES : SET_RANGES, s);
	if (has_six(n, s->vpn))
		service_elem(n, list, one ? SET_SERVICES6 : SET_RANGES6, s);
}

static void grant_elem(struct nft *n, struct nft_list *list, enum nft_set_id set,
		       const struct privmsg_grant *g)
{
	const size_t width = nft_set_address_bytes(set);
	struct nft_elem *e = elem(n, list, set);

	e->seconds = g->seconds;
	part(n, set, e->key, g->peer);
	part(n, set, e->key + width, g->vpn.addr);
	if (set != SET_SUBNET_GRANTS)
		return;
	part(n, set, e->end, g->peer);
	part(n, set, e->end + width, prefix4_last(g->vpn));
}

static void add_grant(struct nft *n, struct nft_list *list, const struct privmsg_grant *g)
{
	grant_elem(n, list, is_host(g->vpn) ? SET_GRANTS : SET_SUBNET_GRANTS, g);
	if (has_six(n, g->vpn))
		grant_elem(n, list, SET_GRANTS6, g);
}

void nft_begin(struct nft *n, bool full)
{
	nft_list_free(&n->put);
	nft_list_free(&n->del);
	n->full = full;
	n->mark = NFT_NO_MARK;
}

void nft_mark(struct nft *n, uint32_t item)
{
	n->mark = item;
}

void nft_printer_put(struct nft *n, const struct privmsg_printer *p)
{
	add_printer(n, &n->put, p);
	add_printer6(n, &n->put, p);
}

void nft_printer_del(struct nft *n, const struct privmsg_printer *p)
{
	add_printer(n, &n->del, p);
	add_printer6(n, &n->del, p);
}

void nft_service_put(struct nft *n, const struct privmsg_service *s)
{
	add_service(n, &n->put, s);
}

void nft_service_del(struct nft *n, const struct privmsg_service *s)
{
	add_service(n, &n->del, s);
}

void nft_grant_put(struct nft *n, const struct privmsg_grant *g)
{
	add_grant(n, &n->put, g);
}

void nft_grant_del(struct nft *n, const struct privmsg_grant *g)
{
	add_grant(n, &n->del, g);
}

void nft_gated_put(struct nft *n, const char interface[IFNAMSIZ])
{
	struct nft_elem *e = elem(n, &n->put, SET_GATED);

	memcpy(e->key, interface, strnlen(interface, IFNAMSIZ - 1));
}

static bool has_timeouts(const struct nft_elem *e)
{
	return e->set == SET_GRANTS || e->set == SET_SUBNET_GRANTS || e->set == SET_GRANTS6;
}

/* What must be deleted for e, which is to go or to be put, judged by what the kernel has: nothing, e
 * itself, and with an entry of a map its target. Deleting what is absent would fail the whole. */
static int gone_for(struct nft *n, struct nft_list *gone, const struct nft_elem *e, bool put)
{
	bool map = is_map(e);
	uint8_t data[NFT_DATA_BYTES], none[NFT_DATA_BYTES];
	struct nft_elem target;
	int there;

	/* Adding one of the others again changes nothing, and is no error. */
	if (put && !map && !has_timeouts(e))
		return 0;
	there = nft_elem_ask(n->socket, e, data);
	if (there <= 0 || (put && map && memcmp(data, e->data, sizeof(data)) == 0))
		return there < 0 ? there : 0;
	*nft_list_push(gone) = *e;
	if (!map)
		return 0;
	target = target_of(e, data);
	there = nft_elem_ask(n->socket, &target, none);
	if (there > 0)
		*nft_list_push(gone) = target;
	return there < 0 ? there : 0;
}

static int gone_find(struct nft *n, struct nft_list *gone)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n->del.count; i++)
		rc = gone_for(n, gone, &n->del.item[i], false);
	for (size_t i = 0; rc == 0 && i < n->put.count; i++)
		rc = gone_for(n, gone, &n->put.item[i], true);
	nft_list_tidy(gone);
	return rc;
}

static void table_message(struct nft_batch *b, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = nft_batch_message(b, type, flags, NFT_NO_MARK);

	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, NFT_TABLE);
	nft_batch_end_message(b, nlh);
}

/* Deleting what may be absent: made first, so that it is there. */
static void table_delete(struct nft_batch *b)
{
	table_message(b, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	table_message(b, NFT_MSG_DELTABLE, 0);
}

static void skeleton(struct nft *n, struct nft_batch *b, uint16_t flags)
{
	table_message(b, NFT_MSG_NEWTABLE, NLM_F_CREATE | flags);
	nft_sets_add(b, n->shape.tunnel6.len > 0);
	nft_rules_add(b, &n->shape);
}

static int commit_send(struct nft *n, const struct nft_list *gone, bool packed, uint32_t *item)
{
	struct nft_batch b = {NULL, 0, 0, NULL, 0, 0};
	int rc;

	nft_batch_begin(&b);
	if (n->full) {
		table_delete(&b);
		skeleton(n, &b, 0);
	}
	nft_elems_append(&b, NFT_MSG_DELSETELEM, gone->item, gone->count, packed);
	nft_elems_append(&b, NFT_MSG_NEWSETELEM, n->put.item, n->put.count, packed);
	rc = nft_batch_send(&b, n->socket, item);
	nft_batch_free(&b);
	return rc;
}

/* Packed first; when refused, once more element by element, to learn which one it was. */
static int commit_try(struct nft *n, uint32_t *item)
{
	struct nft_list gone = {NULL, 0, 0};
	int rc = n->full ? 0 : gone_find(n, &gone);

	if (rc == 0 && (rc = commit_send(n, &gone, true, item)) < 0)
		rc = commit_send(n, &gone, false, item);
	nft_list_free(&gone);
	return rc;
}

static void gated_keep(void *arg, const uint8_t key[NFT_KEY_BYTES])
{
	struct nft *n = arg;

	nft_gated_put(n, (const char *)key);
}

static int nft_error(struct diag *d, int rc, const char *what)
{
	if (rc == -EPERM)
		return diag_set(d, ERR_KERNEL, "%s: not permitted (CAP_NET_ADMIN is needed)", what);
	return diag_set(d, ERR_KERNEL, "%s: the kernel says: %s", what, strerror(-rc));
}

int nft_commit(struct nft *n, uint32_t *item, struct diag *d)
{
	int rc = 0;

	*item = NFT_NO_MARK;
	n->mark = NFT_NO_MARK;
	if (n->full)
		rc = nft_keys_each(n->socket, SET_GATED, gated_keep, n);
	if (rc < 0)
		return nft_error(d, rc, "cannot read the nftables table inet " NFT_TABLE);
	add_targets(&n->put);
	nft_list_tidy(&n->del);
	/* ENOENT: a time-out came between question and deletion; or the table is gone, and then it
	 * stays so. */
	rc = -ENOENT;
	for (int i = 0; i < COMMIT_TRIES && rc == -ENOENT; i++)
		rc = commit_try(n, item);
	nft_list_free(&n->put);
	nft_list_free(&n->del);
	return rc ? nft_error(d, rc, "cannot change the nftables table inet " NFT_TABLE) : 0;
}

int nft_open(struct nft **out, const struct nft_shape *shape, struct diag *d)
{
	struct nft *n = mem_zalloc(1, sizeof(*n));
	int bytes = RECEIVE_BYTES, fd, yes = 1;

	n->shape = *shape;
	n->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!n->socket || mnl_socket_bind(n->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		int error = errno;

		nft_free(n);
		return diag_set(d, ERR_KERNEL,
				"cannot talk to nftables (kernel module nfnetlink): %s",
				strerror(error));
	}
	fd = mnl_socket_get_fd(n->socket);
	/* Both only make more refusals fit; without them the first ones still do. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	(void)mnl_socket_setsockopt(n->socket, NETLINK_CAP_ACK, &yes, sizeof(yes));
	*out = n;
	return 0;
}

void nft_free(struct nft *n)
{
	if (!n)
		return;
	if (n->socket)
		(void)mnl_socket_close(n->socket);
	nft_list_free(&n->put);
	nft_list_free(&n->del);
	free(n);
}

uint32_t nft_port(const struct nft *n)
{
	return mnl_socket_get_portid(n->socket);
}

struct mnl_socket *nft_socket(const struct nft *n)
{
	return n->socket;
}

int nft_shut(struct nft *n, struct diag *d)
{
	struct nft_batch b = {NULL, 0, 0, NULL, 0, 0};
	uint32_t item;
	int rc;

	nft_batch_begin(&b);
	skeleton(n, &b, NLM_F_EXCL);
	rc = nft_batch_send(&b, n->socket, &item);
	nft_batch_free(&b);
	if (rc == 0 || rc == -EEXIST)
		return 0;
	return nft_error(d, rc,
			 "cannot load the nftables rules (kernel modules nf_tables, nft_ct, "
			 "nft_chain_nat, nft_nat, nft_masq and nft_reject_inet are needed)");
}

struct gated_each {
	nft_gated_fn fn;
	void *arg;
};

static void gated_name(void *arg, const uint8_t key[NFT_KEY_BYTES])
{
	struct gated_each *g = arg;
	char name[IFNAMSIZ] = "";

	memcpy(name, key, IFNAMSIZ - 1);
	g->fn(g->arg, name);
}

int nft_gated_each(struct nft *n, nft_gated_fn fn, void *arg, struct diag *d)
{
	struct gated_each g = {fn, arg};
	int rc = nft_keys_each(n->socket, SET_GATED, gated_name, &g);

	return rc ? nft_error(d, rc, "cannot read the nftables table inet " NFT_TABLE) : 0;
}

int nft_down(struct nft *n, struct diag *d)
{
	struct nft_batch b = {NULL, 0, 0, NULL, 0, 0};
	uint32_t item;
	int rc;

	nft_batch_begin(&b);
	table_delete(&b);
	rc = nft_batch_send(&b, n->socket, &item);
	nft_batch_free(&b);
	return rc ? nft_error(d, rc, "cannot delete the nftables table inet " NFT_TABLE) : 0;
}
