/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From chains and rules to findings. That a tool's own words are known here is only to name it and
 * its command; whether it admits our traffic is found by following the rules themselves.
 */
#include "daemon/priv/foreign.h"

#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/mem.h"
#include "daemon/priv/foreign_dump.h"
#include "daemon/priv/foreign_legacy.h"
#include "daemon/priv/foreign_rule.h"

#define DEPTH_MAX    16	    /* the kernel's NFT_JUMP_STACK_SIZE */
#define STEPS_MAX    100000 /* rules followed for one flow and base chain */
#define FINDINGS_MAX 256

struct check {
	struct foreign_dump dump;
	struct mnl_socket *socket;
	unsigned steps;
	const char *zone; /* firewalld's, of the flow that is followed; NULL: none */
	struct privmsg_finding *found;
	size_t count, room;
};

/* ---- following the rules ------------------------------------------------------------------------ */

static enum foreign_verdict follow(struct check *c, const struct foreign_chain *chain,
				   const struct flow *f, unsigned depth);

/* firewalld has a chain `filter_IN_ZONE` for each zone, and others for its policies. */
static const char *zone_of(const char *chain)
{
	static const char zone[] = "filter_IN_", policy[] = "filter_IN_policy_";

	if (strncmp(chain, zone, strlen(zone)) != 0 || !strncmp(chain, policy, strlen(policy)))
		return NULL;
	return chain + strlen(zone);
}

static enum foreign_verdict enter(struct check *c, const struct foreign_chain *from,
				  const char *name, const struct flow *f, unsigned depth)
{
	const struct foreign_chain *to =
		foreign_dump_find(&c->dump, from->family, from->table, name);

	if (!to || depth >= DEPTH_MAX)
		return FOREIGN_ON;
	if (!c->zone)
		c->zone = zone_of(to->name);
	return follow(c, to, f, depth + 1);
}

/* Through one chain: ACCEPT, DROP, or ON at its end. */
static enum foreign_verdict follow(struct check *c, const struct foreign_chain *chain,
				   const struct flow *f, unsigned depth)
{
	for (size_t i = chain->first; i < chain->first + chain->count; i++) {
		struct foreign_ruling r;
		enum foreign_verdict v;

		if (++c->steps > STEPS_MAX)
			return FOREIGN_ON;
		r = foreign_rule_apply(c->socket, c->dump.rules[i], f);
		v = r.verdict;
		if (v == FOREIGN_JUMP || v == FOREIGN_GOTO)
			v = enter(c, chain, r.chain, f, depth);
		if (v == FOREIGN_ACCEPT || v == FOREIGN_DROP)
			return v;
		if (r.verdict == FOREIGN_GOTO || v == FOREIGN_RETURN)
			return FOREIGN_ON;
	}
	return FOREIGN_ON;
}

static bool admits(struct check *c, const struct foreign_chain *base, const struct flow *f)
{
	enum foreign_verdict v;

	c->steps = 0;
	c->zone = NULL;
	v = follow(c, base, f, 0);
	if (v != FOREIGN_ON)
		return v == FOREIGN_ACCEPT;
	return nftnl_chain_get_u32(base->chain, NFTNL_CHAIN_POLICY) != NF_DROP;
}

/* ---- whose it is -------------------------------------------------------------------------------- */

static bool has_chain(const struct check *c, const struct foreign_chain *like, const char *start)
{
	for (size_t i = 0; i < c->dump.chain_count; i++) {
		const struct foreign_chain *o = &c->dump.chains[i];

		if (o->family == like->family && !strcmp(o->table, like->table) &&
		    !strncmp(o->name, start, strlen(start)))
			return true;
	}
	return false;
}

/* iptables-nft has one table for each of these, with chains named as the hooks in capitals. */
static bool is_iptables(const struct foreign_chain *b)
{
	static const char *const tables[] = {"filter", "mangle", "raw", "security"};
	static const char *const chains[] = {"INPUT", "FORWARD", "OUTPUT"};
	bool table = false, chain = false;

	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		table |= !strcmp(b->table, tables[i]);
	for (size_t i = 0; i < ARRAY_LEN(chains); i++)
		chain |= !strcmp(b->name, chains[i]);
	return b->family == NFPROTO_IPV4 && table && chain;
}

