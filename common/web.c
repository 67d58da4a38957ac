/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text of the page's secrets, without a library: the web process, which has no cryptography, reads
 * them too. Nothing here takes a time that depends on what is secret, but for whether it is
 * well-formed.
 */
#include "common/web.h"

#include <string.h>

#include "common/name.h"

void web_secret_format(char out[WEB_SECRET_TEXT_BYTES], const struct web_secret *s)
{
	for (unsigned i = 0; i < 2 * WEB_SECRET_BYTES; i++) {
		const unsigned v = (s->bytes[i / 2] >> (i % 2 ? 0 : 4)) & 15U;

		/* 'a' - '0' - 10 is added from 10 on, without a table or a branch */
		out[i] = (char)('0' + v + ((9U - v) >> 8 & ('a' - '0' - 10)));
	}
	out[2 * WEB_SECRET_BYTES] = '\0';
}

/* 0..15, or 16 and more for what is no digit. */
static unsigned digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

int web_secret_parse(struct web_secret *out, const char *text, unsigned long n)
{
	auto_web_secret s = {{0}};

	if (n != 2UL * WEB_SECRET_BYTES)
		return ERR_BAD_KEY;
	for (unsigned i = 0; i < n; i++) {
		const unsigned v = digit(text[i]);

		if (v > 15)
			return ERR_BAD_KEY;
		s.bytes[i / 2] = (uint8_t)(s.bytes[i / 2] << 4 | v);
	}
	*out = s;
	return 0;
}

bool web_secret_equal(const struct web_secret *a, const struct web_secret *b)
{
	volatile uint8_t differ = 0;

	for (unsigned i = 0; i < WEB_SECRET_BYTES; i++)
		differ |= a->bytes[i] ^ b->bytes[i];
	return differ == 0;
}

void web_secret_wipe(struct web_secret *s)
{
	explicit_bzero(s, sizeof(*s));
}

int web_password_check(const char *password, struct diag *d)
{
	const size_t n = strnlen(password, WEB_PASSWORD_BYTES);
	unsigned characters = 0, cp;

	if (n >= WEB_PASSWORD_BYTES)
		return diag_set(d, ERR_USAGE, "the password is too long: at most %d bytes",
				WEB_PASSWORD_BYTES - 1);
	if (!utf8_is_line(password, n))
		return diag_set(d, ERR_USAGE,
				"the password must be text without control characters");
	for (size_t i = 0; i < n; characters++)
		i += (size_t)utf8_decode(password + i, n - i, &cp);
	if (characters < WEB_PASSWORD_MIN)
		return diag_set(d, ERR_USAGE, "the password is too short: at least %d characters",
				WEB_PASSWORD_MIN);
	return 0;
}
