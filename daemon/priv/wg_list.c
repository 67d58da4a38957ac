/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A list of dumped peers. It holds preshared keys, so it is wiped whenever it moves or goes (that is
 * why it is not mem_grow's, which leaves copies behind).
 */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "daemon/priv/wg_backend.h"

int wg_list_add(void *list, const struct wg_peer_state *p)
{
	struct wg_list *l = list;

	if (l->n >= WG_PEERS_MAX)
		return ERR_LIMIT;
	if (l->n == l->cap) {
		struct wg_list bigger = {.n = l->n, .cap = l->cap ? 2 * l->cap : 64};

		bigger.item = mem_zalloc(bigger.cap, sizeof(*bigger.item));
		if (l->n)
			memcpy(bigger.item, l->item, l->n * sizeof(*l->item));
		wg_list_free(l);
		*l = bigger;
	}
	l->item[l->n++] = *p;
	return 0;
}

void wg_list_free(struct wg_list *l)
{
	if (l->item)
		key_wipe(l->item, l->cap * sizeof(*l->item));
	free(l->item);
	memset(l, 0, sizeof(*l));
}
