/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules for host names. Pure functions; who resolves them is daemon/core/resolve.c.
 */
#include "common/host.h"

#include <string.h>

#define DIGITS "0123456789"
#define INNER  "abcdefghijklmnopqrstuvwxyz" DIGITS "-"

static bool label_valid(const char *s, size_t n)
{
	return n >= 1 && n <= HOST_LABEL_BYTES && strspn(s, INNER) >= n && s[0] != '-' &&
	       s[n - 1] != '-';
}

bool host_valid(const char *text, size_t n)
{
	char copy[HOST_BYTES + 1] = "";
	const char *label = copy;
	size_t len;

	if (n < 1 || n > HOST_BYTES || memchr(text, '\0', n))
		return false;
	memcpy(copy, text, n);
	for (;;) {
		len = strcspn(label, ".");
		if (!label_valid(label, len))
			return false;
		if (!label[len])
			return strspn(label, DIGITS) < len;
		label += len + 1;
	}
}

int host_parse(struct host *out, const char *text, struct diag *d)
{
	struct host host = {""};
	size_t n = strnlen(text, sizeof(host.s) + 1);

	if (n > 1 && text[n - 1] == '.')
		n--;
	for (size_t i = 0; i < n && n <= HOST_BYTES; i++) /* ASCII only, whatever the locale is */
		host.s[i] =
			(char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] - 'A' + 'a' : text[i]);
	if (n > HOST_BYTES || !host_valid(host.s, n))
		return diag_set(d, ERR_BAD_ADDRESS,
				"\"%.80s\" is neither an IPv4 address, nor a prefix, nor a host "
				"name (letters, digits and hyphens between dots, such as "
				"octopi.local)",
				text);
	*out = host;
	return 0;
}
