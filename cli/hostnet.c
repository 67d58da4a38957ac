/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the machine's addresses (getifaddrs(3)) and routes (/proc/self/net/route) once, for init, and
 * chooses a tunnel prefix beside them. Nothing is changed here.
 */
#include "cli/hostnet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/cleanup.h"
#include "common/mem.h"

#define ROUTES	     "/proc/self/net/route"
#define ROUTE_FIELDS 8
#define TRIES	     256
/* Shorter ones are default routes in halves or quarters, as VPN clients set them. */
#define ROUTE_LEN_MIN 8
#define TUNNEL_BITS   20

static struct hostnet_item *add(struct hostnet *h, struct prefix4 p, const char *interface)
{
	struct hostnet_item *i;

	h->items = mem_grow(h->items, &h->cap, h->count + 1, sizeof(*h->items));
	i = &h->items[h->count++];
	i->prefix = p;
	(void)snprintf(i->interface, sizeof(i->interface), "%s", interface);
	return i;
}

static struct prefix4 masked(uint32_t addr, uint32_t mask)
{
	struct prefix4 p = {.len = (uint8_t)__builtin_popcount(mask)};

	p.addr = addr & prefix4_mask(p.len);
	return p;
}

static uint32_t in4(const struct sockaddr *sa)
{
	struct sockaddr_in in;

	memcpy(&in, sa, sizeof(in));
	return ntohl(in.sin_addr.s_addr);
}

static int read_addresses(struct hostnet *h, struct diag *d)
{
	struct ifaddrs *list;

	if (getifaddrs(&list))
		return diag_errno(d, "cannot read the interfaces' addresses");
	for (const struct ifaddrs *a = list; a; a = a->ifa_next) {
		uint32_t addr;

		if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET || !a->ifa_netmask)
			continue;
		addr = in4(a->ifa_addr);
		add(h, masked(addr, in4(a->ifa_netmask)), a->ifa_name)->addr = addr;
	}
	freeifaddrs(list);
	return 0;
}

/* "eth0 0010A8C0 00000000 0001 0 0 0 00FFFFFF …": numbers as the kernel holds them, in network
 * order printed by a machine of either order. Field 1 is the destination, field 7 the mask. */
static void read_route(struct hostnet *h, char *line)
{
	char *field[ROUTE_FIELDS], *rest = NULL;
	uint32_t dest, mask;

	for (unsigned i = 0; i < ROUTE_FIELDS; i++) {
		field[i] = strtok_r(i ? NULL : line, " \t", &rest);
		if (!field[i])
			return;
	}
	dest = ntohl((uint32_t)strtoul(field[1], NULL, 16));
	mask = ntohl((uint32_t)strtoul(field[7], NULL, 16));
	if (masked(0, mask).len >= ROUTE_LEN_MIN)
		(void)add(h, masked(dest, mask), field[0]);
	else if (!mask && !h->uplink[0])
		(void)snprintf(h->uplink, sizeof(h->uplink), "%s", field[0]);
}

static int read_routes(struct hostnet *h, struct diag *d)
{
	auto_fclose FILE *f = fopen(ROUTES, "re");
	char line[256];

	if (!f)
		return diag_errno(d, "cannot read " ROUTES);
	for (unsigned n = 0; fgets(line, sizeof(line), f); n++) {
		if (n > 0) /* after the heading */
			read_route(h, line);
	}
	return 0;
}

int hostnet_read(struct hostnet *h, struct diag *d)
{
	int rc = read_addresses(h, d);

	return rc ? rc : read_routes(h, d);
}

void hostnet_free(struct hostnet *h)
{
	free(h->items);
	*h = (struct hostnet){0};
}

const struct hostnet_item *hostnet_find(const struct hostnet *h, struct prefix4 p)
{
	for (size_t i = 0; i < h->count; i++) {
		if (prefix4_overlaps(h->items[i].prefix, p))
			return &h->items[i];
	}
	return NULL;
}

uint32_t hostnet_address(const struct hostnet *h)
{
	uint32_t any = 0;

	for (size_t i = 0; i < h->count; i++) {
		const struct hostnet_item *it = &h->items[i];

		if (!it->addr || it->addr >> 24 == 127)
			continue;
		if (!strcmp(it->interface, h->uplink))
			return it->addr;
		if (!any)
			any = it->addr;
	}
	return any;
}

/* Corners of 10.0.0.0/8 that other software likes: a phone's own network may be one of them. */
static bool popular(uint32_t addr)
{
	static const uint8_t second[] = {
		0,   /* home routers */
		1,   /* home routers */
		8,   /* OpenVPN's example */
		42,  /* NetworkManager's shared connections */
		88,  /* podman */
		96,  /* Kubernetes services */
		244, /* Kubernetes pods */
	};

	for (size_t i = 0; i < ARRAY_LEN(second); i++) {
		if ((addr >> 16 & 0xff) == second[i])
			return true;
	}
	return false;
}

static int draw(struct prefix4 space, struct prefix4 *out, struct diag *d)
{
	uint32_t r;

	if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
		return diag_errno(d, "no random numbers");
	out->len = TUNNEL_BITS;
	out->addr = space.addr | (r & ~prefix4_mask(space.len) & prefix4_mask(TUNNEL_BITS));
	return 0;
}

int hostnet_choose(const struct hostnet *h, struct prefix4 *out, struct diag *d)
{
	/* RFC 1918; the second serves machines whose 10.0.0.0/8 is all routed somewhere. */
	static const struct prefix4 spaces[] = {{0x0a000000, 8}, {0xac100000, 12}};

	for (size_t s = 0; s < ARRAY_LEN(spaces); s++) {
		for (unsigned i = 0; i < TRIES; i++) {
			int rc = draw(spaces[s], out, d);

			if (rc)
				return rc;
			if (!hostnet_find(h, *out) && !(s == 0 && popular(out->addr)))
				return 0;
		}
	}
	return diag_set(d, ERR_CONFLICT,
			"this machine's routes leave no private /20 free: name a free prefix with "
			"--tunnel");
}
