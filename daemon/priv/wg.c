/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The WireGuard device, whichever back end drives it: the choice of one, and making the device equal
 * to a list of peers by the smallest difference. Knows nothing of netlink, sockets or processes.
 * Called by printgated only.
 */
#include "daemon/priv/wg.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/mem.h"
#include "daemon/priv/wg_backend.h"

static int none_of_them(struct diag *d)
{
	return diag_set(d, ERR_KERNEL,
			"this kernel has no WireGuard and wireguard-go is not installed: apt "
			"install wireguard-go (or a kernel with the wireguard module)");
}

static int open_with(struct wg *w, const struct wg_ops *ops, struct diag *d)
{
	w->ops = ops;
	return ops->open(w, d);
}

/* A back end that this machine has but that fails is not passed over in silence: only
 * ERR_NOT_FOUND leads to the next one. */
static int choose(struct wg *w, enum conf_backend wanted, struct diag *d)
{
	int rc = ERR_NOT_FOUND;

	if (wanted != BACKEND_USERSPACE)
		rc = open_with(w, &wg_kernel_ops, d);
	if (rc == ERR_NOT_FOUND && wanted != BACKEND_KERNEL)
		rc = open_with(w, &wg_user_ops, d);
	if (rc != ERR_NOT_FOUND)
		return rc;
	return wanted == BACKEND_AUTO ? none_of_them(d)
				      : diag_set(d, ERR_KERNEL, "%s", d ? d->text : "");
}

int wg_open(struct wg **out, enum conf_backend wanted, const char interface[IFNAMSIZ],
	    const struct conf_user *owner, struct diag *d)
{
	struct wg *w = mem_zalloc(1, sizeof(*w));
	struct diag local = {0};
	int rc;

	(void)snprintf(w->interface, sizeof(w->interface), "%s", interface);
	w->owner = *owner;
	rc = choose(w, wanted, d ? d : &local);
	if (rc) {
		free(w);
		return rc;
	}
	*out = w;
	return 0;
}

void wg_free(struct wg *w)
{
	if (!w)
		return;
	w->ops->free(w);
	free(w->seen);
	free(w);
}

const char *wg_backend(const struct wg *w)
{
	return w->ops->name;
}

int wg_attach(struct wg *w, bool *created, struct diag *d)
{
	int rc = w->ops->attach(w, created, d);

	w->anew |= *created;
	return rc;
}

int wg_watch_fd(const struct wg *w)
{
	return w->ops->watch_fd(w);
}

int wg_revive(struct wg *w, struct diag *d)
{
	bool created = false;

	return wg_attach(w, &created, d);
}

int wg_down(struct wg *w, struct diag *d)
{
	return w->ops->down(w, d);
}

static int dump_peers(struct wg *w, struct wg_list *peers, struct diag *d)
{
	int rc = w->ops->dump(w, NULL, peers, d);

	if (rc == 0)
		wg_seen_note(w, peers);
	if (rc == ERR_LIMIT)
		return diag_set(d, rc, "%s has more than %u peers", w->interface, WG_PEERS_MAX);
	return rc;
}

int wg_dump(struct wg *w, wg_peer_fn fn, void *arg, struct diag *d)
{
	struct wg_list peers = {0};
	int rc = dump_peers(w, &peers, d);

	for (size_t i = 0; rc == 0 && i < peers.n; i++)
		rc = fn(arg, &peers.item[i]);
	wg_list_free(&peers);
	return rc;
}

/* ---- key and port ---------------------------------------------------------------------------- */

static int port_bind(int family, uint16_t port)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
	auto_close int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int one = 1;

	if (fd < 0)
		return 0; /* no such family here: nothing to collide with */
	if (family == AF_INET)
		return bind(fd, (struct sockaddr *)&four, sizeof(four));
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	return bind(fd, (struct sockaddr *)&six, sizeof(six));
}

/* While the interface is down both back ends take any port without a word, and later the interface
 * (kernel) or the process (wireguard-go: silently) fails. So it is tried here first. */
static int port_try(uint16_t port, struct diag *d)
{
	static const int families[] = {AF_INET, AF_INET6};

	for (unsigned i = 0; i < ARRAY_LEN(families); i++) {
		if (port_bind(families[i], port) < 0 && errno == EADDRINUSE)
			return diag_set(d, ERR_KERNEL,
					"UDP port %u is taken by another program (ss -ulnp sport "
					"= :%u shows which): end it, or choose another listen_port",
					port, port);
	}
	return 0;
}

