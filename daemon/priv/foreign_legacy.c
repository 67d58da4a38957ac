/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter table of iptables-legacy by getsockopt(2) (linux/netfilter_ipv4/ip_tables.h), which
 * CAP_NET_ADMIN allows. To ask for a table that is not there would make it: so the kernel's list is
 * read first. The table comes from the kernel and is well-formed; offsets are checked all the same.
 */
#include "daemon/priv/foreign_legacy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/mem.h"
#include "daemon/priv/foreign_xt.h"

#define NAMES_PATH "/proc/net/ip_tables_names"
#define MODULE_PATH                                                                                \
	"/sys/module/iptable_filter" /* also where it is built in, for it has a parameter */
#define NAMES_BYTES 512
#define TABLE_BYTES (16U << 20)
#define DEPTH_MAX   32	   /* of jumps; the kernel's own bound is the number of chains */
#define STEPS_MAX   100000 /* rules looked at for one flow */

struct table {
	struct ipt_get_entries *entries; /* ours */
	struct ipt_getinfo info;
};

int foreign_legacy_open(void)
{
	return open(NAMES_PATH, O_RDONLY | O_CLOEXEC);
}

/* The list is root's. Without it, the module tells: where that is not, there is no such table; where it is,
 * to ask makes at worst an empty one, which lets everything pass. */
static bool has_filter(int names)
{
	char text[NAMES_BYTES + 1];
	ssize_t n;

	if (names < 0)
		return access(MODULE_PATH, F_OK) == 0;
	n = pread(names, text, NAMES_BYTES, 0);
	if (n < 0)
		return false;
	text[n] = '\0';
	return !strncmp(text, "filter\n", 7) || strstr(text, "\nfilter\n");
}

static int read_table(struct table *t)
{
	auto_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(t->info);

	(void)snprintf(t->info.name, sizeof(t->info.name), "filter");
	if (fd < 0 || getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, &t->info, &len) ||
	    t->info.size > TABLE_BYTES)
		return -1;
	len = (socklen_t)(sizeof(*t->entries) + t->info.size);
	t->entries = mem_zalloc(1, len);
	(void)snprintf(t->entries->name, sizeof(t->entries->name), "filter");
	t->entries->size = t->info.size;
	return getsockopt(fd, IPPROTO_IP, IPT_SO_GET_ENTRIES, t->entries, &len);
}

static const struct ipt_entry *entry_at(const struct table *t, unsigned offset)
{
	const char *base = (const char *)t->entries->entrytable;
	const struct ipt_entry *e = (const void *)(base + offset);

	if (offset > t->info.size || t->info.size - offset < sizeof(*e) ||
	    e->next_offset > t->info.size - offset || e->target_offset < sizeof(*e) ||
	    e->target_offset + sizeof(struct xt_entry_target) > e->next_offset)
		return NULL;
	return e;
}

static bool same_interface(const char *name, const char *want, const unsigned char *mask)
{
	for (unsigned i = 0; i < IFNAMSIZ; i++)
		if ((name[i] ^ want[i]) & mask[i])
			return false;
	return true;
}

/* An address that is not known is in a network only if every address is. */
static enum holds in_network(uint32_t addr, struct in_addr net, struct in_addr mask, bool invert)
{
	if (!mask.s_addr)
		return invert ? HOLDS_NO : HOLDS_YES;
	if (!addr)
		return HOLDS_MAYBE;
	return ((htonl(addr) & mask.s_addr) == net.s_addr) ^ invert ? HOLDS_YES : HOLDS_NO;
}

static bool head_holds(const struct ipt_ip *ip, const struct flow *f)
{
	if (same_interface(f->in, ip->iniface, ip->iniface_mask) ==
	    ((ip->invflags & IPT_INV_VIA_IN) != 0))
		return false;
	if (same_interface(f->out, ip->outiface, ip->outiface_mask) ==
	    ((ip->invflags & IPT_INV_VIA_OUT) != 0))
		return false;
	if (ip->proto && (ip->proto == f->protocol) == ((ip->invflags & IPT_INV_PROTO) != 0))
		return false;
	if (ip->flags & IPT_F_FRAG)
		return false;
	return in_network(f->source, ip->src, ip->smsk, ip->invflags & IPT_INV_SRCIP) ==
		       HOLDS_YES &&
	       in_network(f->destination, ip->dst, ip->dmsk, ip->invflags & IPT_INV_DSTIP) ==
		       HOLDS_YES;
}

static bool entry_holds(const struct ipt_entry *e, const struct flow *f)
{
	unsigned at = sizeof(*e);

	if (!head_holds(&e->ip, f))
		return false;
	while (at < e->target_offset) {
		const struct xt_entry_match *m = (const void *)((const char *)e + at);

		if (e->target_offset - at < sizeof(*m) || m->u.match_size < sizeof(*m) ||
		    m->u.match_size > e->target_offset - at)
			return false;
		if (foreign_xt_match(f, m->u.user.name, m->u.user.revision, m->data,
				     m->u.match_size - sizeof(*m)) != HOLDS_YES)
			return false;
		at += m->u.match_size;
	}
	return true;
}

/* Where the walk stands, and where it returns to. */
struct walk {
	unsigned at, depth;
	unsigned back[DEPTH_MAX];
};

/* Goes on after an entry that holds. 0, or the end: one of enum foreign_legacy. */
static int follow(struct walk *w, const struct table *t, const struct ipt_entry *e, uint8_t hook)
{
	const struct xt_standard_target *s = (const void *)((const char *)e + e->target_offset);
	unsigned next = w->at + e->next_offset;

	w->at = next;
	if (s->target.u.user.name[0]) /* not one of the built-in verdicts */
		return foreign_xt_refuses(s->target.u.user.name) ? FOREIGN_LEGACY_DROPS : 0;
	if (s->verdict == XT_RETURN) {
		w->at = w->depth ? w->back[--w->depth] : t->info.underflow[hook];
		return 0;
	}
	if (s->verdict < 0)
		return s->verdict == -NF_ACCEPT - 1 ? FOREIGN_LEGACY_ADMITS : FOREIGN_LEGACY_DROPS;
	if ((unsigned)s->verdict != next && !(e->ip.flags & IPT_F_GOTO)) {
		if (w->depth == DEPTH_MAX)
			return FOREIGN_LEGACY_UNKNOWN;
		w->back[w->depth++] = next;
	}
	w->at = (unsigned)s->verdict;
	return 0;
}

static enum foreign_legacy walk(const struct table *t, const struct flow *f)
{
	struct walk w = {.at = t->info.hook_entry[f->hook]};

	for (unsigned i = 0; i < STEPS_MAX; i++) {
		const struct ipt_entry *e = entry_at(t, w.at);
		int end = 0;

		if (!e || !e->next_offset)
			return FOREIGN_LEGACY_UNKNOWN;
		if (entry_holds(e, f))
			end = follow(&w, t, e, f->hook);
		else
			w.at += e->next_offset;
		if (end)
			return (enum foreign_legacy)end;
	}
	return FOREIGN_LEGACY_UNKNOWN;
}

enum foreign_legacy foreign_legacy_judge(int names, const struct flow *f)
{
	struct table t = {.entries = NULL};
	enum foreign_legacy verdict = FOREIGN_LEGACY_UNKNOWN;

	if (!has_filter(names))
		return FOREIGN_LEGACY_NONE;
	if (!read_table(&t) && t.info.valid_hooks & 1U << f->hook)
		verdict = walk(&t, f);
	free(t.entries);
	return verdict;
}
