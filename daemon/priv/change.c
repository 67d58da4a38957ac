/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The privileged side's own judgement: whatever core says, peers get addresses of the peers' part of
 * the tunnel prefix only, printers VPN addresses of the house only, and nobody is led to the machine's
 * loopback, into the tunnel or to everybody (multicast).
 */
#include "daemon/priv/change.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/mem.h"

#define ROOM_KEPT 256 /* items; a change is usually a handful */

void change_reset(struct change *c)
{
	if (c->items)
		key_wipe(c->items, c->count * sizeof(*c->items));
	if (c->room > ROOM_KEPT) {
		free(c->items);
		c->items = NULL;
		c->room = 0;
	}
	c->count = 0;
	c->open = false;
	c->bad = UINT32_MAX;
	c->refusal.code = ERR_NONE;
}

void change_begin(struct change *c, const struct privmsg_begin *how)
{
	change_reset(c);
	c->open = true;
	c->full = how->full;
	c->locked = how->full && how->locked;
}

/* As mem_grow, but nothing of the old place is left behind: preshared keys are among the items. */
static void make_room(struct change *c)
{
	size_t room = c->room ? 2 * c->room : 16;
	struct change_item *items;

	if (c->count < c->room)
		return;
	items = mem_zalloc(room, sizeof(*items));
	if (c->items) {
		memcpy(items, c->items, c->count * sizeof(*items));
		key_wipe(c->items, c->count * sizeof(*items));
		free(c->items);
	}
	c->items = items;
	c->room = room;
}

static int check_vpn(struct prefix4 tunnel, struct prefix4 vpn, struct diag *d)
{
	if (tunnel_is_vpn(tunnel, vpn))
		return 0;
	return diag_set(d, ERR_BAD_ADDRESS, "a VPN address outside the house was refused");
}

static int check_peer_address(struct prefix4 tunnel, uint32_t addr, struct diag *d)
{
	if (tunnel_is_peer(tunnel, addr))
		return 0;
	return diag_set(d, ERR_BAD_ADDRESS, "a peer's address outside the tunnel was refused");
}

static int check_printer(struct prefix4 tunnel, const struct change_item *i, struct diag *d)
{
	const struct privmsg_printer *p = &i->printer;
	int rc = check_vpn(tunnel, p->vpn, d);

	if (rc || i->type == PRIV_PRINTER_DEL)
		return rc;
	if (p->self && (p->vpn.len != 32 || hardware_known(&p->hardware)))
		return diag_set(d, ERR_BAD_ADDRESS, "this machine is one address, not a subnet");
	if (p->self)
		return 0;
	if (hardware_known(&p->hardware) && p->vpn.len != 32)
		return diag_set(d, ERR_BAD_ADDRESS, "a subnet has no hardware address");
	if (p->vpn.len != p->target.len)
		return diag_set(d, ERR_BAD_ADDRESS, "a printer's two prefixes differ in length");
	return target_check(tunnel, p->target, d);
}

static int check_service(struct prefix4 tunnel, const struct change_item *i, struct diag *d)
{
	return check_vpn(tunnel, i->service.vpn, d);
}

static int check_grant(struct prefix4 tunnel, const struct change_item *i, struct diag *d)
{
	int rc = check_vpn(tunnel, i->grant.vpn, d);

	return rc ? rc : check_peer_address(tunnel, i->grant.peer, d);
}

static int check_peer(struct prefix4 tunnel, const struct change_item *i, struct diag *d)
{
	return check_peer_address(tunnel, i->peer.address, d);
}

static int check_peer_del(struct prefix4 tunnel, const struct change_item *i, struct diag *d)
{
	return check_peer_address(tunnel, i->peer_del.address, d);
}

typedef int (*check_fn)(struct prefix4 tunnel, const struct change_item *i, struct diag *d);

static const struct {
	uint16_t type;
	size_t size; /* of the message */
	check_fn check;
} kinds[] = {
	{PRIV_PRINTER_PUT, sizeof(struct privmsg_printer), check_printer},
	{PRIV_PRINTER_DEL, sizeof(struct privmsg_printer), check_printer},
	{PRIV_SERVICE_PUT, sizeof(struct privmsg_service), check_service},
	{PRIV_SERVICE_DEL, sizeof(struct privmsg_service), check_service},
	{PRIV_GRANT_PUT, sizeof(struct privmsg_grant), check_grant},
	{PRIV_GRANT_DEL, sizeof(struct privmsg_grant), check_grant},
	{PRIV_PEER_PUT, sizeof(struct privmsg_peer), check_peer},
	{PRIV_PEER_DEL, sizeof(struct privmsg_peer_del), check_peer_del},
};

static int check_item(const struct change *c, check_fn check, struct prefix4 tunnel,
		      const struct change_item *i, struct diag *d)
{
	if (c->locked && i->type == PRIV_GRANT_PUT)
		return diag_set(d, ERR_CONFLICT, "a grant for a gateway that is locked");
	return check(tunnel, i, d);
}

int change_add(struct change *c, struct prefix4 tunnel, uint16_t type, const union privmsg_any *msg,
	       struct diag *d)
{
	struct change_item *item;
	struct diag why;

	if (!c->open || c->count >= PRIV_ITEMS_MAX)
		return diag_set(d, ERR_PROTOCOL, "an item outside a change");
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		if (kinds[k].type != type)
			continue;
		make_room(c);
		item = &c->items[c->count++];
		item->type = type;
		memcpy(&item->printer, msg, kinds[k].size);
		if (!c->refusal.code && check_item(c, kinds[k].check, tunnel, item, &why)) {
			c->refusal = why;
			c->bad = (uint32_t)c->count - 1;
		}
		return 0;
	}
	return diag_set(d, ERR_PROTOCOL, "a message that is no item");
}
