/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Name, then address, then hardware address. It decides nothing: moving.c and the requests do.
 */
#include "daemon/core/look.h"

#include <stdlib.h>

#include "common/mem.h"
#include "daemon/core/core.h"
#include "daemon/core/desired.h"
#include "daemon/core/priv.h"
#include "daemon/core/resolve.h"

#define ASK_EVERY_MS 100
#define ASK_TIMES    (LOOK_SECONDS * 1000 / ASK_EVERY_MS)

struct look {
	struct core *core;
	struct host host;
	look_fn fn;
	void *arg;
	struct resolve *resolve;
	struct event *again;
	unsigned asked;
	uint32_t preferred;
	struct look_result result;
};

void look_cancel(struct look *l)
{
	if (!l)
		return;
	resolve_cancel(l->resolve);
	if (l->again)
		event_free(l->again);
	free(l);
}

static void finish(struct look *l)
{
	const struct look_result result = l->result;
	const look_fn fn = l->fn;
	void *const arg = l->arg;

	look_cancel(l);
	fn(arg, &result);
}

static void ask(struct look *l)
{
	static const struct timeval pause = {.tv_usec = ASK_EVERY_MS * 1000};
	const struct privmsg_neighbour_is n = priv_neighbour(l->core->priv, l->result.address);

	l->result.state = n.state;
	l->result.hardware = n.hardware;
	if (n.state == NEIGHBOUR_KNOWN && !hardware_known(&n.hardware))
		l->result.state = NEIGHBOUR_NONE;
	if (n.state == NEIGHBOUR_ASKED && ++l->asked < ASK_TIMES && !evtimer_add(l->again, &pause))
		return;
	finish(l);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct core *c = ((struct look *)arg)->core;

	(void)fd;
	(void)what;
	ask(arg);
	desired_resync(c);
	presence_news(c);
}

/* The first address that can be a printer's, or the preferred one; if none can, the first one's fault
 * is told. */
static void on_resolved(void *arg, const uint32_t *addresses, size_t n)
{
	struct look *l = arg;
	struct look_result *r = &l->result;

	l->resolve = NULL;
	r->code = n ? ERR_BAD_ADDRESS
		    : diag_set(&r->why, ERR_NOT_FOUND,
			       "%.255s leads to no IPv4 address now: is the printer switched on?",
			       l->host.s);
	for (size_t i = 0; i < n; i++) {
		const struct prefix4 target = {addresses[i], 32};

		if (target_check(l->core->gateway.tunnel, target, i ? NULL : &r->why) ||
		    (r->code == 0 && addresses[i] != l->preferred))
			continue;
		r->code = 0;
		r->address = addresses[i];
	}
	if (r->code)
		finish(l);
	else
		ask(l);
}

int look_start(struct core *c, const struct host *host, uint32_t address, look_fn fn, void *arg,
	       struct look **out, struct diag *d)
{
	static const struct timeval at_once = {0};
	struct look *l = mem_zalloc(1, sizeof(*l));
	int rc = 0;

	*l = (struct look){.core = c, .host = *host, .fn = fn, .arg = arg};
	l->result.address = l->preferred = address;
	l->again = evtimer_new(c->base, on_again, l);
	if (!l->again || (!host->s[0] && evtimer_add(l->again, &at_once)))
		rc = diag_set(d, ERR_SYSTEM, "cannot make a timer");
	if (!rc && host->s[0])
		rc = resolve_start(c, host, on_resolved, l, &l->resolve, d);
	if (rc)
		look_cancel(l);
	else
		*out = l;
	return rc;
}
