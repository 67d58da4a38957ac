/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How often somebody may try to log in, and how often a failure is worth a line in the log. Pure;
 * times are milliseconds of one clock that does not go back.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/inet.h"

#define WEB_LIMIT_WINDOW  (60L * 1000)
#define WEB_LIMIT_ADDRESS 5  /* tries in a window from one address; of IPv6 from one /64 */
#define WEB_LIMIT_ALL	  30 /* tries in a window from everywhere, … */
#define WEB_LIMIT_OTHERS                                                                           \
	20 /* … of them from elsewhere than the tunnel: addresses cost nothing there */

/* So many failures are told in an hour, and how many there were besides: the log keeps 20,000 events,
 * and what the owner did is not to be pushed out by a stranger's guesses. */
#define WEB_LIMIT_TOLD	  10
#define WEB_LIMIT_TOLD_IN (3600L * 1000)

#define WEB_LIMIT_KEY_BYTES 9 /* family, and the first eight bytes of the address */

struct web_limit {
	struct web_limit_try {
		uint8_t from[WEB_LIMIT_KEY_BYTES];
		bool phone;
		int64_t at;
	} tried[WEB_LIMIT_ALL]; /* by time */
	unsigned n;
	int64_t told_since;
	unsigned told, untold;
};

/* May there be another try from that address, a phone's in the tunnel or another, now? Then this is it.
 * What is refused is not counted. */
bool web_limit_try(struct web_limit *l, const struct endpoint *from, bool phone, int64_t now)
	__attribute__((warn_unused_result));
/* Is this failure to be told? *more: so many have not been since the last one that was. */
bool web_limit_tell(struct web_limit *l, int64_t now, unsigned *more)
	__attribute__((warn_unused_result));
