/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The allowed IPs of one peer while it is being read, by either back end's reader: are they what we
 * would have set, one IPv4 /32 and at most one IPv6 /128?
 */
#pragma once

#include "daemon/priv/wg.h"

struct wg_allowed {
	unsigned four, six;
	bool other; /* something that is no single address */
};

/* Takes one more; addr is in network order, 4 or 16 bytes. Keeps address, address6 and exact of *p
 * up to date. */
void wg_allowed_take(struct wg_allowed *a, struct wg_peer_state *p, bool six, const uint8_t *addr,
		     unsigned len);
