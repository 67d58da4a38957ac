/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our rules in DOCKER-USER, known by their comment. They hold only what iptables-nft can show: an
 * interface, a counter and accept. Where they stand is the owner's affair: they are put at the head,
 * and a rule that somebody puts before them stays before them. Called by gate.c and serve.c.
 */
#include "daemon/priv/coexist.h"

#include <errno.h>
#include <libnftnl/udata.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/mem.h"
#include "daemon/priv/nft_batch.h"
#include "daemon/priv/nft_expr.h"

#define COMMENT_START "printgate: "
#define COMMENT_BYTES (sizeof(COMMENT_START "from ") + IFNAMSIZ)
#define DUMP_BYTES    32768
#define TRIES	      50 /* another program may write between our question and our change */

enum { FROM, TO, SIDES };

/* What one chain has of ours. */
struct ours {
	char want[SIDES][COMMENT_BYTES];
	unsigned found[SIDES];
	uint64_t *handles; /* of all rules of ours, right or not */
	size_t count, room;
};

static int take_comment(const struct nftnl_udata *attr, void *arg)
{
	const char **comment = arg;
	const char *text = nftnl_udata_get(attr);
	size_t len = nftnl_udata_len(attr);

	if (nftnl_udata_type(attr) == NFTNL_UDATA_RULE_COMMENT && len && !text[len - 1])
		*comment = text;
	return 0;
}

/* The rule's comment, inside the rule's own memory; "" if it has none. */
static const char *comment_of(const struct nftnl_rule *r)
{
	const char *comment = "";
	uint32_t len = 0;
	const void *data = nftnl_rule_get_data(r, NFTNL_RULE_USERDATA, &len);

	if (data && nftnl_udata_parse(data, len, take_comment, &comment) < 0)
		return "";
	return comment;
}

static int on_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct ours *o = arg;
	struct nftnl_rule *r = nft_need(nftnl_rule_alloc());
	const char *chain, *comment;

	if (nftnl_rule_nlmsg_parse(nlh, r) == 0) {
		chain = nftnl_rule_get_str(r, NFTNL_RULE_CHAIN);
		comment = comment_of(r);
		if (chain && !strcmp(chain, COEXIST_CHAIN) &&
		    !strncmp(comment, COMMENT_START, strlen(COMMENT_START))) {
			o->handles =
				mem_grow(o->handles, &o->room, o->count + 1, sizeof(*o->handles));
			o->handles[o->count++] = nftnl_rule_get_u64(r, NFTNL_RULE_HANDLE);
			for (unsigned i = 0; i < SIDES; i++)
				o->found[i] += !strcmp(comment, o->want[i]);
		}
	}
	nftnl_rule_free(r);
	return MNL_CB_OK;
}

/* 0, or a negative errno: -ENOENT where there is no such chain. */
static int look(struct mnl_socket *socket, uint16_t family, struct ours *o)
{
	_Alignas(struct nlmsghdr) char bytes[DUMP_BYTES];
	struct nlmsghdr *nlh = nftnl_nlmsg_build_hdr(bytes, NFT_MSG_GETRULE, family, NLM_F_DUMP, 1);
	int more = MNL_CB_OK;

	o->count = 0;
	memset(o->found, 0, sizeof(o->found));
	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, COEXIST_TABLE);
	mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, COEXIST_CHAIN);
	if (mnl_socket_sendto(socket, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	while (more > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(socket, bytes, sizeof(bytes));

		if (n < 0)
			return -errno;
		more = mnl_cb_run(bytes, (size_t)n, 1, mnl_socket_get_portid(socket), on_rule, o);
	}
	if (more < 0) {
		int error = errno;

		nft_drain(socket);
		return -error;
	}
	return 0;
}

static struct nftnl_rule *new_rule(uint16_t family)
{
	struct nftnl_rule *r = nft_need(nftnl_rule_alloc());

	nftnl_rule_set_u32(r, NFTNL_RULE_FAMILY, family);
	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, COEXIST_TABLE);
	nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, COEXIST_CHAIN);
	return r;
}

