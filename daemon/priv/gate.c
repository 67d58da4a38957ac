/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Applying changes in the one safe order. Called by serve.c and down.c.
 */
#include "daemon/priv/gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon/priv/coexist.h"
#include "daemon/priv/gate_own.h"
#include "daemon/priv/gatekey.h"
#include "daemon/priv/neigh.h"

static void gated_note(void *arg, const char *interface)
{
	struct gate *g = arg;

	for (size_t i = 0; i < g->gated_count; i++)
		if (!strcmp(g->gated[i].interface, interface))
			return;
	g->gated = mem_grow(g->gated, &g->gated_room, g->gated_count + 1, sizeof(*g->gated));
	(void)snprintf(g->gated[g->gated_count++].interface, IFNAMSIZ, "%.15s", interface);
}

int gate_open(struct gate *g, const struct nft_shape *shape, struct diag *d)
{
	int rc = nft_open(&g->nft, shape, d);

	if (rc)
		return rc;
	rc = link_open(&g->link, g->conf->interface, d);
	if (rc)
		return rc;
	rc = track_open(&g->track, &g->conf->tunnel6, d);
	if (!rc)
		rc = nft_gated_each(g->nft, gated_note, g, d);
	if (!rc)
		rc = link_gated_each(g->link, gated_note, g, d);
	return rc ? rc : nft_shut(g->nft, d);
}

void gate_close(struct gate *g)
{
	nft_free(g->nft);
	link_free(g->link);
	track_free(g->track);
	wg_free(g->wg);
	free(g->printers);
	free(g->gated);
}

/* ---- nftables -------------------------------------------------------------------------------- */

static void nft_item(struct nft *n, const struct change_item *i)
{
	switch (i->type) {
	case PRIV_PRINTER_PUT:
		nft_printer_put(n, &i->printer);
		break;
	case PRIV_PRINTER_DEL:
		nft_printer_del(n, &i->printer);
		break;
	case PRIV_SERVICE_PUT:
		nft_service_put(n, &i->service);
		break;
	case PRIV_SERVICE_DEL:
		nft_service_del(n, &i->service);
		break;
	case PRIV_GRANT_PUT:
		nft_grant_put(n, &i->grant);
		break;
	case PRIV_GRANT_DEL:
		nft_grant_del(n, &i->grant);
		break;
	default: /* peers are not nftables' */
		break;
	}
}

static int apply_table(struct gate *g, const struct change *c, uint32_t *item, struct diag *d)
{
	nft_begin(g->nft, c->full);
	for (size_t i = 0; i < c->count; i++) {
		nft_mark(g->nft, (uint32_t)i);
		nft_item(g->nft, &c->items[i]);
	}
	nft_mark(g->nft, UINT32_MAX);
	for (size_t i = 0; c->full && i < g->gated_count; i++)
		nft_gated_put(g->nft, g->gated[i].interface);
	return nft_commit(g->nft, item, d);
}

/* Connections whose grant, peer or printer has just gone, or whose printer has moved. In a full change the whole table was judged anew and nothing
 * is known of what was there before: entries of peers that are gone stay until they time out. */
static int cut_connections(struct gate *g, const struct change *c, struct diag *d)
{
	auto_free struct track_pair *list = mem_zalloc(c->count + 1, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++) {
		const struct change_item *it = &c->items[i];

		if (it->type == PRIV_PRINTER_DEL)
			list[n++] = (struct track_pair){0, it->printer.vpn};
		else if (it->type == PRIV_GRANT_DEL)
			list[n++] = (struct track_pair){it->grant.peer, it->grant.vpn};
		else if (it->type == PRIV_PEER_DEL)
			list[n++] = (struct track_pair){it->peer_del.address,
							tunnel_house(g->conf->tunnel)};
	}
	return c->locked ? track_cut_all(g->track, g->conf->tunnel, d)
			 : track_cut(g->track, list, n, d);
}

int gate_shut(struct gate *g, struct diag *d)
{
	uint32_t item;

	nft_begin(g->nft, true);
	for (size_t i = 0; i < g->gated_count; i++)
		nft_gated_put(g->nft, g->gated[i].interface);
	return nft_commit(g->nft, &item, d);
}

/* ---- printers: policy routing and the LAN's interfaces ------------------------------------------ */

static void printer_forget(struct gate *g, struct prefix4 vpn)
{
	for (size_t i = 0; i < g->printer_count; i++) {
		if (g->printers[i].vpn.addr == vpn.addr && g->printers[i].vpn.len == vpn.len) {
			g->printers[i] = g->printers[--g->printer_count];
			return;
		}
	}
}

