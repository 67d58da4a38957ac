/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hardware addresses: by what a printer that was given by name is known again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define HARDWARE_BYTES	    6  /* ETH_ALEN (linux/if_ether.h) */
#define HARDWARE_TEXT_BYTES 18 /* "aa:bb:cc:dd:ee:ff" */

struct hardware {
	uint8_t b[HARDWARE_BYTES]; /* all zero: not known */
};

bool hardware_known(const struct hardware *h);
bool hardware_same(const struct hardware *a, const struct hardware *b);
/* May it be one machine's: known, and no group address (IEEE 802, 8.2)? */
bool hardware_usable(const struct hardware *h);
void hardware_format(char out[HARDWARE_TEXT_BYTES], const struct hardware *h);
