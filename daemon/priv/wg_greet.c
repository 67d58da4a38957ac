/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is online, remembered from one dump to the next, and greeting them when the device has lost its
 * sessions. Knows nothing of netlink or sockets. Called by wg.c and gate.c.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/mem.h"
#include "daemon/priv/wg_backend.h"

#define SESSION_SECONDS 180 /* WireGuard's REJECT_AFTER_TIME: no session is older */
#define GREET_SECONDS	1   /* between keepalives; the first one is sent at once */

struct wg_seen {
	struct wg_key key;
	struct endpoint endpoint;
	int64_t handshake;
};

static bool is_young(int64_t handshake)
{
	return handshake && handshake > (int64_t)time(NULL) - SESSION_SECONDS;
}

/* Of an IPv6 link-local address we do not know the link. */
static bool is_reachable(const struct endpoint *e)
{
	return e->family == 4 ||
	       (e->family == 6 && (e->addr[0] != 0xfe || e->addr[1] < 0x80 || e->addr[1] > 0xbf));
}

static int by_key(const void *a, const void *b)
{
	const struct wg_seen *x = a, *y = b;

	return memcmp(x->key.b, y->key.b, WG_KEY_BYTES);
}

/* A device that was made anew has forgotten its peers' sessions: those that it does not tell of stay
 * in memory as long as a session would have lasted. */
void wg_seen_note(struct wg *w, const struct wg_list *peers)
{
	struct wg_seen *now = mem_zalloc(peers->n + w->seen_n, sizeof(*now));
	size_t n = 0, told;

	for (size_t i = 0; i < peers->n; i++) {
		const struct wg_peer_state *p = &peers->item[i];

		if (is_young(p->last_handshake) && is_reachable(&p->endpoint))
			now[n++] = (struct wg_seen){p->peer.public_key, p->endpoint,
						    p->last_handshake};
	}
	qsort(now, n, sizeof(*now), by_key);
	told = n;
	for (size_t i = 0; i < w->seen_n && n < WG_PEERS_MAX; i++)
		if (is_young(w->seen[i].handshake) &&
		    !bsearch(&w->seen[i], now, told, sizeof(*now), by_key))
			now[n++] = w->seen[i];
	free(w->seen);
	w->seen = now;
	w->seen_n = n;
}

void wg_lost(struct wg *w)
{
	w->lost = true;
}

/* A device that was only down knows its endpoints at least as well as we do. */
static int greet_all(struct wg *w, struct diag *d)
{
	auto_free struct wg_edit *edits = mem_zalloc(w->seen_n, sizeof(*edits));
	auto_free struct wg_hail *hails = mem_zalloc(w->seen_n, sizeof(*hails));
	size_t n = 0;

	for (size_t i = 0; i < w->seen_n; i++) {
		if (!is_young(w->seen[i].handshake))
			continue;
		hails[n].keepalive = GREET_SECONDS;
		if (w->anew)
			hails[n].endpoint = w->seen[i].endpoint;
		edits[n] = (struct wg_edit){.key = &w->seen[i].key, .hail = &hails[n]};
		n++;
	}
	return n ? w->ops->edit(w, edits, n, d) : 0;
}

int wg_greet(struct wg *w, struct diag *d)
{
	int rc = w->lost || w->anew ? greet_all(w, d) : 0;

	if (rc == 0)
		w->lost = w->anew = false;
	return rc;
}
