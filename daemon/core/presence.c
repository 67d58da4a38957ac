/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compares who is online with who was, and writes the difference into the log. WireGuard has no
 * farewell: a peer is offline once its last handshake is PEER_ONLINE_SECONDS old.
 */
#include "daemon/core/presence.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/mem.h"
#include "daemon/core/commit.h"
#include "daemon/core/core.h"
#include "daemon/core/desired.h"
#include "daemon/core/priv.h"

struct presence_peer {
	struct wg_key key;
	int64_t handshake;
};

/* A peer that came or went. */
struct change {
	struct store_peer peer;
	bool came;
};

struct changes {
	struct change *item;
	size_t n, cap;
};

static void online_now(const struct core *c, struct presence_peer **out, size_t *n)
{
	static const struct store_peer plain;
	const struct live *l = &c->live;
	const int64_t wall = time(NULL);

	*out = mem_zalloc(l->n + 1, sizeof(**out));
	*n = 0;
	for (size_t i = 0; i < l->n; i++) { /* sorted by key, as live_refresh leaves it */
		const struct privmsg_stats *s = &l->stats[i];

		if (live_state(&plain, s->last_handshake, wall, false) == PEER_ONLINE)
			(*out)[(*n)++] = (struct presence_peer){s->public_key, s->last_handshake};
	}
}

static void add_change(struct core *c, struct changes *list, const struct wg_key *key, bool came)
{
	struct change change = {.came = came};
	struct diag d;

	/* One that was revoked meanwhile is gone from the store, and its end is in the log already. */
	if (store_peer_by_key(c->store, key, &change.peer, &d))
		return;
	secret_cleanup(&change.peer.preshared);
	list->item = mem_grow(list->item, &list->cap, list->n + 1, sizeof(*list->item));
	list->item[list->n++] = change;
}

/* Both lists are sorted by key. */
static void compare(struct core *c, const struct presence_peer *now, size_t n, struct changes *out)
{
	const struct presence *p = &c->presence;
	size_t i = 0, j = 0;

	while (i < n || j < p->n) {
		int order = i == n	? 1
			    : j == p->n ? -1
					: memcmp(now[i].key.b, p->online[j].key.b, WG_KEY_BYTES);

		if (order < 0)
			add_change(c, out, &now[i].key, true);
		else if (order > 0)
			add_change(c, out, &p->online[j].key, false);
		i += order <= 0;
		j += order >= 0;
	}
}

static int note(struct core *c, void *arg, struct diag *d)
{
	const struct changes *list = arg;
	int e = 0;

	for (size_t i = 0; e == 0 && i < list->n; i++) {
		const struct change *change = &list->item[i];

		/* The first time is live.c's to tell. */
		if (change->came && change->peer.first_handshake == 0)
			continue;
		e = commit_note(c, d, COMMIT_OURSELVES, change->came ? "connect" : "disconnect",
				&change->peer.name, "%s",
				change->came ? "online" : "no handshake for three minutes");
	}
	return e;
}

/* The first moment at which one of them may be offline. */
static void arm(struct core *c)
{
	const struct presence *p = &c->presence;
	const int64_t wall = time(NULL);
	int64_t first = INT64_MAX;
	struct timeval wait = {.tv_usec = 500000};

	for (size_t i = 0; i < p->n; i++)
		if (p->online[i].handshake < first)
			first = p->online[i].handshake;
	if (p->n == 0) {
		(void)evtimer_del(p->timer);
		return;
	}
	first += PEER_ONLINE_SECONDS - wall;
	wait.tv_sec = first < 1 ? 1 : first > PEER_ONLINE_SECONDS ? PEER_ONLINE_SECONDS : first;
	(void)evtimer_add(p->timer, &wait);
}

static void replace(struct core *c, struct presence_peer *now, size_t n)
{
	free(c->presence.online);
	c->presence.online = now;
	c->presence.n = n;
	arm(c);
}

static void look(struct core *c)
{
	struct changes changes = {0};
	struct presence_peer *now;
	struct control_peer ignored;
	struct diag d = {0};
	size_t n;

	if (live_refresh(c, 0, &d)) {
		log_warn("core", "cannot look who is online: %s", d.text);
		return;
	}
	online_now(c, &now, &n);
	compare(c, now, n, &changes);
	if (changes.n && commit_store(c, note, &changes, &d))
		log_warn("core", "cannot note who is online: %s", d.text);
	for (size_t i = 0; i < changes.n; i++)
		live_peer(c, &changes.item[i].peer, &ignored);
	live_settle(c);
	free(changes.item);
	replace(c, now, n);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	look(arg);
	desired_resync(arg);
}

int presence_open(struct core *c, struct diag *d)
{
	c->presence.timer = evtimer_new(c->base, on_timer, c);
	return c->presence.timer ? 0 : diag_set(d, ERR_SYSTEM, "cannot make a timer");
}

void presence_free(struct core *c)
{
	if (c->presence.timer)
		event_free(c->presence.timer);
	free(c->presence.online);
}

void presence_begin(struct core *c)
{
	struct presence_peer *now;
	struct diag d = {0};
	size_t n;

	if (!c->gateway.events || live_refresh(c, 0, &d))
		return;
	online_now(c, &now, &n);
	replace(c, now, n);
}

void presence_news(struct core *c)
{
	if (priv_handshake_told(c->priv))
		look(c);
}
