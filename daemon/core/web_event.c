/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sentences of the page's events, with the peer's name where an address in the tunnel tells it.
 */
#include "daemon/core/web_event.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/answer.h"
#include "daemon/core/commit.h"

#define DETAIL_BYTES (IP6_TEXT_BYTES + NAME_BYTES + 64)

struct web_note {
	const char *actor, *action;
	char detail[DETAIL_BYTES];
};

/* In host order; 0 if it is none of IPv4 and none in the tunnel. */
static uint32_t tunnel_address(const struct core *c, const struct endpoint *e)
{
	uint32_t addr = (uint32_t)e->addr[0] << 24 | (uint32_t)e->addr[1] << 16 |
			(uint32_t)e->addr[2] << 8 | e->addr[3];

	if (e->family == 4 || (e->family == 6 && tunnel6_back(&c->gateway.tunnel6, e->addr, &addr)))
		return addr;
	return 0;
}

int web_event_peer(struct core *c, const struct endpoint *at, struct store_peer *out,
		   struct diag *d)
{
	const uint32_t addr = tunnel_address(c, at);

	if (!tunnel_is_peer(c->gateway.tunnel, addr))
		return ERR_NOT_FOUND;
	return store_peer_by_address(c->store, addr, out, d);
}

bool web_event_place(const struct core *c, const struct endpoint *from, struct endpoint *place)
{
	const uint32_t addr = tunnel_address(c, from), net = htonl(addr);

	*place = *from;
	if (!tunnel_is_peer(c->gateway.tunnel, addr))
		return false;
	*place = (struct endpoint){.family = 4};
	memcpy(place->addr, &net, sizeof(net));
	return true;
}

static void address_format(char out[PREFIX6_TEXT_BYTES], const struct endpoint *e)
{
	struct prefix6 six = {.len = 8 * IP6_BYTES};

	(void)snprintf(out, PREFIX6_TEXT_BYTES, "an unknown address");
	if (e->family == 4)
		ip4_format(out, (uint32_t)e->addr[0] << 24 | (uint32_t)e->addr[1] << 16 |
					(uint32_t)e->addr[2] << 8 | e->addr[3]);
	if (e->family != 6)
		return;
	memcpy(six.addr, e->addr, sizeof(six.addr));
	prefix6_format(out, &six);
}

static void from_format(char out[DETAIL_BYTES], struct core *c, const struct endpoint *from)
{
	char address[PREFIX6_TEXT_BYTES];
	struct diag unsaid = {0};
	auto_peer p = {0};

	if (!from)
		return;
	address_format(address, from);
	if (web_event_peer(c, from, &p, &unsaid))
		(void)snprintf(out, DETAIL_BYTES, "from %s", address);
	else
		(void)snprintf(out, DETAIL_BYTES, "from %s (%s)", address, p.name.s);
}

static int note(struct core *c, void *arg, struct diag *d)
{
	static const struct name page = {"page"};
	const struct web_note *n = arg;

	return commit_note(c, d, n->actor, n->action, &page, "%s", n->detail);
}

int web_event(const struct request *r, const char *action, const struct endpoint *from,
	      unsigned more, struct diag *d)
{
	struct web_note n = {.actor = r->actor, .action = action};
	size_t used;

	from_format(n.detail, r->core, from);
	used = strlen(n.detail);
	if (more)
		(void)snprintf(n.detail + used, sizeof(n.detail) - used,
			       "; %u more before were not noted", more);
	return commit_store(r->core, note, &n, d);
}