/* Notes the printers of a change; true if there were any. */
static bool printers_note(struct gate *g, const struct change *c)
{
	bool any = c->full;

	if (c->full)
		g->printer_count = 0;
	for (size_t i = 0; i < c->count; i++) {
		const struct change_item *it = &c->items[i];

		if (it->type != PRIV_PRINTER_PUT && it->type != PRIV_PRINTER_DEL)
			continue;
		any = true;
		printer_forget(g, it->printer.vpn);
		if (it->type == PRIV_PRINTER_DEL)
			continue;
		g->printers = mem_grow(g->printers, &g->printer_room, g->printer_count + 1,
				       sizeof(*g->printers));
		g->printers[g->printer_count++] = it->printer;
	}
	return any;
}

/* Forwarding on one LAN interface. Where it was off, the table's `transit` chain is told first: the
 * machine must not become a router for its neighbours. */
static int lan_forward(struct gate *g, const char *interface, struct diag *d)
{
	uint32_t item;
	bool on;
	int rc = link_forwarding_get(g->link, interface, &on, d);

	if (rc || on)
		return rc;
	gated_note(g, interface);
	nft_begin(g->nft, false);
	nft_gated_put(g->nft, interface);
	rc = nft_commit(g->nft, &item, d);
	if (!rc)
		rc = link_gated_put(g->link, interface, d);
	if (rc)
		return rc;
	log_info("gate", "forwarding switched on for %s, for printers only", interface);
	return link_forwarding_set(g->link, interface, true, d);
}

/* The way to a printer, or to a subnet of them: by its first host, or the second where the first is
 * this machine. False: there is none now; it is looked at again when routes change. */
static bool way_to_target(struct gate *g, struct prefix4 target, struct link_way *way)
{
	uint32_t first = target.addr + (target.len < 31);
	uint32_t last = target.len < 31 ? first + 1 : prefix4_last(target);

	for (uint32_t addr = first; addr <= last; addr++)
		if (!link_way_to(g->link, addr, way, NULL) && !way->local)
			return strcmp(way->interface, g->conf->interface) != 0;
	return false;
}

int gate_lan(struct gate *g, struct diag *d)
{
	struct link_way way;
	int rc = gate_targets_sync(g, d); /* an address of this machine may be a new one */

	if (rc)
		return rc;
	for (size_t i = 0; i < g->printer_count; i++) {
		const struct privmsg_printer *p = &g->printers[i];
		bool ours = false;

		rc = p->self ? 0 : gate_target_ours(g, p->target, &ours, d);
		if (!rc && ours && way_to_target(g, p->target, &way))
			rc = lan_forward(g, way.interface, d);
		if (rc)
			return rc;
	}
	return 0;
}

/* Addresses outside private space are somebody's on the internet unless they are on our own network:
 * a core that is broken into must not turn the gateway into a way to anywhere. What is added is
 * refused then. A full change is not, because it is about everybody, and that network may be back in a
 * moment: there is no way to such a printer meanwhile (gate_targets_sync). */
static int check_public(struct gate *g, const struct change *c, uint32_t *item, struct diag *d)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct privmsg_printer *p = &c->items[i].printer;
		bool own = false;
		int rc;

		if (c->full || c->items[i].type != PRIV_PRINTER_PUT || p->self)
			continue;
		rc = gate_target_ours(g, p->target, &own, d);
		if (rc == 0 && own)
			continue;
		*item = (uint32_t)i;
		return rc ? rc
			  : diag_set(d, ERR_BAD_ADDRESS,
				     "a public address that is not on this machine's own network "
				     "cannot be a printer");
	}
	return 0;
}

/* ---- peers and the interface --------------------------------------------------------------------- */

static struct wg_peer peer_of(const struct gate *g, const struct privmsg_peer *m)
{
	return (struct wg_peer){m->public_key, m->preshared, m->address,
				tunnel6_host(&g->conf->tunnel6, m->address)};
}

static int sync_peers(struct gate *g, const struct change *c, struct diag *d)
{
	struct wg_peer *list = mem_zalloc(c->count + 1, sizeof(*list));
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < c->count; i++)
		if (c->items[i].type == PRIV_PEER_PUT)
			list[n++] = peer_of(g, &c->items[i].peer);
	rc = wg_peers_sync(g->wg, list, n, d);
	key_wipe(list, n * sizeof(*list));
	free(list);
	return rc;
}

static int apply_peers(struct gate *g, const struct change *c, uint32_t *item, struct diag *d)
{
	int rc = 0;

	for (size_t i = 0; i < c->count && !rc; i++) {
		if (c->items[i].type == PRIV_PEER_PUT) {
			struct wg_peer p = peer_of(g, &c->items[i].peer);

			rc = wg_peer_put(g->wg, &p, d);
			key_wipe(&p, sizeof(p));
		} else if (c->items[i].type == PRIV_PEER_DEL) {
			rc = wg_peer_del(g->wg, &c->items[i].peer_del.public_key, d);
		}
		if (rc)
			*item = (uint32_t)i;
	}
	return rc;
}

