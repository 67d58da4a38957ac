/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this machine's network already uses: for choosing a tunnel prefix that collides with
 * nothing, and an address for phones at home.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/inet.h"

struct hostnet_item {
	struct prefix4 prefix;
	uint32_t addr; /* of the interface; 0 for a route */
	char interface[IFNAMSIZ];
};

struct hostnet {
	struct hostnet_item *items; /* ours */
	size_t count, cap;
	char uplink[IFNAMSIZ]; /* interface of the default route, "" if there is none */
};

/* Reads interface addresses and the main routing table. */
int hostnet_read(struct hostnet *h, struct diag *d) __attribute__((warn_unused_result));
void hostnet_free(struct hostnet *h);

/* What overlaps the prefix, or NULL. */
const struct hostnet_item *hostnet_find(const struct hostnet *h, struct prefix4 p);

/* The machine's address towards the default route, else any that is not loopback; 0 if none. */
uint32_t hostnet_address(const struct hostnet *h);

/* A random free /20 of the private space. ERR_CONFLICT when everything is taken. */
int hostnet_choose(const struct hostnet *h, struct prefix4 *out, struct diag *d)
	__attribute__((warn_unused_result));

#define auto_hostnet __attribute__((cleanup(hostnet_free))) struct hostnet
