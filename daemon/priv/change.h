/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One change of what should be, as core sends it: collected item by item, each checked against our
 * own configuration when it arrives, applied by gate.c when it is complete.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/privmsg.h"

struct change_item {
	uint16_t type; /* enum privmsg_type: PRIV_PRINTER_PUT … PRIV_PEER_DEL */
	union {
		struct privmsg_printer printer;
		struct privmsg_service service;
		struct privmsg_grant grant;
		struct privmsg_peer peer;
		struct privmsg_peer_del peer_del;
	};
};

struct change {
	bool open, full, locked;
	struct change_item *items; /* preshared keys in them: wiped by change_reset */
	size_t count, room;
	uint32_t bad;	     /* first refused item */
	struct diag refusal; /* code 0: none so far */
};

/* Starts anew; memory of a large change is given back. */
void change_reset(struct change *c);
void change_begin(struct change *c, const struct privmsg_begin *how);

/* Adds one item. A refused one is remembered (change.refusal): the whole change will fail. Returns
 * ERR_PROTOCOL only where the sender broke the protocol: no BEGIN, or PRIV_ITEMS_MAX exceeded. */
int change_add(struct change *c, struct prefix4 tunnel, uint16_t type, const union privmsg_any *msg,
	       struct diag *d) __attribute__((warn_unused_result));
