/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hardware addresses: comparing and writing.
 */
#include "common/hardware.h"

#include <stdio.h>
#include <string.h>

#define GROUP_BIT 0x01 /* of the first byte */

bool hardware_known(const struct hardware *h)
{
	static const struct hardware none;

	return !hardware_same(h, &none);
}

bool hardware_same(const struct hardware *a, const struct hardware *b)
{
	return memcmp(a->b, b->b, HARDWARE_BYTES) == 0;
}

bool hardware_usable(const struct hardware *h)
{
	return hardware_known(h) && !(h->b[0] & GROUP_BIT);
}

void hardware_format(char out[HARDWARE_TEXT_BYTES], const struct hardware *h)
{
	(void)snprintf(out, HARDWARE_TEXT_BYTES, "%02x:%02x:%02x:%02x:%02x:%02x", h->b[0], h->b[1],
		       h->b[2], h->b[3], h->b[4], h->b[5]);
}
