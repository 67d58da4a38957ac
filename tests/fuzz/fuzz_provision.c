/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a provisioning file. What is accepted can be told to core as it is, and its lines of
 * configuration stand where they stood.
 */
#include <string.h>

#include "cli/provision.h"
#include "tests/fuzz/fuzz.h"

static void can_be_told(const struct provision_file *f)
{
	static uint8_t out[WIRE_BYTES_MAX];

	for (unsigned i = 0; i < f->printers; i++)
		fuzz_assert(wire_encode(&control_table, CTL_PROVISION_PRINTER, &f->printer[i].msg,
					out) > 0);
	for (unsigned i = 0; i < f->peers; i++)
		fuzz_assert(wire_encode(&control_table, CTL_PROVISION_PEER, &f->peer[i].msg, out) >
			    0);
	fuzz_assert(wire_encode(&control_table, CTL_PROVISION_BEGIN, &f->head, out) > 0);
}

static unsigned lines(const char *text, size_t n)
{
	unsigned count = 1;

	for (size_t i = 0; i < n; i++)
		count += text[i] == '\n';
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct provision_file f;
	struct diag d = {0};
	char *text;
	int rc;

	if (size > PROVISION_FILE_BYTES)
		return 0;
	text = malloc(size ? size : 1); /* no longer than it is, for the sanitizer */
	fuzz_assert(text);
	memcpy(text, data, size);
	memset(&f, 0, sizeof(f));
	rc = provision_parse(&f, text, size, &d);
	if (rc) {
		fuzz_assert(rc == ERR_CONFIG && !strncmp(d.text, "line ", 5));
	} else {
		can_be_told(&f);
		fuzz_assert(strlen(f.conf) < sizeof(f.conf));
		fuzz_assert(lines(f.conf, strlen(f.conf)) <= lines(text, size) + 1);
	}
	free(text);
	return 0;
}
