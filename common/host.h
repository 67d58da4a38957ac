/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host names, as a printer may be given by: `octopi.local`, or a name in DNS. RFC 1123, 2.1: labels
 * of 1 to 63 letters, digits and inner hyphens, 253 bytes in all. The last label is not a number, so
 * no mistyped address is taken for a name.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

#define HOST_BYTES	 253 /* longest name without the NUL (RFC 1035, 3.1, as text) */
#define HOST_LABEL_BYTES 63

struct host {
	char s[HOST_BYTES + 1]; /* lower case, no dot at the end; "" means "none" */
};

/* Checks and copies, in lower case and without a dot at the end; *out is untouched on failure.
 * ERR_BAD_ADDRESS with a sentence. */
int host_parse(struct host *out, const char *text, struct diag *d)
	__attribute__((warn_unused_result));

/* True if the n bytes at `text` are a host name as struct host has it. */
bool host_valid(const char *text, size_t n);
