/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the store's structs to the protocol's. Grants that have ended are not told: they lead
 * nowhere any more.
 */
#include "daemon/core/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/when.h"
#include "daemon/core/client.h"

void answer_gateway(const struct request *r)
{
	const struct privmsg_hello *h = &r->core->gateway;
	struct control_gateway g = {
		.public_key = h->public_key,
		.listen_port = h->listen_port,
		.tunnel = h->tunnel,
		.tunnel6 = h->tunnel6,
		.uptime = core_uptime(r->core),
	};

	(void)snprintf(g.interface, sizeof(g.interface), "%s", h->interface);
	(void)snprintf(g.backend, sizeof(g.backend), "%s", h->backend);
	(void)snprintf(g.endpoint, sizeof(g.endpoint), "%s", h->endpoint);
	g.locked = r->core->locked;
	if (!client_is_web(r->client)) { /* the owner's words are not for everybody */
		(void)snprintf(g.lock_reason, sizeof(g.lock_reason), "%s", r->core->lock_reason);
		(void)snprintf(g.provision_code, sizeof(g.provision_code), "%s",
			       r->core->provision.code);
	}
	request_item(r, CTL_GATEWAY, &g);
}

struct control_printer answer_printer_item(const struct core *c, const struct store_printer *p)
{
	struct control_printer item = {
		.name = p->name,
		.kind = p->kind,
		.address = p->address,
		.vpn = p->vpn,
		.services = p->services,
		.host = p->host,
		.state = p->moved ? PRINTER_MOVED : PRINTER_OPEN,
	};

	if (p->kind == PRINTER_SELF) {
		item.address = (struct prefix4){tunnel_gateway(c->gateway.tunnel), 32};
		item.vpn6 = tunnel6_of(&c->gateway.tunnel6, p->vpn);
	}
	(void)snprintf(item.preset, sizeof(item.preset), "%s", p->preset);
	return item;
}

void answer_printer(const struct request *r, const struct store_printer *p)
{
	const struct control_printer item = answer_printer_item(r->core, p);

	request_item(r, CTL_PRINTER, &item);
}

static int each_printer(void *arg, const struct store_printer *p)
{
	answer_printer(arg, p);
	return 0;
}

int answer_printers(const struct request *r, struct diag *d)
{
	struct request mine = *r;

	return store_printer_each(r->core->store, each_printer, &mine, d);
}

/* ---- peers ------------------------------------------------------------------------------------- */

static void answer_grant(const struct request *r, const struct clock_view *v,
			 const struct store_grant *g)
{
	const struct control_grant item = {.printer = g->printer, .expires = g->expires};

	if (!clock_ended(v, g->expires))
		request_item(r, CTL_GRANT, &item);
}

static void answer_peer_item(const struct request *r, const struct store_peer *p)
{
	struct control_peer item;

	live_peer(r->core, p, &item);
	request_item(r, CTL_PEER, &item);
}

int answer_new_peer(const struct request *r, const struct store_peer *p, struct diag *d)
{
	const struct clock_view v = clock_now(r->core);
	auto_grants grants = {0};
	const int e = grants_of_peer(r->core, p->id, &grants, d);

	if (e)
		return e;
	answer_peer_item(r, p);
	for (size_t i = 0; i < grants.n; i++)
		answer_grant(r, &v, &grants.item[i]);
	return 0;
}

/* What was asked for has been done already: that its traffic is not known now is no failure. */
int answer_peer(const struct request *r, const struct store_peer *p, struct diag *d)
{
	struct diag why = {0};
	int e;

	if (live_refresh(r->core, 0, &why))
		log_warn("core", "the kernel does not tell of handshakes: %s", why.text);
	e = answer_new_peer(r, p, d);
	live_settle(r->core);
	return e;
}

/* Grants come ordered by peer id, as peers do: both lists are walked once. */
struct walk {
	const struct request *r;
	struct clock_view view;
	struct walk_grant {
		int64_t peer_id;
		int64_t expires;
		struct name printer;
	} * grant;
	size_t n, cap, at;
};