/* ufw before Docker: its command lasts, and its rules hold for what Docker lets fall through. */
static enum foreign_tool tool_of(const struct check *c, const struct foreign_chain *base)
{
	if (!strncmp(base->table, "firewalld", strlen("firewalld")))
		return FOREIGN_FIREWALLD;
	if (!is_iptables(base))
		return FOREIGN_NFTABLES;
	if (has_chain(c, base, "ufw-"))
		return FOREIGN_UFW;
	if (has_chain(c, base, "DOCKER-USER") && !strcmp(base->name, "FORWARD"))
		return FOREIGN_DOCKER;
	return FOREIGN_IPTABLES;
}

/* ---- findings ----------------------------------------------------------------------------------- */

static bool same_finding(const struct privmsg_finding *a, const struct privmsg_finding *b)
{
	return a->tool == b->tool && a->way == b->way &&
	       (a->tool != FOREIGN_NFTABLES ||
		(!strcmp(a->table, b->table) && !strcmp(a->chain, b->chain)));
}

/* One for each tool and way: what is shut for one interface is shut. */
static void note(struct check *c, const struct privmsg_finding *f)
{
	for (size_t i = 0; i < c->count; i++) {
		if (!same_finding(&c->found[i], f))
			continue;
		if (c->found[i].admitted)
			c->found[i] = *f;
		return;
	}
	if (c->count == FINDINGS_MAX)
		return;
	c->found = mem_grow(c->found, &c->room, c->count + 1, sizeof(*c->found));
	c->found[c->count++] = *f;
}

/* A name that can be typed and told; "" for another. */
static void token(char out[PRIV_NFT_NAME_BYTES], const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";
	size_t n = strlen(name);

	if (n < PRIV_NFT_NAME_BYTES && strspn(name, allowed) == n)
		memcpy(out, name, n + 1);
	else
		out[0] = '\0';
}

static void judge(struct check *c, const struct foreign_chain *base, const struct flow *f)
{
	struct privmsg_finding finding = {.tool = (uint8_t)tool_of(c, base),
					  .way = (uint8_t)f->way,
					  .family = (uint8_t)base->family,
					  .admitted = admits(c, base, f)};

	/* Others' tables may hold whatever they like as long as they let us pass. */
	if (finding.admitted && finding.tool == FOREIGN_NFTABLES)
		return;
	token(finding.table, base->table);
	token(finding.chain, finding.tool == FOREIGN_FIREWALLD && c->zone ? c->zone : base->name);
	note(c, &finding);
}

static bool judges(const struct foreign_chain *ch, const struct flow *f)
{
	const char *type = nftnl_chain_get_str(ch->chain, NFTNL_CHAIN_TYPE);

	return nftnl_chain_is_set(ch->chain, NFTNL_CHAIN_HOOKNUM) && type &&
	       !strcmp(type, "filter") &&
	       (ch->family == NFPROTO_IPV4 || ch->family == NFPROTO_INET) &&
	       nftnl_chain_get_u32(ch->chain, NFTNL_CHAIN_HOOKNUM) == f->hook;
}

static void judge_legacy(struct check *c, int names, const struct flow *f)
{
	enum foreign_legacy v = foreign_legacy_judge(names, f);
	struct privmsg_finding finding = {.tool = FOREIGN_LEGACY,
					  .way = (uint8_t)f->way,
					  .family = NFPROTO_IPV4,
					  .admitted = v == FOREIGN_LEGACY_ADMITS};

	if (v == FOREIGN_LEGACY_NONE)
		return;
	if (v == FOREIGN_LEGACY_UNKNOWN)
		finding.tool = FOREIGN_UNSEEN;
	note(c, &finding);
}

int foreign_check(struct mnl_socket *socket, int legacy, const struct flow *flows, size_t count,
		  foreign_fn fn, void *arg, struct diag *d)
{
	struct check c = {.socket = socket};
	int rc = foreign_dump_read(&c.dump, socket, d);

	if (rc)
		return rc;
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < c.dump.chain_count; k++)
			if (judges(&c.dump.chains[k], &flows[i]))
				judge(&c, &c.dump.chains[k], &flows[i]);
		judge_legacy(&c, legacy, &flows[i]);
	}
	for (size_t i = 0; i < c.count; i++)
		fn(arg, &c.found[i]);
	free(c.found);
	foreign_dump_free(&c.dump);
	return 0;
}
