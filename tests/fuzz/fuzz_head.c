/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a request's head. What is accepted is made of what the header promises, and the answer
 * does not depend on how the bytes arrive.
 */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "web/head.h"

#define BYTES_MAX (HEAD_BYTES_MAX + 16)

static void in_one_piece(const struct head *h, const char *in, int n)
{
	const char *const parts[] = {h->host, h->cookie, h->origin, h->authorization,
				     h->content_type};

	fuzz_assert(h->path[0] == '/' && h->host[0] != '\0');
	fuzz_assert(h->body_bytes <= HEAD_BODY_BYTES_MAX);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!parts[i])
			continue;
		fuzz_assert(parts[i] > in && parts[i] + strlen(parts[i]) < in + n);
		for (const char *c = parts[i]; *c; c++)
			fuzz_assert(*c == '\t' || (*c >= ' ' && *c <= '~'));
	}
	for (const char *c = h->query; *c; c++)
		fuzz_assert(*c > ' ' && *c <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct head h;
	int whole, some = 0;
	char *in;

	if (size > BYTES_MAX)
		return 0;
	in = malloc(size + 1);
	fuzz_assert(in);
	memcpy(in, data, size);
	whole = head_parse(&h, in, size);
	if (whole > 0)
		in_one_piece(&h, in, whole);
	for (size_t n = 1; n <= size && some == 0; n += 1 + size / 64) {
		memcpy(in, data, size);
		some = head_parse(&h, in, n);
		fuzz_assert(some <= (int)n);
	}
	/* What was decided early is what the whole says. */
	fuzz_assert(some == 0 || some == whole || (some < 0 && whole < 0));
	free(in);
	return 0;
}