/* Appends the message of a rule and frees it. */
static void put(struct nft_batch *b, uint16_t family, uint16_t type, uint16_t flags,
		struct nftnl_rule *r)
{
	struct nlmsghdr *nlh = nft_batch_message_of(b, family, type, flags, NFT_NO_MARK);

	nftnl_rule_nlmsg_build_payload(nlh, r);
	nft_batch_end_message(b, nlh);
	nftnl_rule_free(r);
}

/* Without NLM_F_APPEND the kernel puts it at the head. */
static void put_ours(struct nft_batch *b, uint16_t family, const char *comment,
		     const struct nft_term *terms)
{
	struct nft_rule rule = {.rule = new_rule(family)};
	struct nftnl_udata_buf *notes = nft_need(nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN));

	nft_rule_terms(&rule, terms);
	nftnl_udata_put_strz(notes, NFTNL_UDATA_RULE_COMMENT, comment);
	nftnl_rule_set_data(rule.rule, NFTNL_RULE_USERDATA, nftnl_udata_buf_data(notes),
			    nftnl_udata_buf_len(notes));
	nftnl_udata_buf_free(notes);
	put(b, family, NFT_MSG_NEWRULE, NLM_F_CREATE, rule.rule);
}

static int change(struct mnl_socket *socket, uint16_t family, const char *interface,
		  const struct ours *o)
{
	const struct nft_term from[] = {IIFNAME(interface), COUNTER, ACCEPT, {.emit = NULL}};
	const struct nft_term to[] = {OIFNAME(interface), COUNTER, ACCEPT, {.emit = NULL}};
	struct nft_batch b = {NULL, 0, 0, NULL, 0, 0};
	uint32_t mark;
	int rc;

	nft_batch_begin(&b);
	for (size_t i = 0; i < o->count; i++) {
		struct nftnl_rule *r = new_rule(family);

		nftnl_rule_set_u64(r, NFTNL_RULE_HANDLE, o->handles[i]);
		put(&b, family, NFT_MSG_DELRULE, 0, r);
	}
	if (interface) {
		put_ours(&b, family, o->want[TO], to);
		put_ours(&b, family, o->want[FROM], from);
	}
	rc = nft_batch_send(&b, socket, &mark);
	nft_batch_free(&b);
	return rc;
}

static bool is_right(const struct ours *o, bool want)
{
	if (!want)
		return o->count == 0;
	return o->count == SIDES && o->found[FROM] == 1 && o->found[TO] == 1;
}

static int sync_family(struct mnl_socket *socket, uint16_t family, const char *interface,
		       bool *changed)
{
	struct ours o = {.handles = NULL};
	int rc = -EINTR;

	if (interface) {
		(void)snprintf(o.want[FROM], COMMENT_BYTES, COMMENT_START "from %.15s", interface);
		(void)snprintf(o.want[TO], COMMENT_BYTES, COMMENT_START "to %.15s", interface);
	}
	/* ENOENT from the change: somebody deleted a rule of ours, or the chain, just now. */
	for (int i = 0; i < TRIES && (rc == -EINTR || rc == -ENOENT); i++) {
		rc = look(socket, family, &o);
		if (rc == -ENOENT)
			break;
		if (rc || is_right(&o, interface != NULL))
			continue;
		rc = change(socket, family, interface, &o);
		*changed |= rc == 0;
	}
	free(o.handles);
	return rc == -ENOENT ? 0 : rc;
}

int coexist_sync(struct mnl_socket *socket, const char *interface, bool *changed, struct diag *d)
{
	static const uint16_t families[] = {NFPROTO_IPV4, NFPROTO_IPV6};

	*changed = false;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		int rc = sync_family(socket, families[i], interface, changed);

		if (rc)
			return diag_set(d, ERR_KERNEL,
					"cannot change the chain " COEXIST_CHAIN ": %s",
					strerror(-rc));
	}
	return 0;
}
