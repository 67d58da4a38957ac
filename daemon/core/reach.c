/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One item for each printer that is or was looked at lately. Those that have waited longest are
 * asked first, so that many silent ones at the head of the list do not keep the rest from their turn.
 */
#include "daemon/core/reach.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "daemon/core/check.h"
#include "daemon/core/core.h"

struct reach_item {
	struct core *core;
	int64_t id; /* the printer's */
	uint32_t address;
	uint16_t port;
	int64_t looked;	     /* when somebody looked last; core_ms as all times here */
	int64_t begun;	     /* the last check; 0: none */
	int64_t known;	     /* when the state was found; 0: never */
	uint8_t state;	     /* enum reach */
	struct check *check; /* NULL: none is running */
};

void reach_target(const struct store_printer *p, uint32_t gateway, uint32_t *address,
		  uint16_t *port)
{
	*address = p->kind == PRINTER_SELF ? gateway : p->address.addr;
	*port = 0;
	if (p->kind == PRINTER_SUBNET || p->moved)
		return;
	for (unsigned i = 0; i < p->services.count && !*port; i++)
		if (p->services.item[i].protocol == IPPROTO_TCP)
			*port = p->services.item[i].first;
}

/* Where the printer's item is, or is to be. */
static size_t place(const struct reaches *all, int64_t id)
{
	size_t low = 0, high = all->n;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (all->item[mid]->id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct reach_item *item_of(struct core *c, int64_t id)
{
	struct reaches *all = &c->reach;
	const size_t at = place(all, id);
	struct reach_item *item;

	if (at < all->n && all->item[at]->id == id)
		return all->item[at];
	item = mem_zalloc(1, sizeof(*item));
	item->core = c;
	item->id = id;
	all->item = mem_grow(all->item, &all->cap, all->n + 1, sizeof(struct reach_item *));
	memmove(&all->item[at + 1], &all->item[at], (all->n - at) * sizeof(struct reach_item *));
	all->item[at] = item;
	all->n++;
	return item;
}

static void stop(struct reach_item *item)
{
	if (!item->check)
		return;
	check_cancel(item->check);
	item->check = NULL;
	item->core->reach.running--;
}

/* At another address it is another question. */
static void aim(struct reach_item *item, uint32_t address, uint16_t port)
{
	if (item->address == address && item->port == port)
		return;
	stop(item);
	item->address = address;
	item->port = port;
	item->begun = item->known = 0;
}

uint8_t reach_look(struct core *c, const struct store_printer *p)
{
	struct reach_item *item;
	uint32_t address;
	uint16_t port;

	reach_target(p, tunnel_gateway(c->gateway.tunnel), &address, &port);
	if (c->locked || !port)
		return REACH_UNKNOWN;
	item = item_of(c, p->id);
	aim(item, address, port);
	item->looked = core_ms();
	return item->known && item->looked - item->known < REACH_KEEP_MS ? item->state
									 : REACH_UNKNOWN;
}

static void on_checked(void *arg, bool answers)
{
	struct reach_item *item = arg;

	item->check = NULL;
	item->core->reach.running--;
	item->state = answers ? REACH_ANSWERS : REACH_SILENT;
	item->known = core_ms();
}

static void begin(struct reach_item *item, int64_t now)
{
	struct diag d = {0};

	item->begun = now;
	if (check_start(item->core, item->address, item->port, on_checked, item, &item->check, &d))
		log_debug("core", "%s", d.text);
	else
		item->core->reach.running++;
}

static void forget(struct reaches *all, int64_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < all->n; i++) {
		struct reach_item *item = all->item[i];

		if (item->check || now - item->looked < REACH_KEEP_MS)
			all->item[kept++] = item;
		else
			free(item);
	}
	all->n = kept;
}

/* The one that has waited longest of those that were looked at just now. */
static struct reach_item *most_due(const struct reaches *all, int64_t now)
{
	struct reach_item *due = NULL;

	for (size_t i = 0; i < all->n; i++) {
		struct reach_item *item = all->item[i];

		if (item->check || now - item->looked >= REACH_EVERY_MS ||
		    (item->begun && now - item->begun < REACH_EVERY_MS))
			continue;
		if (!due || item->begun < due->begun)
			due = item;
	}
	return due;
}

void reach_go(struct core *c)
{
	const int64_t now = core_ms();
	struct reach_item *item;

	forget(&c->reach, now);
	if (c->locked)
		return;
	while (c->reach.running < REACH_AT_ONCE && (item = most_due(&c->reach, now)))
		begin(item, now);
}

void reach_free(struct core *c)
{
	for (size_t i = 0; i < c->reach.n; i++) {
		stop(c->reach.item[i]);
		free(c->reach.item[i]);
	}
	free(c->reach.item);
}
