/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Statistics of peers, joined with the store by public key. A timer runs while there is a sealed
 * config only: it erases those that are too old, and looks for first handshakes where printgated
 * cannot tell of them. An idle gateway is not woken.
 */
#include "daemon/core/live.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/mono.h"
#include "daemon/core/commit.h"
#include "daemon/core/core.h"
#include "daemon/core/desired.h"
#include "daemon/core/priv.h"

#define WATCH_SECONDS 10   /* to find first handshakes where nobody tells of them */
#define ERASE_SECONDS 3600 /* to find configs that are too old, where somebody does */

struct live_fresh {
	int64_t id;
	int64_t handshake;
	struct name name;
};

enum peer_state live_state(const struct store_peer *p, int64_t last_handshake, int64_t wall,
			   bool ended)
{
	const int64_t age = wall - last_handshake;

	if (p->disabled)
		return PEER_DISABLED;
	if (ended)
		return PEER_EXPIRED;
	/* A handshake of the future is one noted before the clock was set back. */
	if (last_handshake && age < PEER_ONLINE_SECONDS && age > -PEER_ONLINE_SECONDS)
		return PEER_ONLINE;
	return last_handshake || p->first_handshake ? PEER_OFFLINE : PEER_WAITING;
}

static int by_key(const void *a, const void *b)
{
	const struct privmsg_stats *x = a, *y = b;

	return memcmp(x->public_key.b, y->public_key.b, WG_KEY_BYTES);
}

static void take(void *arg, const struct privmsg_stats *s)
{
	struct live *l = arg;

	l->stats = mem_grow(l->stats, &l->cap, l->n + 1, sizeof(*l->stats));
	l->stats[l->n++] = *s;
}

int live_refresh(struct core *c, int64_t max_age, struct diag *d)
{
	struct live *l = &c->live;
	const int64_t now = mono_ms();
	int r;

	if (l->at && now - l->at < max_age)
		return 0;
	l->n = 0;
	l->at = 0;
	r = priv_dump(c->priv, take, l, d);
	if (r)
		l->n = 0;
	else
		l->at = now;
	if (l->n > 0)
		qsort(l->stats, l->n, sizeof(*l->stats), by_key);
	return r;
}

static const struct privmsg_stats *find(const struct live *l, const struct wg_key *key)
{
	const struct privmsg_stats wanted = {.public_key = *key};

	return l->n ? bsearch(&wanted, l->stats, l->n, sizeof(wanted), by_key) : NULL;
}

static void remember(struct live *l, const struct store_peer *p, int64_t handshake)
{
	l->fresh = mem_grow(l->fresh, &l->fresh_cap, l->fresh_n + 1, sizeof(*l->fresh));
	l->fresh[l->fresh_n++] =
		(struct live_fresh){.id = p->id, .handshake = handshake, .name = p->name};
}

void live_peer(struct core *c, const struct store_peer *p, struct control_peer *out)
{
	const struct clock_view v = clock_now(c);
	const struct privmsg_stats *s = find(&c->live, &p->public_key);

	*out = (struct control_peer){
		.name = p->name,
		.public_key = p->public_key,
		.address = p->address,
		.address6 = tunnel6_host(&c->gateway.tunnel6, p->address),
		.created = p->created,
		.expires = p->expires,
	};
	if (s) {
		out->last_handshake = s->last_handshake;
		out->endpoint = s->endpoint;
		out->rx_bytes = s->rx_bytes;
		out->tx_bytes = s->tx_bytes;
	}
	out->state =
		(uint8_t)live_state(p, out->last_handshake, v.wall, clock_ended(&v, p->expires));
	if (out->last_handshake && !p->first_handshake)
		remember(&c->live, p, out->last_handshake);
}

uint32_t live_online(const struct core *c)
{
	static const struct store_peer plain;
	const int64_t wall = time(NULL);
	uint32_t online = 0;

	for (size_t i = 0; i < c->live.n; i++)
		online += live_state(&plain, c->live.stats[i].last_handshake, wall, false) ==
			  PEER_ONLINE;
	return online;
}

/* ---- first handshakes -------------------------------------------------------------------------- */

static int record(struct core *c, void *arg, struct diag *d)
{
	const struct live *l = arg;
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->fresh_n; i++) {
		const struct live_fresh *f = &l->fresh[i];

		r = store_peer_connected(c->store, f->id, f->handshake, d);
		if (r == 0 && !c->gateway.keep_configs)
			r = store_sealed_erase(c->store, f->id, d);
		if (r == 0)
			r = commit_note(c, d, COMMIT_OURSELVES, "connect", &f->name,
					"connected for the first time");
	}
	return r;
}

void live_settle(struct core *c)
{
	struct diag d = {0};

	if (c->live.fresh_n > 0 && commit_store(c, record, &c->live, &d))
		log_warn("core", "a first handshake could not be recorded: %s", d.text);
	c->live.fresh_n = 0;
}

static int look(void *arg, const struct store_peer *p)
{
	struct control_peer ignored;

	if (p->first_handshake == 0)
		live_peer(arg, p, &ignored);
	return 0;
}

static void look_for_first(struct core *c)
{
	struct diag d = {0};

	if (live_refresh(c, 0, &d) || store_peer_each(c->store, look, c, &d))
		log_warn("core", "cannot look for first handshakes: %s", d.text);
	live_settle(c);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct core *c = arg;
	struct diag d = {0};

	(void)fd;
	(void)what;
	look_for_first(c);
	/* Not a change of rights, and mostly of nothing: then SQLite writes nothing either. */
	if (store_sealed_erase_before(c->store, clock_now(c).now - LIVE_CONFIG_SECONDS, &d))
		log_warn("core", "old configs could not be erased: %s", d.text);
	live_arm(c);
	desired_resync(c);
}

void live_arm(struct core *c)
{
	const struct timeval soon = {.tv_sec = c->gateway.events ? ERASE_SECONDS : WATCH_SECONDS};
	struct diag d = {0};
	int64_t sealed = 0;

	if (c->gateway.keep_configs || evtimer_pending(c->live.timer, NULL))
		return;
	if (store_sealed_count(c->store, &sealed, &d))
		log_warn("core", "%s", d.text);
	else if (sealed > 0)
		(void)evtimer_add(c->live.timer, &soon);
}

void live_begin(struct core *c)
{
	look_for_first(c);
	live_arm(c);
}

int live_open(struct core *c, struct diag *d)
{
	c->live.timer = evtimer_new(c->base, on_timer, c);
	return c->live.timer ? 0 : diag_set(d, ERR_SYSTEM, "cannot make a timer");
}

void live_free(struct core *c)
{
	if (c->live.timer)
		event_free(c->live.timer);
	free(c->live.stats);
	free(c->live.fresh);
}
