/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of peers and printers, and the little UTF-8 that checking them takes. Pure functions.
 */
#include "common/name.h"

#include <stdbool.h>
#include <string.h>

#include "common/cleanup.h"

struct range {
	unsigned first, last;
};

static const struct range bidi[] = {
	{0x061c, 0x061c}, {0x200e, 0x200f}, {0x202a, 0x202e}, {0x2066, 0x2069}};

/* Spaces of every width, and what has none at all: at the ends of a name nobody can see them. */
static const struct range blank[] = {{0x0020, 0x0020}, {0x00a0, 0x00a0}, {0x1680, 0x1680},
				     {0x2000, 0x200b}, {0x202f, 0x202f}, {0x205f, 0x2060},
				     {0x3000, 0x3000}, {0xfeff, 0xfeff}};

static bool in_ranges(unsigned cp, const struct range *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (cp >= r[i].first && cp <= r[i].last)
			return true;
	return false;
}

int utf8_decode(const char *s, unsigned long n, unsigned *cp)
{
	static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char lead = (unsigned char)s[0];
	int len = lead < 0x80	    ? 1
		  : lead >> 5 == 6  ? 2
		  : lead >> 4 == 14 ? 3
		  : lead >> 3 == 30 ? 4
				    : 0;
	unsigned v;

	if (len == 0 || (unsigned long)len > n)
		return 0;
	v = len == 1 ? lead : lead & (0x7fu >> len);
	for (int i = 1; i < len; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | ((unsigned char)s[i] & 0x3f);
	}
	if (v < least[len] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	*cp = v;
	return len;
}

int utf8_is_control(unsigned cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp <= 0x9f);
}

int utf8_is_line(const char *text, unsigned long n)
{
	unsigned cp;
	int len;

	for (size_t i = 0; i < n; i += (size_t)len) {
		len = utf8_decode(text + i, n - i, &cp);
		if (len == 0 || utf8_is_control(cp) || in_ranges(cp, bidi, ARRAY_LEN(bidi)))
			return 0;
	}
	return 1;
}

void utf8_clean(char *text, int keep_lf)
{
	size_t n = strlen(text);
	unsigned cp;

	for (size_t i = 0; i < n;) {
		int len = utf8_decode(text + i, n - i, &cp);

		if (len == 0 || (utf8_is_control(cp) && !(keep_lf && cp == '\n'))) {
			memset(text + i, '?', len ? (size_t)len : 1);
			len = len ? len : 1;
		}
		i += (size_t)len;
	}
}

static const char *fault_of(unsigned cp)
{
	if (utf8_is_control(cp))
		return "it contains a control character (such as a line break, a tab or an escape)";
	if (cp == 0x2028 || cp == 0x2029)
		return "it contains a line or paragraph separator";
	if (in_ranges(cp, bidi, ARRAY_LEN(bidi)))
		return "it contains an invisible character that changes the direction of writing";
	return NULL;
}

/* What is wrong with a name, apart from its length; NULL if nothing is. */
static const char *name_fault(const char *text, unsigned long n)
{
	const char *fault = NULL;
	unsigned cp = 0;

	for (unsigned long i = 0; i < n && !fault;) {
		int len = utf8_decode(text + i, n - i, &cp);

		if (len == 0)
			return "it is not valid UTF-8";
		fault = fault_of(cp);
		if (!fault && i == 0 && in_ranges(cp, blank, ARRAY_LEN(blank)))
			return "it begins with a blank";
		i += (unsigned long)len;
	}
	if (!fault && in_ranges(cp, blank, ARRAY_LEN(blank)))
		return "it ends with a blank";
	return fault;
}

int name_valid(const char *text, unsigned long n)
{
	return n > 0 && n <= NAME_BYTES && !name_fault(text, n);
}

int name_parse(struct name *out, const char *text, const char *what, struct diag *d)
{
	unsigned long n = strlen(text);
	const char *fault;

	if (n == 0)
		return diag_set(d, ERR_BAD_NAME, "the name of a %s must not be empty", what);
	if (n > NAME_BYTES)
		return diag_set(
			d, ERR_BAD_NAME,
			"this name is too long for a %s: it has %lu bytes, and %d is the most "
			"(a plain letter takes 1, an accented one 2, an emoji 4 or more)",
			what, n, NAME_BYTES);
	fault = name_fault(text, n);
	if (fault)
		return diag_set(d, ERR_BAD_NAME, "this is no name for a %s: %s", what, fault);
	memset(out, 0, sizeof(*out));
	memcpy(out->s, text, n);
	return 0;
}

static bool tunnel_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

void name_tunnel(char out[TUNNEL_NAME_BYTES + 1], const struct name *name)
{
	size_t n = 0;

	for (const char *s = name->s; *s && n < TUNNEL_NAME_BYTES; s++) {
		if (tunnel_char(*s))
			out[n++] = *s;
		else if (n > 0 && out[n - 1] != '-')
			out[n++] = '-';
	}
	while (n > 0 && out[n - 1] == '-')
		n--;
	out[n] = '\0';
	if (n == 0)
		memcpy(out, "printgate", sizeof("printgate"));
}
