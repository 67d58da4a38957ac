/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Definitions of the sets, and elements as netlink attributes. Elements are written directly, not
 * through libnftnl's lists: those allocate each element, and their builder stops without a word
 * when a message is full.
 */
#include "daemon/priv/nft_set.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "daemon/priv/nft_expr.h"

/* Data types as nft(8) numbers them, to show keys by (its datatype.h); a concatenation is a row of
 * six-bit numbers. */
enum { TYPE_ADDR = 7, TYPE_ADDR6 = 8, TYPE_PROTOCOL = 12, TYPE_PORT = 13, TYPE_IFNAME = 41 };
#define TYPE_2(a, b)	((uint32_t)(a) << 6 | (b))
#define TYPE_3(a, b, c) (TYPE_2(a, b) << 6 | (c))

#define FIELDS_MAX	3
#define ELEM_BYTES_MAX	256 /* one element with all its attributes, the closing one of an interval */
#define ANSWER_BYTES	32768
#define DUMP_TRIES	8
#define HOST_BYTE_ORDER 1 /* nft(8)'s BYTEORDER_HOST_ENDIAN */

#define INTERVAL_CONCAT (NFT_SET_INTERVAL | NFT_SET_CONCAT)
#define INTERVAL_MAP	(NFT_SET_INTERVAL | NFT_SET_MAP)

struct set {
	const char *name;
	uint32_t flags;
	uint32_t key_type, key_len;
	uint8_t field[FIELDS_MAX]; /* bytes of each part: only where intervals are concatenated */
	uint32_t data_len;	   /* of a map: of addresses as in its key */
};

static const struct set sets[NFT_SETS] = {
	[SET_GRANTS] = {"grants", NFT_SET_TIMEOUT, TYPE_2(TYPE_ADDR, TYPE_ADDR), 8, {0}, 0},
	[SET_SUBNET_GRANTS] = {"subnet_grants",
			       INTERVAL_CONCAT | NFT_SET_TIMEOUT,
			       TYPE_2(TYPE_ADDR, TYPE_ADDR),
			       8,
			       {4, 4},
			       0},
	[SET_SERVICES] = {"services", 0, TYPE_3(TYPE_ADDR, TYPE_PROTOCOL, TYPE_PORT), 12, {0}, 0},
	[SET_RANGES] = {"ranges",
			INTERVAL_CONCAT,
			TYPE_3(TYPE_ADDR, TYPE_PROTOCOL, TYPE_PORT),
			12,
			{4, 1, 2},
			0},
	[MAP_PRINTERS] = {"printers", NFT_SET_MAP, TYPE_ADDR, 4, {0}, 4},
	[MAP_SUBNETS] = {"subnets", INTERVAL_MAP, TYPE_ADDR, 4, {0}, 8},
	[SET_TARGETS] = {"targets", 0, TYPE_2(TYPE_ADDR, TYPE_ADDR), 8, {0}, 0},
	[SET_SUBNET_TARGETS] =
		{"subnet_targets", INTERVAL_CONCAT, TYPE_2(TYPE_ADDR, TYPE_ADDR), 8, {4, 4}, 0},
	[SET_GATED] = {"gated", 0, TYPE_IFNAME, IFNAMSIZ, {0}, 0},
	[SET_GRANTS6] = {"grants6", NFT_SET_TIMEOUT, TYPE_2(TYPE_ADDR6, TYPE_ADDR6), 32, {0}, 0},
	[SET_SERVICES6] =
		{"services6", 0, TYPE_3(TYPE_ADDR6, TYPE_PROTOCOL, TYPE_PORT), 24, {0}, 0},
	[SET_RANGES6] = {"ranges6",
			 INTERVAL_CONCAT,
			 TYPE_3(TYPE_ADDR6, TYPE_PROTOCOL, TYPE_PORT),
			 24,
			 {16, 1, 2},
			 0},
	[MAP_PRINTERS6] = {"printers6", NFT_SET_MAP, TYPE_ADDR6, 16, {0}, 16},
	[SET_TARGETS6] = {"targets6", 0, TYPE_2(TYPE_ADDR6, TYPE_ADDR6), 32, {0}, 0},
};

/* Notes to nft(8) without which it shows the set wrongly. */
static void set_notes(struct nftnl_set *s, const struct set *def)
{
	struct nftnl_udata_buf *notes = nft_need(nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN));

	if (def->key_type == TYPE_IFNAME)
		nftnl_udata_put_u32(notes, NFTNL_UDATA_SET_KEYBYTEORDER, HOST_BYTE_ORDER);
	if ((def->flags & INTERVAL_MAP) == INTERVAL_MAP)
		nftnl_udata_put_u32(notes, NFTNL_UDATA_SET_DATA_INTERVAL, true);
	if (nftnl_udata_buf_len(notes))
		nftnl_set_set_data(s, NFTNL_SET_USERDATA, nftnl_udata_buf_data(notes),
				   nftnl_udata_buf_len(notes));
	nftnl_udata_buf_free(notes);
}

