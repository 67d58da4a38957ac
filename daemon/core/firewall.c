/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One table of tools, with the command for each way that may be shut. All that comes to or from our
 * interface is judged by our own table, so to let it pass another firewall opens nothing more.
 */
#include "daemon/core/firewall.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/mem.h"
#include "daemon/core/core.h"
#include "daemon/core/priv.h"

#define WAYS (WAY_WIREGUARD_OUT + 1)

static const char *const way_names[WAYS] = {
	[WAY_TO_PRINTER] = "from phones to printers",
	[WAY_FROM_PRINTER] = "from printers to phones",
	[WAY_TO_GATEWAY] = "from phones to this machine",
	[WAY_FROM_GATEWAY] = "from this machine to phones",
	[WAY_WIREGUARD_IN] = "from outside to WireGuard's port",
	[WAY_WIREGUARD_OUT] = "from WireGuard's port to the outside",
};

/* In commands: %N the tool's name, %I our interface, %P WireGuard's port, %Z the zone, %C family, table
 * and chain. */
static const char *const docker[WAYS] = {
	[WAY_TO_PRINTER] = "iptables -I DOCKER-USER -i %I -j ACCEPT",
	[WAY_FROM_PRINTER] = "iptables -I DOCKER-USER -o %I -j ACCEPT",
};

static const char *const ufw[WAYS] = {
	[WAY_TO_PRINTER] = "ufw route allow in on %I",
	[WAY_FROM_PRINTER] = "ufw route allow out on %I",
	[WAY_TO_GATEWAY] = "ufw allow in on %I",
	[WAY_FROM_GATEWAY] = "ufw allow out on %I",
	[WAY_WIREGUARD_IN] = "ufw allow %P/udp",
	[WAY_WIREGUARD_OUT] = "ufw allow out proto udp from any port %P",
};

#define TRUST "firewall-cmd --permanent --zone=trusted --add-interface=%I"

static const char *const firewalld[WAYS] = {
	[WAY_TO_PRINTER] = TRUST,
	[WAY_FROM_PRINTER] = TRUST,
	[WAY_TO_GATEWAY] = TRUST,
	[WAY_FROM_GATEWAY] = TRUST,
	[WAY_WIREGUARD_IN] = "firewall-cmd --permanent --zone=%Z --add-port=%P/udp",
};

static const char *const iptables[WAYS] = {
	[WAY_TO_PRINTER] = "%N -I FORWARD -i %I -j ACCEPT",
	[WAY_FROM_PRINTER] = "%N -I FORWARD -o %I -j ACCEPT",
	[WAY_TO_GATEWAY] = "%N -I INPUT -i %I -j ACCEPT",
	[WAY_FROM_GATEWAY] = "%N -I OUTPUT -o %I -j ACCEPT",
	[WAY_WIREGUARD_IN] = "%N -I INPUT -p udp --dport %P -j ACCEPT",
	[WAY_WIREGUARD_OUT] = "%N -I OUTPUT -p udp --sport %P -j ACCEPT",
};

static const char *const nftables[WAYS] = {
	[WAY_TO_PRINTER] = "nft insert rule %C iifname %I accept",
	[WAY_FROM_PRINTER] = "nft insert rule %C oifname %I accept",
	[WAY_TO_GATEWAY] = "nft insert rule %C iifname %I accept",
	[WAY_FROM_GATEWAY] = "nft insert rule %C oifname %I accept",
	[WAY_WIREGUARD_IN] = "nft insert rule %C udp dport %P accept",
	[WAY_WIREGUARD_OUT] = "nft insert rule %C udp sport %P accept",
};

static const char until_boot[] =
	"That lasts until the next boot: add it to what loads these rules.";

static const struct tool {
	const char *name, *title;
	const char *const *command; /* by way */
	const char *last;	    /* after the others */
	const char *hint;
} tools[] = {
	[FOREIGN_DOCKER] = {"docker", "Docker", docker, NULL,
			    "That lasts until the next boot; with `coexist = auto` in "
			    "printgate.conf printgate does it itself."},
	[FOREIGN_UFW] = {"ufw", "ufw", ufw, NULL, NULL},
	[FOREIGN_FIREWALLD] = {"firewalld", "firewalld", firewalld, "firewall-cmd --reload", NULL},
	[FOREIGN_IPTABLES] = {"iptables", "A firewall of iptables", iptables, NULL, until_boot},
	[FOREIGN_LEGACY] = {"iptables-legacy", "A firewall of iptables-legacy", iptables, NULL,
			    until_boot},
	[FOREIGN_NFTABLES] =
		{"nftables", "The nftables chain", nftables, NULL,
		 "That lasts until these rules are loaded again: add it to their file."},
	[FOREIGN_UNSEEN] = {"iptables-legacy", "iptables-legacy", NULL, NULL, NULL},
};

struct text {
	char *at;
	size_t room, used;
	bool cut;
};

static void put(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->at + t->used, t->room - t->used, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= t->room - t->used) {
		t->at[t->used] = '\0';
		t->cut = true;
	} else {
		t->used += (size_t)n;
	}
}

struct place {
	const char *interface;
	uint16_t port;
	const char *zone;
	const struct privmsg_finding *finding;
};

