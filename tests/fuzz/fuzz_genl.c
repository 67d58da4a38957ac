/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as the kernel's dump of a WireGuard device: messages one after the other, each with its
 * length before it (two bytes, little end first). What is made of them must keep to its types, and
 * every message must be refused or read whole.
 */
#include "daemon/priv/wg_genl.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "tests/fuzz/fuzz.h"

static int see(void *arg, const struct wg_peer_state *p)
{
	unsigned *peers = arg;

	fuzz_assert(p->endpoint.family == 0 || p->endpoint.family == 4 || p->endpoint.family == 6);
	fuzz_assert(p->last_handshake >= 0);
	(*peers)++;
	return 0;
}

/* A copy of exactly the message's size: a sanitizer sees a read behind it. */
static int read_message(struct wg_genl_reader *r, const uint8_t *data, size_t n)
{
	uint8_t *exact = mem_zalloc(n ? n : 1, 1);
	struct diag d = {0};
	int rc;

	memcpy(exact, data, n);
	rc = wg_genl_read(r, (struct nlattr *)(void *)exact, (int)n, &d);
	fuzz_assert(rc == 0 || (rc == ERR_PROTOCOL && d.text[0] != '\0'));
	free(exact);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned peers = 0;
	struct wg_genl_reader r = {.fn = see, .arg = &peers};
	int rc = 0;

	while (rc == 0 && size >= 2) {
		size_t n = data[0] | (size_t)data[1] << 8;

		data += 2;
		size -= 2;
		n = n < size ? n : size;
		rc = read_message(&r, data, n);
		data += n;
		size -= n;
	}
	if (rc == 0)
		fuzz_assert(wg_genl_read_end(&r) == 0);
	fuzz_assert(rc || !r.has_peer);
	return 0;
}