static struct nftnl_set *set_build(const struct set *def, uint32_t id)
{
	struct nftnl_set *s = nft_need(nftnl_set_alloc());
	uint32_t fields = (uint32_t)strnlen((const char *)def->field, sizeof(def->field));

	nftnl_set_set_str(s, NFTNL_SET_TABLE, NFT_TABLE);
	nftnl_set_set_str(s, NFTNL_SET_NAME, def->name);
	nftnl_set_set_u32(s, NFTNL_SET_ID, id);
	nftnl_set_set_u32(s, NFTNL_SET_FLAGS, def->flags);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, def->key_type);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, def->key_len);
	if (fields)
		nftnl_set_set_data(s, NFTNL_SET_DESC_CONCAT, def->field, fields);
	if (def->data_len) {
		nftnl_set_set_u32(s, NFTNL_SET_DATA_TYPE, def->key_type);
		nftnl_set_set_u32(s, NFTNL_SET_DATA_LEN, def->data_len);
	}
	set_notes(s, def);
	return s;
}

size_t nft_set_address_bytes(enum nft_set_id set)
{
	return set >= SET_GRANTS6 ? 16 : 4;
}

void nft_sets_add(struct nft_batch *b, bool six)
{
	const uint32_t count = six ? NFT_SETS : SET_GRANTS6;
	struct nftnl_set *s;
	struct nlmsghdr *nlh;

	for (uint32_t i = 0; i < count; i++) {
		s = set_build(&sets[i], i + 1);
		nlh = nft_batch_message(b, NFT_MSG_NEWSET, NLM_F_CREATE, NFT_NO_MARK);
		nftnl_set_nlmsg_build_payload(nlh, s);
		nft_batch_end_message(b, nlh);
		nftnl_set_free(s);
	}
}

static void put_value(struct nlmsghdr *nlh, uint16_t type, const void *value, size_t len)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);

	mnl_attr_put(nlh, NFTA_DATA_VALUE, len, value);
	mnl_attr_nest_end(nlh, nest);
}

/* A map of intervals is a tree of their ends: each is closed by an element of its own, whose key is
 * the first that is out. */
static void put_closing(struct nlmsghdr *nlh, const struct nft_elem *e)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
	uint32_t key;

	memcpy(&key, e->end, sizeof(key));
	key = htonl(ntohl(key) + 1);
	mnl_attr_put_u32(nlh, NFTA_SET_ELEM_FLAGS, htonl(NFT_SET_ELEM_INTERVAL_END));
	put_value(nlh, NFTA_SET_ELEM_KEY, &key, sizeof(key));
	mnl_attr_nest_end(nlh, nest);
}

static void put_elem(struct nlmsghdr *nlh, const struct nft_elem *e)
{
	const struct set *def = &sets[e->set];
	struct nlattr *nest = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
	bool add = NFNL_MSG_TYPE(nlh->nlmsg_type) == NFT_MSG_NEWSETELEM;

	put_value(nlh, NFTA_SET_ELEM_KEY, e->key, def->key_len);
	if (def->flags & NFT_SET_CONCAT)
		put_value(nlh, NFTA_SET_ELEM_KEY_END, e->end, def->key_len);
	if (add && def->data_len)
		put_value(nlh, NFTA_SET_ELEM_DATA, e->data, def->data_len);
	if (add && e->seconds)
		mnl_attr_put_u64(nlh, NFTA_SET_ELEM_TIMEOUT, htobe64(e->seconds * 1000ULL));
	mnl_attr_nest_end(nlh, nest);
}

static void put_set(struct nlmsghdr *nlh, enum nft_set_id set)
{
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, NFT_TABLE);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, sets[set].name);
}

/* One message; returns how many elements went into it. */
static size_t elems_message(struct nft_batch *b, uint16_t type, const struct nft_elem *e, size_t n,
			    bool packed)
{
	uint16_t flags = type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0;
	struct nlmsghdr *nlh = nft_batch_message(b, type, flags, packed ? NFT_NO_MARK : e->mark);
	struct nlattr *list;
	size_t i = 0;

	put_set(nlh, e->set);
	list = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
	do {
		put_elem(nlh, &e[i]);
		if ((sets[e->set].flags & INTERVAL_MAP) == INTERVAL_MAP)
			put_closing(nlh, &e[i]);
		i++;
	} while (packed && i < n && e[i].set == e->set &&
		 nlh->nlmsg_len + ELEM_BYTES_MAX <= NFT_MESSAGE_ROOM);
	mnl_attr_nest_end(nlh, list);
	nft_batch_end_message(b, nlh);
	return i;
}

void nft_elems_append(struct nft_batch *b, uint16_t type, const struct nft_elem *e, size_t n,
		      bool packed)
{
	for (size_t i = 0; i < n;)
		i += elems_message(b, type, e + i, n - i, packed);
}

