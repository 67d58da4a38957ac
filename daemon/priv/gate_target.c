/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ways to printers: which addresses the routing table lets through, and pins, without which there
 * is no way to a printer that is known by its hardware address. Part of gate.c's work.
 */
#include "daemon/priv/gate_own.h"

#include <stdlib.h>

#include "common/mem.h"
#include "daemon/priv/neigh.h"

/* What the routing table lets through, and what it shuts within that; the pins that hold. */
struct targets {
	struct prefix4 *through, *shut;
	struct neigh_pin *pins;
	size_t n, m, held, shut_room;
};

static void target_shut(struct targets *t, uint32_t addr)
{
	t->shut = mem_grow(t->shut, &t->shut_room, t->m + 1, sizeof(*t->shut));
	t->shut[t->m++] = (struct prefix4){addr, 32};
}

/* Is the address in a printer subnet, without having been added as a printer by itself? */
static bool only_in_subnet(const struct targets *t, uint32_t addr)
{
	const struct prefix4 one = {addr, 32};
	bool within = false;

	for (size_t i = 0; i < t->n; i++) {
		if (t->through[i].len == 32 && t->through[i].addr == addr)
			return false;
		within |= t->through[i].len < 32 && prefix4_covers(t->through[i], one);
	}
	return within;
}

/* A printer subnet does not hold this machine, nor its network's broadcast address. */
static void own_address(void *arg, uint32_t addr, uint8_t len)
{
	const struct prefix4 net = {addr & prefix4_mask(len), len};
	struct targets *t = arg;

	if (only_in_subnet(t, addr))
		target_shut(t, addr);
	if (len < 31 && only_in_subnet(t, prefix4_last(net)))
		target_shut(t, prefix4_last(net));
}

static struct neigh_pin pin_of(const struct privmsg_printer *p)
{
	return (struct neigh_pin){.addr = p->target.addr, .hardware = p->hardware};
}

int gate_pins_raise(struct gate *g, const struct change *c, struct diag *d)
{
	int rc = 0;

	for (size_t i = 0; i < c->count && !rc; i++) {
		struct neigh_pin pin = pin_of(&c->items[i].printer);

		if (c->items[i].type == PRIV_PRINTER_PUT && hardware_known(&pin.hardware))
			rc = neigh_pin(g->link, &pin, d);
	}
	return rc;
}

/* A public address is somebody's on the internet while this machine has no address beside it: a cable
 * that is out, a lease that has ended. */
static int let_through_one(struct gate *g, const struct privmsg_printer *p, struct targets *t,
			   struct diag *d)
{
	struct neigh_pin pin = pin_of(p);
	bool ours = false;
	int rc = hardware_known(&p->hardware) ? neigh_pin(g->link, &pin, d) : 0;

	if (!rc && !p->self)
		rc = gate_target_ours(g, p->target, &ours, d);
	if (rc)
		return rc;
	if (pin.index)
		t->pins[t->held++] = pin;
	if (ours && (pin.index || !hardware_known(&p->hardware)))
		t->through[t->n++] = p->target;
	return 0;
}

static int let_through(struct gate *g, struct targets *t, struct diag *d)
{
	int rc = 0;

	t->through[t->n++] = (struct prefix4){tunnel_gateway(g->conf->tunnel), 32};
	for (size_t i = 0; i < g->printer_count && !rc; i++)
		rc = let_through_one(g, &g->printers[i], t, d);
	return rc;
}

int gate_targets_sync(struct gate *g, struct diag *d)
{
	const struct prefix6 six = tunnel6_host(&g->conf->tunnel6, tunnel_gateway(g->conf->tunnel));
	struct targets t = {0};
	int rc;

	t.through = mem_zalloc(g->printer_count + 1, sizeof(*t.through));
	t.pins = mem_zalloc(g->printer_count + 1, sizeof(*t.pins));
	rc = let_through(g, &t, d);
	if (!rc)
		rc = link_own_each(g->link, own_address, &t, d);
	if (!rc)
		rc = link_targets_sync(g->link, t.through, t.n, t.shut, t.m, &six, d);
	if (!rc)
		rc = neigh_unpin_others(g->link, t.pins, t.held, d);
	free(t.through);
	free(t.pins);
	free(t.shut);
	return rc;
}

int gate_pins(struct gate *g, struct diag *d)
{
	for (size_t i = 0; i < g->printer_count; i++)
		if (hardware_known(&g->printers[i].hardware))
			return gate_targets_sync(g, d);
	return 0;
}

int gate_target_ours(struct gate *g, struct prefix4 target, bool *ours, struct diag *d)
{
	*ours = prefix4_is_private(target);
	return *ours ? 0 : link_own_net(g->link, target, ours, d);
}

int gate_neighbour(struct gate *g, uint32_t address, struct privmsg_neighbour_is *out,
		   struct diag *d)
{
	const struct prefix4 target = {address, 32};
	bool ours = false;
	int rc = target_check(g->conf->tunnel, target, d);

	*out = (struct privmsg_neighbour_is){.state = NEIGHBOUR_NONE};
	if (!rc)
		rc = gate_target_ours(g, target, &ours, d);
	return rc || !ours ? rc : neigh_ask(g->link, address, out, d);
}