static void put_command(struct text *t, const char *name, const char *form, const struct place *p)
{
	const struct privmsg_finding *f = p->finding;

	for (; *form; form++) {
		if (*form != '%')
			put(t, "%c", *form);
		else if (*++form == 'I')
			put(t, "%s", p->interface);
		else if (*form == 'N')
			put(t, "%s", name);
		else if (*form == 'P')
			put(t, "%u", p->port);
		else if (*form == 'Z')
			put(t, "%s", p->zone);
		else
			put(t, "%s %s %s", f->family == 1 ? "inet" : "ip", f->table, f->chain);
	}
}

/* The commands of all ways that are shut, each once. */
static void put_fix(struct text *t, const struct tool *tool, unsigned shut, const struct place *p)
{
	for (unsigned w = 0; w < WAYS; w++) {
		bool said = false;

		if (!(shut & 1U << w) || !tool->command[w])
			continue;
		for (unsigned v = 0; v < w; v++)
			said |= shut & 1U << v && tool->command[v] &&
				!strcmp(tool->command[v], tool->command[w]);
		if (said)
			continue;
		put(t, "%s", t->used ? " && " : "");
		put_command(t, tool->name, tool->command[w], p);
	}
	if (tool->last && t->used)
		put(t, " && %s", tool->last);
}

static void put_shut(struct text *t, const struct tool *tool, unsigned shut,
		     const struct privmsg_finding *f)
{
	bool first = true;

	put(t, "%s ", tool->title);
	if (f->tool == FOREIGN_NFTABLES && f->table[0] && f->chain[0])
		put(t, "%s %s %s ", f->family == 1 ? "inet" : "ip", f->table, f->chain);
	put(t, "stops what goes ");
	for (unsigned w = 0; w < WAYS; w++) {
		if (!(shut & 1U << w))
			continue;
		put(t, "%s%s", first ? "" : ", ", way_names[w]);
		first = false;
	}
	put(t, ". The command lets exactly that pass.");
	if (tool->hint)
		put(t, " %s", tool->hint);
}

void firewall_check(struct control_check *out, const struct privmsg_finding *f, unsigned shut,
		    const char *interface, uint16_t port, const char *zone)
{
	const struct tool *tool = &tools[f->tool];
	struct text message = {out->message, sizeof(out->message), 0, false};
	struct text fix = {out->fix, sizeof(out->fix), 0, false};
	const struct place place = {interface, port, zone, f};

	*out = (struct control_check){.result = shut ? CHECK_FAIL : CHECK_OK};
	(void)snprintf(out->name, sizeof(out->name), "%s", tool->name);
	if (f->tool == FOREIGN_UNSEEN) {
		out->result = CHECK_WARN;
		put(&message,
		    "There may be iptables-legacy rules that printgated cannot see: the kernel's "
		    "part for them came after its start. Restart printgated and ask again.");
		return;
	}
	if (!shut) {
		put(&message, "%s lets printgate's traffic pass.", tool->title);
		return;
	}
	put_shut(&message, tool, shut, f);
	/* A name that cannot be typed: then there is no command to copy, rather than a wrong one. */
	if (f->tool != FOREIGN_NFTABLES || (f->table[0] && f->chain[0]))
		put_fix(&fix, tool, shut, &place);
	if (fix.cut)
		out->fix[0] = '\0';
}

/* ---- gathering ---------------------------------------------------------------------------------- */

struct gathered {
	struct {
		struct privmsg_finding finding;
		unsigned shut;
		char zone[PRIV_NFT_NAME_BYTES];
	} * item;
	size_t count, room;
};

static bool same_place(const struct privmsg_finding *a, const struct privmsg_finding *b)
{
	return a->tool == b->tool && (a->tool != FOREIGN_NFTABLES ||
				      (!strcmp(a->table, b->table) && !strcmp(a->chain, b->chain)));
}

static void gather(void *arg, const struct privmsg_finding *f)
{
	struct gathered *all = arg;
	size_t i = 0;

	while (i < all->count && !same_place(&all->item[i].finding, f))
		i++;
	if (i == all->count) {
		all->item = mem_grow(all->item, &all->room, ++all->count, sizeof(*all->item));
		all->item[i].finding = *f;
	}
	if (!f->admitted)
		all->item[i].shut |= 1U << f->way;
	if (f->way == WAY_WIREGUARD_IN)
		memcpy(all->item[i].zone, f->chain, sizeof(f->chain));
}

/* What is said when there is nothing to say of a tool. */
static void tell_none(firewall_fn fn, void *arg, int rc, const struct diag *d)
{
	struct control_check c = {
		.name = "firewalls",
		.result = CHECK_OK,
		.message = "No other firewall on this machine stands in the way.",
	};

	if (rc) {
		c.result = CHECK_WARN;
		(void)snprintf(c.message, sizeof(c.message),
			       "Whether another firewall stands in the way is not known: %s",
			       d->text);
	}
	fn(arg, &c);
}

void firewall_checks(struct core *c, firewall_fn fn, void *arg)
{
	struct gathered all = {NULL, 0, 0};
	struct diag d = {0};
	int rc = priv_check(c->priv, gather, &all, &d);

	for (size_t i = 0; i < all.count && !rc; i++) {
		struct control_check item;

		firewall_check(&item, &all.item[i].finding, all.item[i].shut, c->gateway.interface,
			       c->gateway.listen_port, all.item[i].zone);
		fn(arg, &item);
	}
	if (rc || !all.count)
		tell_none(fn, arg, rc, &d);
	free(all.item);
}
