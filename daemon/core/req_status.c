/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that only look: status, the list of peers, the log, and what the web process may know.
 */
#include "daemon/core/answer.h"

#include <string.h>

#include "daemon/core/desired.h"

/* A page that is reloaded as fast as somebody can press the key asks the kernel twice a second. */
#define WEB_MAX_AGE_MS 500

int req_status(const struct request *r, const union control_any *msg, struct diag *d)
{
	int e;

	(void)msg;
	answer_gateway(r);
	e = answer_printers(r, d);
	return e ? e : answer_peers(r, d);
}

int req_peers(const struct request *r, const union control_any *msg, struct diag *d)
{
	(void)msg;
	return answer_peers(r, d);
}

static int each_event(void *arg, const struct control_event *e)
{
	request_item(arg, CTL_EVENT, e);
	return 0;
}

int req_log(const struct request *r, const union control_any *msg, struct diag *d)
{
	struct request mine = *r;

	return store_event_each(r->core->store, &msg->log.peer, msg->log.limit, each_event, &mine,
				d);
}

/* ---- the page ---------------------------------------------------------------------------------- */

/* The peer that looks, if it looks through the tunnel: the barrier in the kernel lets nobody else
 * use a tunnel address. */
static int viewer(struct core *c, const struct endpoint *e, struct store_peer *out, struct diag *d)
{
	uint32_t addr = (uint32_t)e->addr[0] << 24 | (uint32_t)e->addr[1] << 16 |
			(uint32_t)e->addr[2] << 8 | e->addr[3];

	if (e->family == 6 && !tunnel6_back(&c->gateway.tunnel6, e->addr, &addr))
		return ERR_NOT_FOUND;
	if (e->family == 0 || !tunnel_is_peer(c->gateway.tunnel, addr))
		return ERR_NOT_FOUND;
	return store_peer_by_address(c->store, addr, out, d);
}

struct granted {
	const struct request *r;
	const struct clock_view *view;
	const struct grants *grants;
};

/* The LAN's own addresses are not told to phones: they see the address that they use. */
static int each_granted(void *arg, const struct store_printer *p)
{
	const struct granted *g = arg;
	struct control_printer item = answer_printer_item(g->r->core, p);

	item.address = item.vpn;
	for (size_t i = 0; i < g->grants->n; i++)
		if (g->grants->item[i].printer_id == p->id &&
		    !clock_ended(g->view, g->grants->item[i].expires))
			request_item(g->r, CTL_PRINTER, &item);
	return 0;
}

static int view_of_peer(const struct request *r, const struct store_peer *p, struct diag *d)
{
	const struct clock_view v = clock_now(r->core);
	auto_grants grants = {0};
	struct granted g = {.r = r, .view = &v, .grants = &grants};
	int e = answer_new_peer(r, p, d);

	if (e == 0)
		e = grants_of_peer(r->core, p->id, &grants, d);
	if (e == 0)
		e = store_printer_each(r->core->store, each_granted, &g, d);
	live_settle(r->core);
	return e;
}

int req_web_view(const struct request *r, const union control_any *msg, struct diag *d)
{
	struct control_counts counts = {.peers = r->core->peers, .printers = r->core->printers};
	auto_peer p = {0};
	int e = live_refresh(r->core, WEB_MAX_AGE_MS, d);

	if (e)
		return e;
	counts.online = live_online(r->core);
	answer_gateway(r);
	request_item(r, CTL_COUNTS, &counts);
	e = viewer(r->core, &msg->web_view.viewer, &p, d);
	if (e == ERR_NOT_FOUND)
		return 0;
	return e ? e : view_of_peer(r, &p, d);
}
