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
#include "daemon/priv/nft_expr.h"
#include "daemon/priv/nft_rules.h"
#include "daemon/priv/nft_set.h"

#define RECEIVE_BYTES (1 << 20) /* a limit, not memory held: room for refusals */
#define COMMIT_TRIES  3

struct elems {
	struct nft_elem *item;
	size_t count, cap;
};

struct nft {
	struct mnl_socket *socket;
	struct nft_shape shape;
	bool full;
	uint32_t mark;
	struct elems put, del; /* as called for */
};

static struct nft_elem *elems_push(struct elems *list)
{
	list->item = mem_grow(list->item, &list->cap, list->count + 1, sizeof(*list->item));
	memset(&list->item[list->count], 0, sizeof(*list->item));
	return &list->item[list->count++];
}

static void elems_free(struct elems *list)
{
	free(list->item);
	memset(list, 0, sizeof(*list));
}

static int elems_order(const struct nft_elem *x, const struct nft_elem *y)
{
	int order;

	if (x->set != y->set)
		return x->set < y->set ? -1 : 1;
	order = memcmp(x->key, y->key, sizeof(x->key));
	return order ? order : memcmp(x->end, y->end, sizeof(x->end));
}

/* Equal ones stay in the order of their places: qsort(3) alone does not promise it. */
static int places_order(const void *a, const void *b)
{
	const struct nft_elem *x = *(struct nft_elem *const *)a, *y = *(struct nft_elem *const *)b;
	int order = elems_order(x, y);

	return order ? order : x < y ? -1 : 1;
}

/* Groups by set, each key once: what was said last counts. */
static void elems_tidy(struct elems *list)
{
	struct nft_elem **place = mem_zalloc(list->count, sizeof(struct nft_elem *));
	struct elems tidy = {NULL, 0, 0};

	for (size_t i = 0; i < list->count; i++)
		place[i] = &list->item[i];
	qsort(place, list->count, sizeof(struct nft_elem *), places_order);
	for (size_t i = 0; i < list->count; i++)
		if (i + 1 == list->count || elems_order(place[i], place[i + 1]) != 0)
			*elems_push(&tidy) = *place[i];
	free(place);
	elems_free(list);
	*list = tidy;
}

static void part(uint8_t *at, uint32_t addr)
{
	addr = htonl(addr);
	memcpy(at, &addr, sizeof(addr));
}

static bool is_host(struct prefix4 p)
{
	return p.len == 32;
}

static struct nft_elem *elem(struct nft *n, struct elems *list, enum nft_set_id set)
{
	struct nft_elem *e = elems_push(list);

	e->set = set;
	e->mark = n->mark;
	return e;
}

static void add_printer(struct nft *n, struct elems *list, const struct privmsg_printer *p)
{
	struct nft_elem *e = elem(n, list, is_host(p->vpn) ? MAP_PRINTERS : MAP_SUBNETS);
	struct prefix4 to = p->target;

	if (p->self)
		to = (struct prefix4){tunnel_gateway(n->shape.tunnel), 32};
	part(e->key, p->vpn.addr);
	part(e->data, to.addr);
	if (is_host(p->vpn))
		return;
	part(e->end, prefix4_last(p->vpn));
	part(e->data + 4, prefix4_last(to));
}

/* The entry of `targets` that belongs to an entry of a map. */
static struct nft_elem target_of(const struct nft_elem *map, const uint8_t data[NFT_DATA_BYTES])
{
	struct nft_elem e = {.set = SET_TARGETS, .mark = map->mark};

	memcpy(e.key, map->key, 4);
	memcpy(e.key + 4, data, 4);
	if (map->set == MAP_PRINTERS)
		return e;
	e.set = SET_SUBNET_TARGETS;
	memcpy(e.end, map->end, 4);
	memcpy(e.end + 4, data + 4, 4);
	return e;
}

static bool is_map(const struct nft_elem *e)
{
	return e->set == MAP_PRINTERS || e->set == MAP_SUBNETS;
}

