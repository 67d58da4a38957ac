/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Judges a peer's allowed IPs one by one (wg_allowed.h).
 */
#include "daemon/priv/wg_allowed.h"

#include <arpa/inet.h>
#include <string.h>

void wg_allowed_take(struct wg_allowed *a, struct wg_peer_state *p, bool six, const uint8_t *addr,
		     unsigned len)
{
	uint32_t raw;

	if (six) {
		a->six++;
		p->peer.address6.len = IP6_BYTES * 8;
		memcpy(p->peer.address6.addr, addr, IP6_BYTES);
	} else {
		a->four++;
		memcpy(&raw, addr, sizeof(raw));
		p->peer.address = ntohl(raw);
	}
	a->other |= len != (six ? 128 : 32);
	p->exact = a->four == 1 && a->six <= 1 && !a->other;
}
