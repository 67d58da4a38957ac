/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flows that a phone needs, by the gate's configuration, printers and routes: to and from each
 * printer, to and from the gateway's own tunnel address, and WireGuard's own datagrams. Called by
 * serve.c.
 */
#include "daemon/priv/check.h"

#include <netinet/in.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

#define FLOWS_PRINTERS_MAX 32	       /* interfaces are few; further printers are beside others */
#define OUTSIDE		   0xc0000201U /* 192.0.2.1 (RFC 5737): where a stranger would be */

struct flows {
	struct gate *gate;
	struct flow *list;
	size_t count, room;
	unsigned printers;
};

static struct flow *add(struct flows *all, enum privmsg_way way, uint8_t hook, uint8_t protocol)
{
	struct flow *f;

	all->list = mem_grow(all->list, &all->room, all->count + 1, sizeof(*all->list));
	f = &all->list[all->count++];
	*f = (struct flow){.way = way, .hook = hook, .protocol = protocol};
	return f;
}

static uint32_t some_peer(const struct gate *g)
{
	struct prefix4 tunnel = g->conf->tunnel;

	return prefix4_last(tunnel) - 1; /* the last quarter is the peers' */
}

static void add_printer(struct flows *all, uint32_t target, const char *interface)
{
	const char *ours = all->gate->conf->interface;
	struct flow *f = add(all, WAY_TO_PRINTER, NF_INET_FORWARD, IPPROTO_TCP);

	memcpy(f->in, ours, IFNAMSIZ);
	memcpy(f->out, interface, IFNAMSIZ);
	f->source = some_peer(all->gate);
	f->destination = target;
	f->translated = true;
	f = add(all, WAY_FROM_PRINTER, NF_INET_FORWARD, IPPROTO_TCP);
	memcpy(f->in, interface, IFNAMSIZ);
	memcpy(f->out, ours, IFNAMSIZ);
	f->source = target;
	f->destination = some_peer(all->gate);
	f->translated = f->reply = true;
}

/* Without a printer yet, or with none that is reached: as if there were one somewhere. */
static void add_printers(struct flows *all)
{
	struct gate *g = all->gate;
	static const char nowhere[IFNAMSIZ] = "";

	for (size_t i = 0; i < g->printer_count && all->printers < FLOWS_PRINTERS_MAX; i++) {
		const struct privmsg_printer *p = &g->printers[i];
		uint32_t target = p->target.addr + (p->target.len < 31);
		struct link_way way;

		if (p->self || link_way_to(g->link, target, &way, NULL))
			continue;
		add_printer(all, target, way.interface);
		all->printers++;
	}
	if (!all->printers)
		add_printer(all, 0, nowhere);
}

static void add_gateway(struct flows *all)
{
	const struct gate *g = all->gate;
	struct flow *f = add(all, WAY_TO_GATEWAY, NF_INET_LOCAL_IN, IPPROTO_TCP);

	memcpy(f->in, g->conf->interface, IFNAMSIZ);
	f->source = some_peer(g);
	f->destination = tunnel_gateway(g->conf->tunnel);
	f->translated = true;
	f = add(all, WAY_FROM_GATEWAY, NF_INET_LOCAL_OUT, IPPROTO_TCP);
	memcpy(f->out, g->conf->interface, IFNAMSIZ);
	f->source = tunnel_gateway(g->conf->tunnel);
	f->destination = some_peer(g);
	f->translated = f->reply = true;
}

static void add_wireguard(struct flows *all)
{
	const struct gate *g = all->gate;
	struct link_way way = {.interface = ""};
	struct flow *f;

	if (link_way_to(g->link, OUTSIDE, &way, NULL))
		way.interface[0] = '\0'; /* no route: by any */
	f = add(all, WAY_WIREGUARD_IN, NF_INET_LOCAL_IN, IPPROTO_UDP);
	memcpy(f->in, way.interface, IFNAMSIZ);
	f->target_port = g->conf->listen_port;
	f = add(all, WAY_WIREGUARD_OUT, NF_INET_LOCAL_OUT, IPPROTO_UDP);
	memcpy(f->out, way.interface, IFNAMSIZ);
	f->source_port = g->conf->listen_port;
	f->reply = true;
}

int check_run(struct gate *g, int legacy, foreign_fn fn, void *arg, struct diag *d)
{
	struct flows all = {.gate = g};
	int rc;

	add_printers(&all);
	add_gateway(&all);
	add_wireguard(&all);
	rc = foreign_check(nft_socket(g->nft), legacy, all.list, all.count, fn, arg, d);
	free(all.list);
	return rc;
}
