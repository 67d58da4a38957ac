/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decoding of what browsers send.
 */
#include "web/form.h"

#include <string.h>
#include <strings.h>

#include "common/name.h"

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* application/x-www-form-urlencoded (URL standard, 5.1). Returns the length or -1. */
static int decode(char *out, size_t room, const char *in, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		int c = (unsigned char)in[i];

		if (k + 1 >= room)
			return -1;
		if (c == '+')
			c = ' ';
		if (c == '%') {
			if (i + 2 >= n || digit(in[i + 1]) < 0 || digit(in[i + 2]) < 0)
				return -1;
			c = digit(in[i + 1]) * 16 + digit(in[i + 2]);
			i += 2;
		}
		out[k++] = (char)c;
	}
	out[k] = '\0';
	return strlen(out) == k && utf8_is_line(out, k) ? (int)k : -1;
}

bool form_value(const char *form, const char *name, char *out, size_t room)
{
	const size_t n = strlen(name);

	out[0] = '\0';
	while (*form) {
		const size_t part = strcspn(form, "&");

		if (part > n && strncmp(form, name, n) == 0 && form[n] == '=') {
			if (decode(out, room, form + n + 1, part - n - 1) >= 0)
				return true;
			explicit_bzero(out, room);
			return false;
		}
		form += part + (form[part] == '&');
	}
	return false;
}

bool form_cookie(const char *header, const char *name, struct web_secret *out)
{
	const size_t n = strlen(name);

	while (header && *header) {
		const size_t part = strcspn(header, ";");

		if (part > n && strncmp(header, name, n) == 0 && header[n] == '=')
			return web_secret_parse(out, header + n + 1, part - n - 1) == 0;
		header += part;
		header += strspn(header, "; ");
	}
	return false;
}

bool form_bearer(const char *authorization, struct web_secret *out)
{
	static const char scheme[] = "Bearer ";

	if (!authorization || strncasecmp(authorization, scheme, strlen(scheme)) != 0)
		return false;
	authorization += strlen(scheme);
	return web_secret_parse(out, authorization, strlen(authorization)) == 0;
}
