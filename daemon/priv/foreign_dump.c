/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two dumps by libnftnl, asked for again when another program writes meanwhile.
 */
#include "daemon/priv/foreign_dump.h"

#include <errno.h>
#include <libnftnl/common.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "daemon/priv/nft_batch.h"
#include "daemon/priv/nft_expr.h"

#define DUMP_BYTES 65536
#define DUMP_TRIES 200 /* a few milliseconds each */
/* A Kubernetes node has some ten thousand; beyond that nobody runs a printer's gateway. */
#define CHAINS_MAX 65536
#define RULES_MAX  262144

static bool is_ours(uint32_t family, const char *table)
{
	return family == NFPROTO_INET && !strcmp(table, NFT_TABLE);
}

static int on_chain(const struct nlmsghdr *nlh, void *arg)
{
	struct foreign_dump *f = arg;
	struct nftnl_chain *c = nft_need(nftnl_chain_alloc());
	struct foreign_chain item = {.chain = c};

	if (f->chain_count == CHAINS_MAX || nftnl_chain_nlmsg_parse(nlh, c)) {
		nftnl_chain_free(c);
		errno = f->chain_count == CHAINS_MAX ? E2BIG : EBADMSG;
		return MNL_CB_ERROR;
	}
	item.family = nftnl_chain_get_u32(c, NFTNL_CHAIN_FAMILY);
	item.table = nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE);
	item.name = nftnl_chain_get_str(c, NFTNL_CHAIN_NAME);
	if (!item.table || !item.name || is_ours(item.family, item.table)) {
		nftnl_chain_free(c);
		return MNL_CB_OK;
	}
	f->chains = mem_grow(f->chains, &f->chain_room, f->chain_count + 1, sizeof(*f->chains));
	f->chains[f->chain_count++] = item;
	return MNL_CB_OK;
}

static int on_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct foreign_dump *f = arg;
	struct nftnl_rule *r = nft_need(nftnl_rule_alloc());
	const char *table;

	if (f->rule_count == RULES_MAX || nftnl_rule_nlmsg_parse(nlh, r)) {
		nftnl_rule_free(r);
		errno = f->rule_count == RULES_MAX ? E2BIG : EBADMSG;
		return MNL_CB_ERROR;
	}
	table = nftnl_rule_get_str(r, NFTNL_RULE_TABLE);
	if (!table || is_ours(nftnl_rule_get_u32(r, NFTNL_RULE_FAMILY), table)) {
		nftnl_rule_free(r);
		return MNL_CB_OK;
	}
	f->rules =
		mem_grow(f->rules, &f->rule_room, f->rule_count + 1, sizeof(struct nftnl_rule *));
	f->rules[f->rule_count++] = r;
	return MNL_CB_OK;
}

static int dump(struct mnl_socket *socket, uint16_t type, mnl_cb_t each, void *arg)
{
	char *bytes = mem_zalloc(1, DUMP_BYTES);
	struct nlmsghdr *nlh = nftnl_nlmsg_build_hdr(bytes, type, NFPROTO_UNSPEC, NLM_F_DUMP, 1);
	int more = MNL_CB_OK, error;

	if (mnl_socket_sendto(socket, nlh, nlh->nlmsg_len) < 0)
		more = MNL_CB_ERROR;
	while (more > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(socket, bytes, DUMP_BYTES);

		more = n < 0 ? MNL_CB_ERROR
			     : mnl_cb_run(bytes, (size_t)n, 1, mnl_socket_get_portid(socket), each,
					  arg);
	}
	error = errno;
	free(bytes);
	if (more < 0)
		nft_drain(socket);
	return more < 0 ? -error : 0;
}

const struct foreign_chain *foreign_dump_find(const struct foreign_dump *f, uint32_t family,
					      const char *table, const char *name)
{
	for (size_t i = 0; i < f->chain_count; i++) {
		const struct foreign_chain *c = &f->chains[i];

		if (c->family == family && !strcmp(c->name, name) && !strcmp(c->table, table))
			return c;
	}
	return NULL;
}

/* The kernel tells rules chain by chain, in the order in which they are asked. */
static void give_rules(struct foreign_dump *f)
{
	struct foreign_chain *last = NULL;

	for (size_t i = 0; i < f->rule_count; i++) {
		uint32_t family = nftnl_rule_get_u32(f->rules[i], NFTNL_RULE_FAMILY);
		const char *table = nftnl_rule_get_str(f->rules[i], NFTNL_RULE_TABLE);
		const char *chain = nftnl_rule_get_str(f->rules[i], NFTNL_RULE_CHAIN);

		if (!chain)
			continue;
		if (!last || last->family != family || strcmp(last->name, chain) != 0 ||
		    strcmp(last->table, table) != 0) {
			const struct foreign_chain *c = foreign_dump_find(f, family, table, chain);

			last = c ? &f->chains[c - f->chains] : NULL;
			if (last)
				last->first = i;
		}
		if (last)
			last->count++;
	}
}

static void drop_chains(struct foreign_dump *f)
{
	for (size_t i = 0; i < f->chain_count; i++)
		nftnl_chain_free(f->chains[i].chain);
	f->chain_count = 0;
}

static void drop_rules(struct foreign_dump *f)
{
	for (size_t i = 0; i < f->rule_count; i++)
		nftnl_rule_free(f->rules[i]);
	f->rule_count = 0;
}

void foreign_dump_free(struct foreign_dump *f)
{
	drop_chains(f);
	drop_rules(f);
	free(f->chains);
	free(f->rules);
	*f = (struct foreign_dump){NULL, 0, 0, NULL, 0, 0};
}

/* One of the two, until nobody has written meanwhile. */
static int dump_whole(struct foreign_dump *f, struct mnl_socket *socket, uint16_t type,
		      mnl_cb_t each, void (*drop)(struct foreign_dump *f))
{
	int rc = -EINTR;

	for (int i = 0; i < DUMP_TRIES && rc == -EINTR; i++) {
		drop(f);
		rc = dump(socket, type, each, f);
	}
	return rc;
}

int foreign_dump_read(struct foreign_dump *out, struct mnl_socket *socket, struct diag *d)
{
	struct foreign_dump f = {NULL, 0, 0, NULL, 0, 0};
	int rc = dump_whole(&f, socket, NFT_MSG_GETCHAIN, on_chain, drop_chains);

	if (!rc)
		rc = dump_whole(&f, socket, NFT_MSG_GETRULE, on_rule, drop_rules);
	if (rc) {
		foreign_dump_free(&f);
		return diag_set(d, rc == -E2BIG ? ERR_LIMIT : ERR_KERNEL,
				"the kernel does not tell the other firewalls' rules: %s",
				rc == -EINTR ? "another program changes them all the time"
					     : strerror(-rc));
	}
	give_rules(&f);
	*out = f;
	return 0;
}
