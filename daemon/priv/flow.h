/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One packet of the traffic that printgate needs, as far as it is known beforehand: what foreign.c
 * sends in thought through other tools' rules. Plain data, made by check.c.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/privmsg.h"

/* Whether something holds for a flow; MAYBE where that depends on what is not known. */
enum holds { HOLDS_NO, HOLDS_YES, HOLDS_MAYBE };

struct flow {
	enum privmsg_way way;
	uint8_t hook;			   /* NF_INET_LOCAL_IN, _FORWARD, _LOCAL_OUT */
	char in[IFNAMSIZ], out[IFNAMSIZ];  /* "": none, or one that is not known */
	uint8_t protocol;		   /* IPPROTO_ */
	uint32_t source, destination;	   /* IPv4, host order; 0: not known */
	uint16_t source_port, target_port; /* 0: not known */
	bool reply;			   /* of an established connection; otherwise a new one */
	bool translated;		   /* our own table has changed its destination */
};