static bool same_bytes(struct nftnl_set_elem *e, uint16_t attr, const uint8_t *want, uint32_t len)
{
	uint32_t have_len = 0;
	const void *have = nftnl_set_elem_get(e, attr, &have_len);

	return have && have_len == len && memcmp(have, want, len) == 0;
}

static int elem_compare(const struct nlmsghdr *nlh, const struct nft_elem *want,
			uint8_t data[NFT_DATA_BYTES])
{
	const struct set *def = &sets[want->set];
	struct nftnl_set *s = nft_need(nftnl_set_alloc());
	struct nftnl_set_elems_iter *it;
	struct nftnl_set_elem *e;
	const void *value;
	uint32_t len = 0;
	int found = nftnl_set_elems_nlmsg_parse(nlh, s) < 0 ? -EBADMSG : 0;

	it = nft_need(nftnl_set_elems_iter_create(s));
	e = found == 0 ? nftnl_set_elems_iter_next(it) : NULL;
	if (e && same_bytes(e, NFTNL_SET_ELEM_KEY, want->key, def->key_len) &&
	    (!(def->flags & NFT_SET_CONCAT) ||
	     same_bytes(e, NFTNL_SET_ELEM_KEY_END, want->end, def->key_len))) {
		found = 1;
		value = nftnl_set_elem_get(e, NFTNL_SET_ELEM_DATA, &len);
		if (value && len <= NFT_DATA_BYTES)
			memcpy(data, value, len);
	}
	nftnl_set_elems_iter_destroy(it);
	nftnl_set_free(s);
	return found;
}

int nft_elem_ask(struct mnl_socket *socket, const struct nft_elem *e, uint8_t data[NFT_DATA_BYTES])
{
	_Alignas(struct nlmsghdr) char bytes[ANSWER_BYTES];
	const struct nlmsgerr *error;
	struct nlmsghdr *nlh = nftnl_nlmsg_build_hdr(bytes, NFT_MSG_GETSETELEM, NFPROTO_INET, 0, 1);
	struct nlattr *list;
	ssize_t n;

	memset(data, 0, NFT_DATA_BYTES);
	put_set(nlh, e->set);
	list = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
	put_elem(nlh, e);
	mnl_attr_nest_end(nlh, list);
	if (mnl_socket_sendto(socket, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	n = mnl_socket_recvfrom(socket, bytes, sizeof(bytes));
	if (n < 0 || !mnl_nlmsg_ok(nlh, (int)n))
		return n < 0 ? -errno : -EBADMSG;
	if (nlh->nlmsg_type != NLMSG_ERROR)
		return elem_compare(nlh, e, data);
	error = mnl_nlmsg_get_payload(nlh);
	return error->error == -ENOENT ? 0 : error->error;
}

struct keys {
	nft_key_fn fn;
	void *arg;
};

static int keys_message(const struct nlmsghdr *nlh, void *arg)
{
	struct keys *k = arg;
	struct nftnl_set *s = nft_need(nftnl_set_alloc());
	struct nftnl_set_elems_iter *it;
	struct nftnl_set_elem *e;
	uint8_t key[NFT_KEY_BYTES];
	const void *value;
	uint32_t len;

	if (nftnl_set_elems_nlmsg_parse(nlh, s) == 0) {
		it = nft_need(nftnl_set_elems_iter_create(s));
		while ((e = nftnl_set_elems_iter_next(it))) {
			memset(key, 0, sizeof(key));
			value = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY, &len);
			if (value && len <= sizeof(key)) {
				memcpy(key, value, len);
				k->fn(k->arg, key);
			}
		}
		nftnl_set_elems_iter_destroy(it);
	}
	nftnl_set_free(s);
	return MNL_CB_OK;
}

static int keys_dump(struct mnl_socket *socket, enum nft_set_id set, struct keys *k)
{
	_Alignas(struct nlmsghdr) char bytes[ANSWER_BYTES];
	struct nlmsghdr *nlh =
		nftnl_nlmsg_build_hdr(bytes, NFT_MSG_GETSETELEM, NFPROTO_INET, NLM_F_DUMP, 1);
	ssize_t n;
	int more = MNL_CB_OK;

	put_set(nlh, set);
	if (mnl_socket_sendto(socket, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	while (more > MNL_CB_STOP) {
		n = mnl_socket_recvfrom(socket, bytes, sizeof(bytes));
		if (n < 0)
			return -errno;
		more = mnl_cb_run(bytes, (size_t)n, 1, mnl_socket_get_portid(socket), keys_message,
				  k);
	}
	if (more < 0) {
		int error = errno;

		nft_drain(socket);
		return -error;
	}
	return 0;
}

/* A dump that another writer has disturbed is asked for again; fn may see a key twice then. */
int nft_keys_each(struct mnl_socket *socket, enum nft_set_id set, nft_key_fn fn, void *arg)
{
	struct keys k = {fn, arg};
	int rc = -EINTR;

	for (int i = 0; i < DUMP_TRIES && rc == -EINTR; i++)
		rc = keys_dump(socket, set, &k);
	return rc == -ENOENT ? 0 : rc;
}
