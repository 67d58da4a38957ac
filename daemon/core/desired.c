/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the store to the kernel. Reads the store, writes the privilege line, decides nothing but who
 * is let in: a peer that is disabled or whose time has ended, and a grant that has ended, are left
 * out; while the gateway is locked, every grant is.
 */
#include "daemon/core/desired.h"

#include <assert.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/mem.h"
#include "daemon/core/core.h"
#include "daemon/core/priv.h"

static_assert(CORE_PRINTERS_MAX * (1 + SERVICES_MAX) + CORE_PEERS_MAX + CORE_GRANTS_MAX <=
		      PRIV_ITEMS_MAX,
	      "a full change must fit");

bool desired_peer_open(const struct clock_view *v, const struct store_peer *p)
{
	return !p->disabled && !clock_ended(v, p->expires);
}

int64_t desired_grant_end(int64_t grant_expires, int64_t peer_expires)
{
	return clock_earlier(grant_expires, peer_expires);
}

static void printer_item(struct core *c, const struct store_printer *p, bool put)
{
	const struct privmsg_printer item = {.vpn = p->vpn,
					     .target = p->address,
					     .self = p->kind == PRINTER_SELF,
					     .hardware = p->hardware};

	priv_item(c->priv, put ? PRIV_PRINTER_PUT : PRIV_PRINTER_DEL, &item);
}

static void printer_items(struct core *c, const struct store_printer *p, bool put)
{
	if (p->moved)
		return;
	if (put)
		printer_item(c, p, true);
	for (unsigned i = 0; i < p->services.count; i++) {
		const struct privmsg_service s = {.vpn = p->vpn, .service = p->services.item[i]};

		priv_item(c->priv, put ? PRIV_SERVICE_PUT : PRIV_SERVICE_DEL, &s);
	}
	if (!put)
		printer_item(c, p, false);
}

void desired_printer_put(struct core *c, const struct store_printer *p)
{
	printer_items(c, p, true);
}

void desired_printer_del(struct core *c, const struct store_printer *p)
{
	printer_items(c, p, false);
}

void desired_printer_move(struct core *c, const struct store_printer *from,
			  const struct store_printer *to)
{
	printer_item(c, from, false);
	printer_item(c, to, true);
}

void desired_grant_put(struct core *c, const struct clock_view *v, uint32_t peer,
		       struct prefix4 vpn, int64_t end)
{
	const struct privmsg_grant item = {.peer = peer, .vpn = vpn, .seconds = clock_left(v, end)};

	clock_grant(c, v, end);
	if (!clock_ended(v, end) && !c->locked)
		priv_item(c->priv, PRIV_GRANT_PUT, &item);
}

void desired_grant_del(struct core *c, uint32_t peer, struct prefix4 vpn)
{
	const struct privmsg_grant item = {.peer = peer, .vpn = vpn};

	priv_item(c->priv, PRIV_GRANT_DEL, &item);
}

void desired_peer_put(struct core *c, const struct store_peer *p)
{
	struct privmsg_peer item = {
		.public_key = p->public_key, .preshared = p->preshared, .address = p->address};

	priv_item(c->priv, PRIV_PEER_PUT, &item);
	key_wipe(&item, sizeof(item));
}

void desired_peer_del(struct core *c, const struct store_peer *p)
{
	const struct privmsg_peer_del item = {.public_key = p->public_key, .address = p->address};

	priv_item(c->priv, PRIV_PEER_DEL, &item);
}

/* ---- the full change --------------------------------------------------------------------------- */

struct full {
	struct core *core;
	struct clock_view view;
	struct full_peer {
		int64_t id;
		int64_t expires;
		bool open;
	} * peer; /* by id */
	size_t n, cap;
	size_t at; /* grants come by peer id: where we are in `peer` */
	uint32_t printers, grants;
};

static int full_survey(void *arg, const struct store_peer *p)
{
	struct full *f = arg;

	f->peer = mem_grow(f->peer, &f->cap, f->n + 1, sizeof(*f->peer));
	f->peer[f->n++] = (struct full_peer){
		.id = p->id, .expires = p->expires, .open = desired_peer_open(&f->view, p)};
	return 0;
}

static int full_printer(void *arg, const struct store_printer *p)
{
	struct full *f = arg;

	f->printers++;
	desired_printer_put(f->core, p);
	return 0;
}

static int full_grant(void *arg, const struct store_grant *g)
{
	struct full *f = arg;
	const struct full_peer *p;

	f->grants++;
	while (f->at < f->n && f->peer[f->at].id < g->peer_id)
		f->at++;
	if (f->at == f->n || f->peer[f->at].id != g->peer_id)
		return 0;
	p = &f->peer[f->at];
	if (p->open)
		desired_grant_put(f->core, &f->view, g->peer_address, g->vpn,
				  desired_grant_end(g->expires, p->expires));
	return 0;
}

static int full_peer(void *arg, const struct store_peer *p)
{
	struct full *f = arg;

	if (desired_peer_open(&f->view, p))
		desired_peer_put(f->core, p);
	return 0;
}

/* A store that cannot be read half-way leaves a change that was never committed: the process ends,
 * and with it the line, so printgated drops the change. */
static void full_send(struct full *f)
{
	struct store *s = f->core->store;
	struct diag d = {0};

	priv_begin(f->core->priv, (struct privmsg_begin){.full = true, .locked = f->core->locked});
	if (store_printer_each(s, full_printer, f, &d) || store_grant_each(s, full_grant, f, &d) ||
	    store_peer_each(s, full_peer, f, &d))
		core_fatal("%s", d.text);
}

int desired_sync(struct core *c, struct diag *d)
{
	struct full f = {.core = c, .view = clock_now(c)};
	int r = store_peer_each(c->store, full_survey, &f, d);

	if (r == 0) {
		full_send(&f);
		r = priv_commit(c->priv, d);
		c->printers = f.printers;
		c->peers = (uint32_t)f.n;
		c->grants = f.grants;
		c->clock.trusted = f.view.trusted;
	}
	free(f.peer);
	return r;
}

void desired_resync(struct core *c)
{
	struct diag d = {0};

	if (!priv_resync_wanted(c->priv))
		return;
	log_info("core", "printgated asks for everything anew");
	if (desired_sync(c, &d))
		core_fatal("the kernel cannot be made equal to the store: %s", d.text);
}
