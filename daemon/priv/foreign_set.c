/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two questions for each look-up: how long the set's keys are, then whether it has this one.
 */
#include "daemon/priv/foreign_set.h"

#include <errno.h>
#include <libnftnl/common.h>
#include <libnftnl/set.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>

#include "daemon/priv/nft_expr.h"

#define ANSWER_BYTES 32768

unsigned foreign_reg(uint32_t reg)
{
	return reg <= NFT_REG_4 ? reg * 4 : reg - NFT_REG32_00 + 4;
}

const uint8_t *foreign_reg_bytes(const struct foreign_regs *regs, uint32_t reg, uint32_t len)
{
	unsigned at = foreign_reg(reg), words = (len + 3) / 4;

	if (!len || at >= FOREIGN_REG_WORDS || words > FOREIGN_REG_WORDS - at)
		return NULL;
	for (unsigned i = 0; i < words; i++)
		if (!regs->known[at + i])
			return NULL;
	return regs->bytes + (size_t)at * 4;
}

/* Sends and reads one answer into bytes: 0, or a negative errno. */
static int ask(struct mnl_socket *socket, struct nlmsghdr *nlh, char bytes[ANSWER_BYTES])
{
	const struct nlmsgerr *error;
	ssize_t n;

	if (mnl_socket_sendto(socket, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	n = mnl_socket_recvfrom(socket, bytes, ANSWER_BYTES);
	nlh = (void *)bytes;
	if (n < 0 || !mnl_nlmsg_ok(nlh, (int)n))
		return n < 0 ? -errno : -EBADMSG;
	if (nlh->nlmsg_type != NLMSG_ERROR)
		return 0;
	error = mnl_nlmsg_get_payload(nlh);
	return error->error ? error->error : -EBADMSG;
}

static uint32_t key_len(struct mnl_socket *socket, const struct foreign_set_name *set)
{
	_Alignas(struct nlmsghdr) char bytes[ANSWER_BYTES];
	struct nlmsghdr *nlh =
		nftnl_nlmsg_build_hdr(bytes, NFT_MSG_GETSET, (uint16_t)set->family, 0, 1);
	struct nftnl_set *s = nft_need(nftnl_set_alloc());
	uint32_t len = 0;

	mnl_attr_put_strz(nlh, NFTA_SET_TABLE, set->table);
	mnl_attr_put_strz(nlh, NFTA_SET_NAME, set->name);
	if (!ask(socket, nlh, bytes) && !nftnl_set_nlmsg_parse((void *)bytes, s))
		len = nftnl_set_get_u32(s, NFTNL_SET_KEY_LEN);
	nftnl_set_free(s);
	return len;
}

static void take(struct foreign_elem *out, struct nftnl_set_elem *e)
{
	uint32_t len = 0;
	const void *data = nftnl_set_elem_get(e, NFTNL_SET_ELEM_DATA, &len);
	const char *chain = nftnl_set_elem_get_str(e, NFTNL_SET_ELEM_CHAIN);

	memset(out, 0, sizeof(*out));
	if (nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_VERDICT))
		out->verdict = nftnl_set_elem_get_u32(e, NFTNL_SET_ELEM_VERDICT);
	else
		out->verdict = (uint32_t)NFT_CONTINUE;
	(void)snprintf(out->chain, sizeof(out->chain), "%s", chain ? chain : "");
	if (!data || len > sizeof(out->data))
		return;
	memcpy(out->data, data, len);
	out->len = len;
}

static enum holds read_elem(const struct nlmsghdr *nlh, struct foreign_elem *out)
{
	struct nftnl_set *s = nft_need(nftnl_set_alloc());
	struct nftnl_set_elems_iter *it;
	struct nftnl_set_elem *e;
	enum holds in = HOLDS_MAYBE;

	if (nftnl_set_elems_nlmsg_parse(nlh, s) == 0) {
		it = nft_need(nftnl_set_elems_iter_create(s));
		e = nftnl_set_elems_iter_next(it);
		in = e ? HOLDS_YES : HOLDS_NO;
		if (e)
			take(out, e);
		nftnl_set_elems_iter_destroy(it);
	}
	nftnl_set_free(s);
	return in;
}

enum holds foreign_set_ask(struct mnl_socket *socket, const struct foreign_set_name *set,
			   const struct foreign_regs *regs, uint32_t reg, struct foreign_elem *out)
{
	_Alignas(struct nlmsghdr) char bytes[ANSWER_BYTES];
	uint32_t len = key_len(socket, set);
	const uint8_t *key = foreign_reg_bytes(regs, reg, len);
	struct nlmsghdr *nlh;
	struct nlattr *list, *elem, *value;
	int rc;

	if (!key)
		return HOLDS_MAYBE;
	nlh = nftnl_nlmsg_build_hdr(bytes, NFT_MSG_GETSETELEM, (uint16_t)set->family, 0, 1);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, set->table);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, set->name);
	list = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
	elem = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
	value = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_KEY);
	mnl_attr_put(nlh, NFTA_DATA_VALUE, len, key);
	mnl_attr_nest_end(nlh, value);
	mnl_attr_nest_end(nlh, elem);
	mnl_attr_nest_end(nlh, list);
	rc = ask(socket, nlh, bytes);
	if (rc)
		return rc == -ENOENT ? HOLDS_NO : HOLDS_MAYBE;
	return read_elem((void *)bytes, out);
}
