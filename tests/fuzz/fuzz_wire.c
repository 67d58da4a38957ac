/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes into wire_decode, for each of the three tables. What is accepted must be the one and
 * only encoding of what came out; what is refused must leave nothing behind.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/control.h"
#include "common/privmsg.h"
#include "tests/fuzz/fuzz.h"

union any {
	union control_any control;
	union privmsg_any priv;
	uint8_t b[sizeof(union control_any)];
};

static void one_table(const struct wire_table *table, const uint8_t *data, size_t size)
{
	uint8_t out[WIRE_BYTES_MAX];
	uint16_t type = 0;
	struct diag d = {0};
	union any msg;

	memset(&msg, 0, sizeof(msg));
	if (wire_decode(table, data, size, &type, &msg, sizeof(msg), &d)) {
		fuzz_assert(d.code == ERR_PROTOCOL && d.text[0] != '\0');
		for (size_t i = 0; i < sizeof(msg.b); i++)
			fuzz_assert(msg.b[i] == 0);
		return;
	}
	fuzz_assert(wire_encode(table, type, &msg, out) == (int)size);
	fuzz_assert(memcmp(out, data, size) == 0);
}

_Static_assert(sizeof(union control_any) >= sizeof(union privmsg_any), "b is all of it");

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > WIRE_BYTES_MAX)
		return 0;
	one_table(&control_table, data, size);
	one_table(&privmsg_to_priv, data, size);
	one_table(&privmsg_from_priv, data, size);
	return 0;
}