int wg_device(struct wg *w, const struct wg_secret *key, uint16_t listen_port, struct diag *d)
{
	struct wg_config now = {0};
	bool same_key;
	int rc = w->ops->dump(w, &now, NULL, d);

	same_key = secret_equal(&now.key, key);
	key_wipe(&now.key, sizeof(now.key));
	if (rc)
		return rc;
	if (now.listen_port != listen_port) {
		rc = port_try(listen_port, d);
		if (rc)
			return rc;
	}
	if (same_key && now.listen_port == listen_port)
		return 0;
	return w->ops->config_set(w, same_key ? NULL : key,
				  now.listen_port == listen_port ? 0 : listen_port, d);
}

/* ---- peers ----------------------------------------------------------------------------------- */

int wg_peer_put(struct wg *w, const struct wg_peer *p, struct diag *d)
{
	struct wg_edit e = {.key = &p->public_key, .put = p};

	return w->ops->edit(w, &e, 1, d);
}

int wg_peer_del(struct wg *w, const struct wg_key *key, struct diag *d)
{
	struct wg_edit e = {.key = key};

	return w->ops->edit(w, &e, 1, d);
}

static int by_key(const void *a, const void *b)
{
	const struct wg_peer *const *x = a;
	const struct wg_peer *const *y = b;

	return memcmp((*x)->public_key.b, (*y)->public_key.b, WG_KEY_BYTES);
}

/* Pointers to the n peers (each the first member of an element of `size` bytes) in the order of
 * their keys. Pointers are sorted and not peers: qsort(3) would leave copies of secrets behind. */
static const struct wg_peer **in_order(const void *array, size_t n, size_t size)
{
	const struct wg_peer **order = mem_zalloc(n, sizeof(*order));
	const char *at = array;

	for (size_t i = 0; i < n; i++, at += size)
		order[i] = (const struct wg_peer *)(const void *)at;
	qsort(order, n, sizeof(*order), by_key);
	return order;
}

static bool as_wanted(const struct wg_peer *have, const struct wg_peer *want)
{
	const struct wg_peer_state *h = (const struct wg_peer_state *)(const void *)have;

	return h->exact && have->address == want->address &&
	       prefix6_equal(&have->address6, &want->address6) &&
	       secret_equal(&have->preshared, &want->preshared);
}

struct difference {
	struct wg_edit *gone, *put;
	size_t gone_n, put_n;
};

/* One walk along both, in the order of their keys. */
static void differ(struct difference *out, const struct wg_peer **have, size_t have_n,
		   const struct wg_peer **list, size_t n)
{
	size_t h = 0, l = 0;

	while (h < have_n || l < n) {
		int c = h == have_n ? 1 : l == n ? -1 : by_key(&have[h], &list[l]);

		if (c < 0)
			out->gone[out->gone_n++].key = &have[h]->public_key;
		else if (c > 0 || !as_wanted(have[h], list[l]))
			out->put[out->put_n++] =
				(struct wg_edit){.key = &list[l]->public_key, .put = list[l]};
		h += c <= 0;
		l += c >= 0;
	}
}

/* Removals go first: an address that passes from a peer that goes to one that stays is free then. */
static int sync_with(struct wg *w, const struct wg_list *have, const struct wg_peer *list, size_t n,
		     struct diag *d)
{
	auto_free const struct wg_peer **mine = in_order(have->item, have->n, sizeof(*have->item));
	auto_free const struct wg_peer **theirs = in_order(list, n, sizeof(*list));
	auto_free struct wg_edit *gone = mem_zalloc(have->n, sizeof(*gone));
	auto_free struct wg_edit *put = mem_zalloc(n, sizeof(*put));
	struct difference x = {.gone = gone, .put = put};
	int rc = 0;

	differ(&x, mine, have->n, theirs, n);
	if (x.gone_n)
		rc = w->ops->edit(w, x.gone, x.gone_n, d);
	if (rc == 0 && x.put_n)
		rc = w->ops->edit(w, x.put, x.put_n, d);
	return rc;
}

int wg_peers_sync(struct wg *w, const struct wg_peer *list, size_t n, struct diag *d)
{
	struct wg_list have = {0};
	int rc = dump_peers(w, &have, d);

	rc = rc ? rc : sync_with(w, &have, list, n, d);
	wg_list_free(&have);
	return rc;
}

/* ---- keepalive ------------------------------------------------------------------------------- */

int wg_hush(struct wg *w, struct diag *d)
{
	static const struct wg_hail off;
	auto_free struct wg_edit *edits = NULL;
	struct wg_list have = {0};
	size_t n = 0;
	int rc = dump_peers(w, &have, d);

	edits = mem_zalloc(have.n, sizeof(*edits));
	for (size_t i = 0; i < have.n; i++)
		if (have.item[i].keepalive)
			edits[n++] = (struct wg_edit){.key = &have.item[i].peer.public_key,
						      .hail = &off};
	if (rc == 0 && n)
		rc = w->ops->edit(w, edits, n, d);
	wg_list_free(&have);
	return rc;
}