/* Only now, when each key has one value left, come the targets. */
static void add_targets(struct elems *put)
{
	size_t count;

	elems_tidy(put);
	count = put->count;
	for (size_t i = 0; i < count; i++) {
		struct nft_elem target = target_of(&put->item[i], put->item[i].data);

		if (is_map(&put->item[i]))
			*elems_push(put) = target;
	}
	elems_tidy(put);
}

static void add_service(struct nft *n, struct elems *list, const struct privmsg_service *s)
{
	bool one = is_host(s->vpn) && s->service.first == s->service.last;
	struct nft_elem *e = elem(n, list, one ? SET_SERVICES : SET_RANGES);
	uint16_t first = htons(s->service.first), last = htons(s->service.last);

	part(e->key, s->vpn.addr);
	e->key[4] = s->service.protocol;
	memcpy(e->key + 8, &first, sizeof(first));
	if (one)
		return;
	part(e->end, prefix4_last(s->vpn));
	e->end[4] = s->service.protocol;
	memcpy(e->end + 8, &last, sizeof(last));
}

static void add_grant(struct nft *n, struct elems *list, const struct privmsg_grant *g)
{
	struct nft_elem *e = elem(n, list, is_host(g->vpn) ? SET_GRANTS : SET_SUBNET_GRANTS);

	e->seconds = g->seconds;
	part(e->key, g->peer);
	part(e->key + 4, g->vpn.addr);
	if (is_host(g->vpn))
		return;
	part(e->end, g->peer);
	part(e->end + 4, prefix4_last(g->vpn));
}

void nft_begin(struct nft *n, bool full)
{
	elems_free(&n->put);
	elems_free(&n->del);
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
}

void nft_printer_del(struct nft *n, const struct privmsg_printer *p)
{
	add_printer(n, &n->del, p);
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

/* What must be deleted for e, which is to go or to be put, judged by what the kernel has: nothing, e
 * itself, and with an entry of a map its target. Deleting what is absent would fail the whole. */
static int gone_for(struct nft *n, struct elems *gone, const struct nft_elem *e, bool put)
{
	bool map = is_map(e);
	uint8_t data[NFT_DATA_BYTES], none[NFT_DATA_BYTES];
	struct nft_elem target;
	int there;

	/* Adding one of the others again changes nothing, and is no error. */
	if (put && !map && e->set != SET_GRANTS && e->set != SET_SUBNET_GRANTS)
		return 0;
	there = nft_elem_ask(n->socket, e, data);
	if (there <= 0 || (put && map && memcmp(data, e->data, sizeof(data)) == 0))
		return there < 0 ? there : 0;
	*elems_push(gone) = *e;
	if (!map)
		return 0;
	target = target_of(e, data);
	there = nft_elem_ask(n->socket, &target, none);
	if (there > 0)
		*elems_push(gone) = target;
	return there < 0 ? there : 0;
}

static int gone_find(struct nft *n, struct elems *gone)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n->del.count; i++)
		rc = gone_for(n, gone, &n->del.item[i], false);
	for (size_t i = 0; rc == 0 && i < n->put.count; i++)
		rc = gone_for(n, gone, &n->put.item[i], true);
	elems_tidy(gone);
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
	nft_sets_add(b);
	nft_rules_add(b, &n->shape);
}

static int commit_send(struct nft *n, const struct elems *gone, bool packed, uint32_t *item)
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
	struct elems gone = {NULL, 0, 0};
	int rc = n->full ? 0 : gone_find(n, &gone);

	if (rc == 0 && (rc = commit_send(n, &gone, true, item)) < 0)
		rc = commit_send(n, &gone, false, item);
	elems_free(&gone);
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
	elems_tidy(&n->del);
	/* ENOENT: a time-out came between question and deletion; or the table is gone, and then it
	 * stays so. */
	rc = -ENOENT;
	for (int i = 0; i < COMMIT_TRIES && rc == -ENOENT; i++)
		rc = commit_try(n, item);
	elems_free(&n->put);
	elems_free(&n->del);
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
	elems_free(&n->put);
	elems_free(&n->del);
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