/* The gateway's addresses, each with the length of the network that holds all peers. */
static int set_addresses(struct gate *g, struct diag *d)
{
	const struct prefix4 tunnel = g->conf->tunnel;
	const struct prefix4 four = {tunnel_gateway(tunnel), tunnel.len};
	const struct prefix6 six = tunnel6_of(&g->conf->tunnel6, four);

	return link_address(g->link, four, &six, d);
}

/* Sessions that went with the interface: the gateway begins new ones, as it comes up. That is a help,
 * not a need: without, phones begin, later. */
static int up_and_greet(struct gate *g, struct diag *d)
{
	struct diag none;
	bool up;
	int rc = link_is_up(g->link, &up, d);

	if (rc)
		return rc;
	if (!up)
		wg_lost(g->wg);
	if (wg_greet(g->wg, &none))
		log_warn("gate", "phones are not greeted: %s", none.text);
	return link_up(g->link, d);
}

static int raise_interface(struct gate *g, const struct change *c, struct diag *d)
{
	auto_secret key = {{0}};
	bool created = false;
	int rc = link_reclaim(g->link, d);

	if (!rc)
		rc = link_strays_down(g->link, d);
	if (!rc)
		rc = wg_attach(g->wg, &created, d);
	if (!rc)
		rc = set_addresses(g, d);
	if (!rc)
		rc = gatekey_load(&key, g->key_dir, d);
	if (!rc)
		rc = wg_device(g->wg, &key, g->conf->listen_port, d);
	if (!rc)
		rc = sync_peers(g, c, d);
	if (!rc)
		rc = link_forward_on(g->link, d);
	if (!rc)
		rc = gate_lan(g, d);
	if (!rc)
		rc = up_and_greet(g, d);
	if (!rc && created)
		log_info("gate", "%s is up (%s)", g->conf->interface, wg_backend(g->wg));
	return rc;
}

static int barrier_up(struct gate *g, struct diag *d)
{
	bool mended;
	int rc = link_barrier_up(g->link, g->stands, &mended, d);

	for (size_t i = 0; i < g->gated_count && !rc; i++)
		rc = link_gated_put(g->link, g->gated[i].interface, d);

	if (!rc && mended)
		log_warn("gate", "somebody removed the rule that leads to the main routing table, "
				 "without which this machine has no network: set again");
	return rc;
}

/* What follows the table: everything here only narrows or opens what the table already judges. */
static int apply_rest(struct gate *g, const struct change *c, uint32_t *item, struct diag *d)
{
	bool printers = printers_note(g, c);
	int rc = c->full ? barrier_up(g, d) : 0;

	if (!rc && printers)
		rc = gate_targets_sync(g, d);
	if (rc)
		return rc;
	if (c->full) {
		rc = raise_interface(g, c, d);
		g->stands |= !rc;
		return rc;
	}
	if (printers)
		rc = gate_lan(g, d);
	return rc ? rc : apply_peers(g, c, item, d);
}

int gate_apply(struct gate *g, const struct change *c, uint32_t *item, bool *half, struct diag *d)
{
	int rc;

	*half = false;
	*item = c->bad;
	if (c->refusal.code) {
		*d = c->refusal;
		return d->code;
	}
	rc = check_public(g, c, item, d);
	if (!rc)
		rc = gate_pins_raise(g, c, d);
	if (rc)
		return rc;
	rc = apply_table(g, c, item, d);
	if (rc)
		return rc;
	*half = true;
	*item = UINT32_MAX;
	rc = cut_connections(g, c, d);
	if (!rc)
		rc = apply_rest(g, c, item, d);
	if (!rc)
		*half = false;
	return rc;
}

int gate_coexist(struct gate *g, bool *changed, struct diag *d)
{
	const char *interface = g->conf->coexist ? g->conf->interface : NULL;
	int rc = coexist_sync(nft_socket(g->nft), interface, changed, d);

	if (!rc && *changed)
		log_info("gate", "%s",
			 interface ? "Docker's chain DOCKER-USER lets our traffic pass"
				   : "our rules in DOCKER-USER are gone");
	return rc;
}

/* ---- the way down ---------------------------------------------------------------------------- */

static void forward_off(struct gate *g, const char *interface)
{
	struct diag d;

	if (link_forwarding_set(g->link, interface, false, &d))
		log_warn("gate", "%s", d.text);
}

int gate_down(struct gate *g, struct diag *d)
{
	bool changed;
	int rc = 0;

	for (size_t i = 0; i < g->gated_count && !rc; i++) {
		forward_off(g, g->gated[i].interface);
		rc = link_gated_del(g->link, g->gated[i].interface, d);
	}
	if (!rc)
		rc = wg_down(g->wg, d);
	if (!rc)
		rc = neigh_unpin_others(g->link, NULL, 0, d);
	if (!rc)
		rc = link_barrier_down(g->link, d);
	if (!rc)
		rc = coexist_sync(nft_socket(g->nft), NULL, &changed, d);
	return rc ? rc : nft_down(g->nft, d);
}