static int walk_grant(void *arg, const struct store_grant *g)
{
	struct walk *w = arg;

	w->grant = mem_grow(w->grant, &w->cap, w->n + 1, sizeof(*w->grant));
	w->grant[w->n++] = (struct walk_grant){
		.peer_id = g->peer_id, .expires = g->expires, .printer = g->printer};
	return 0;
}

static int walk_peer(void *arg, const struct store_peer *p)
{
	struct walk *w = arg;

	answer_peer_item(w->r, p);
	while (w->at < w->n && w->grant[w->at].peer_id < p->id)
		w->at++;
	for (; w->at < w->n && w->grant[w->at].peer_id == p->id; w->at++) {
		const struct walk_grant *g = &w->grant[w->at];

		answer_grant(w->r, &w->view,
			     &(struct store_grant){.printer = g->printer, .expires = g->expires});
	}
	return 0;
}

int answer_peers(const struct request *r, int64_t max_age, struct diag *d)
{
	struct walk w = {.r = r, .view = clock_now(r->core)};
	int e = live_refresh(r->core, max_age, d);

	if (e == 0)
		e = store_grant_each(r->core->store, walk_grant, &w, d);
	if (e == 0)
		e = store_peer_each(r->core->store, walk_peer, &w, d);
	free(w.grant);
	live_settle(r->core);
	return e;
}

/* ---- look-ups ---------------------------------------------------------------------------------- */

struct known {
	char text[DIAG_TEXT_BYTES / 2];
	size_t used;
	bool cut;
};

static int each_known(void *arg, const struct store_printer *p)
{
	struct known *k = arg;
	const size_t need = strlen(p->name.s) + (k->used ? 2 : 0);

	if (k->cut || k->used + need + sizeof(", …") > sizeof(k->text)) {
		k->cut = true;
		return 0;
	}
	k->used += (size_t)snprintf(k->text + k->used, sizeof(k->text) - k->used, "%s%s",
				    k->used ? ", " : "", p->name.s);
	return 0;
}

int answer_find_printer(struct core *c, const struct name *name, struct store_printer *out,
			struct diag *d)
{
	struct known k = {0};
	int r = store_printer_by_name(c->store, name, out, d);

	if (r != ERR_NOT_FOUND)
		return r;
	r = store_printer_each(c->store, each_known, &k, d);
	if (r)
		return r;
	if (k.used == 0)
		return diag_set(d, ERR_NOT_FOUND,
				"there is no printer \"%s\", and no other yet: add it with "
				"`printgate printer add`",
				name->s);
	return diag_set(d, ERR_NOT_FOUND, "there is no printer \"%s\"; there are: %s%s", name->s,
			k.text, k.cut ? ", …" : "");
}

int answer_peer_ended(struct core *c, const struct store_peer *p, struct diag *d)
{
	const struct clock_view v = clock_now(c);
	char end[WHEN_TEXT_BYTES];

	if (!clock_ended(&v, p->expires))
		return 0;
	when_format(end, p->expires);
	if (!v.trusted)
		return diag_set(
			d, ERR_EXPIRED,
			"the time of \"%s\" ends %s, and this machine's clock is not set: it "
			"stays closed until the clock is synchronised",
			p->name.s, end);
	return diag_set(d, ERR_EXPIRED,
			"the time of \"%s\" ended %s: revoke it and enroll it again", p->name.s,
			end);
}

int answer_grant_room(struct core *c, size_t n, struct diag *d)
{
	if (c->grants + n <= CORE_GRANTS_MAX)
		return 0;
	return diag_set(d, ERR_LIMIT, "a gateway holds at most %d grants", CORE_GRANTS_MAX);
}

static int each_grant(void *arg, const struct store_grant *g)
{
	struct grants *all = arg;

	all->item = mem_grow(all->item, &all->cap, all->n + 1, sizeof(*all->item));
	all->item[all->n++] = *g;
	return 0;
}

int grants_of_peer(struct core *c, int64_t peer_id, struct grants *out, struct diag *d)
{
	return store_grant_each_of_peer(c->store, peer_id, each_grant, out, d);
}

int grants_of_printer(struct core *c, int64_t printer_id, struct grants *out, struct diag *d)
{
	return store_grant_each_of_printer(c->store, printer_id, each_grant, out, d);
}

void grants_free(struct grants *g)
{
	free(g->item);
	*g = (struct grants){0};
}
