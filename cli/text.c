/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text for a terminal. Everything a person reads passes text_clean on its way: no byte that came
 * from elsewhere can move a cursor or colour a screen.
 */
#include "cli/text.h"

#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "common/cleanup.h"

#define COLUMNS_DEFAULT 80
#define COLUMNS_LEAST	40

void text_init(void)
{
	/* Only the character type: numbers and dates are ours and do not follow a locale. */
	if (!setlocale(LC_CTYPE, "") || strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		(void)setlocale(LC_CTYPE, "C.UTF-8");
}

static bool harmless(unsigned cp)
{
	if (cp < 0x20 || (cp >= 0x7f && cp <= 0x9f))
		return false;
	if (cp == 0x061c || cp == 0x200e || cp == 0x200f)
		return false;
	return !(cp >= 0x2028 && cp <= 0x202e) && !(cp >= 0x2066 && cp <= 0x2069);
}

void text_clean(char *out, size_t room, const char *in)
{
	size_t left = strlen(in), used = 0;

	while (left > 0) {
		unsigned cp;
		int n = utf8_decode(in, left, &cp);
		bool keep = n > 0 && harmless(cp);
		size_t bytes = n > 0 ? (size_t)n : 1, need = keep ? bytes : 1;

		if (used + need + 1 > room)
			break;
		if (keep)
			memcpy(out + used, in, bytes);
		else
			out[used] = *in == '\n' ? ' ' : '?';
		used += need;
		in += bytes;
		left -= bytes;
	}
	out[used] = '\0';
}

/* Bytes and columns of the character at s, which is not at the end. */
static size_t step(const char *s, unsigned *columns)
{
	unsigned cp;
	int n = utf8_decode(s, strlen(s) < 4 ? strlen(s) : 4, &cp);
	int w;

	*columns = 1;
	if (n <= 0)
		return 1;
	w = wcwidth((wchar_t)cp);
	if (w >= 0)
		*columns = (unsigned)w;
	return (size_t)n;
}

unsigned text_width(const char *s)
{
	unsigned width = 0, w;

	while (*s) {
		s += step(s, &w);
		width += w;
	}
	return width;
}

size_t text_fit(const char *s, unsigned width)
{
	const char *p = s;
	unsigned used = 0, w;

	while (*p) {
		size_t n = step(p, &w);

		if (used + w > width && p > s)
			break;
		used += w;
		p += n;
	}
	return (size_t)(p - s);
}

size_t text_line(const char *s, unsigned width)
{
	size_t fit = text_fit(s, width), n = fit;

	if (!s[fit] || s[fit] == ' ')
		return fit;
	while (n > 0 && s[n - 1] != ' ')
		n--;
	while (n > 0 && s[n - 1] == ' ')
		n--;
	return n ? n : fit; /* one word, longer than the line */
}

unsigned text_columns(void)
{
	struct winsize w;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) || !w.ws_col)
		return COLUMNS_DEFAULT;
	return w.ws_col < COLUMNS_LEAST ? COLUMNS_LEAST : w.ws_col;
}

void text_para(FILE *out, unsigned indent, const char *fmt, ...)
{
	char raw[TEXT_BYTES], text[TEXT_BYTES];
	unsigned columns = text_columns();
	unsigned width = (columns < COLUMNS_DEFAULT ? columns : COLUMNS_DEFAULT) - indent;
	const char *s = text;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	text_clean(text, sizeof(text), raw);
	do {
		size_t n = text_line(s, width);

		fprintf(out, "%*s%.*s\n", (int)indent, "", (int)n, s);
		s += n;
		s += strspn(s, " ");
	} while (*s);
}

void text_duration(char out[TEXT_AGO_BYTES], uint64_t seconds)
{
	static const struct {
		uint64_t seconds;
		const char *name;
	} units[] = {
		{31557600, "year"}, {2629800, "month"}, {86400, "day"},
		{3600, "hour"},	    {60, "minute"},	{1, "second"},
	};
	unsigned i = 0;

	/* From two of a unit on, so that 90 minutes are not an hour; a bit less than two is two. */
	while (i + 1 < ARRAY_LEN(units) && seconds + units[i].seconds / 30 < 2 * units[i].seconds)
		i++;
	seconds = (seconds + units[i].seconds / 2) / units[i].seconds;
	(void)snprintf(out, TEXT_AGO_BYTES, "%llu %s%s", (unsigned long long)seconds, units[i].name,
		       seconds == 1 ? "" : "s");
}

void text_ago(char out[TEXT_AGO_BYTES], int64_t at, int64_t now)
{
	char span[TEXT_AGO_BYTES];

	if (!at || at == now) {
		(void)snprintf(out, TEXT_AGO_BYTES, "%s", at ? "now" : "never");
		return;
	}
	text_duration(span, (uint64_t)(at < now ? now - at : at - now));
	if (at < now)
		(void)snprintf(out, TEXT_AGO_BYTES, "%.24s ago", span);
	else
		(void)snprintf(out, TEXT_AGO_BYTES, "in %.24s", span);
}

void text_size(char out[TEXT_SIZE_BYTES], uint64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double v = (double)bytes / 1024;
	unsigned i = 0;

	if (bytes < 1024) {
		(void)snprintf(out, TEXT_SIZE_BYTES, "%u B", (unsigned)bytes);
		return;
	}
	for (; v >= 1024 && i + 1 < ARRAY_LEN(units); i++)
		v /= 1024;
	(void)snprintf(out, TEXT_SIZE_BYTES, "%.1f %s", v, units[i]);
}

const char *text_quote(char out[TEXT_QUOTE_BYTES], const struct name *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_.-";
	char *p = out;

	if (name->s[0] != '-' && !name->s[strspn(name->s, plain)]) {
		(void)snprintf(out, TEXT_QUOTE_BYTES, "%s", name->s);
		return out;
	}
	*p++ = '\'';
	for (const char *s = name->s; *s; s++) {
		if (*s == '\'') {
			memcpy(p, "'\\'", 3);
			p += 3;
		}
		*p++ = *s;
	}
	*p++ = '\'';
	*p = '\0';
	return out;
}

const char *text_services(char out[TEXT_SERVICES_BYTES], const struct services *list)
{
	char one[SERVICE_TEXT_BYTES];
	size_t used = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < list->count && i < SERVICES_MAX; i++) {
		service_format(one, list->item[i]);
		used += (size_t)snprintf(out + used, TEXT_SERVICES_BYTES - used, "%s%s",
					 i ? ", " : "", one);
	}
	return out;
}
