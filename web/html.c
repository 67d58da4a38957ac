/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Escaping, and numbers and times in words.
 */
#include "web/html.h"

#include <netinet/in.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/utc.h"

#define MINUTE 60
#define HOUR   3600
#define DAY    86400

void html_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		case '\n': /* ends a line of an event stream */
			fputc(' ', out);
			break;
		default:
			fputc(*text, out);
		}
	}
}

void html_amount(char out[HTML_AMOUNT_BYTES], uint64_t bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	uint64_t whole = bytes, rest = 0;
	size_t u = 0;

	for (; whole >= 1000 && u + 1 < ARRAY_LEN(units); u++) {
		rest = whole % 1000;
		whole /= 1000;
	}
	if (u && whole < 10)
		(void)snprintf(out, HTML_AMOUNT_BYTES, "%u.%u %s", (unsigned)whole,
			       (unsigned)(rest / 100), units[u]);
	else
		(void)snprintf(out, HTML_AMOUNT_BYTES, "%u %s", (unsigned)whole, units[u]);
}

/* "12 min", "3 h", "5 days". */
static void put_span(char *out, size_t room, int64_t seconds)
{
	const int64_t days = seconds / DAY;

	if (seconds < HOUR)
		(void)snprintf(out, room, "%d min", (int)(seconds / MINUTE));
	else if (days < 2)
		(void)snprintf(out, room, "%d h", (int)(seconds / HOUR));
	else
		(void)snprintf(out, room, "%d days", (int)days);
}

void html_ago(char out[HTML_WHEN_BYTES], int64_t then, int64_t now)
{
	char span[24];

	if (!then) {
		(void)snprintf(out, HTML_WHEN_BYTES, "never");
		return;
	}
	if (now - then < MINUTE) {
		(void)snprintf(out, HTML_WHEN_BYTES, "just now");
		return;
	}
	put_span(span, sizeof(span), now - then);
	(void)snprintf(out, HTML_WHEN_BYTES, "%s ago", span);
}

void html_until(char out[HTML_WHEN_BYTES], int64_t then, int64_t now)
{
	char date[24] = "", span[24];
	struct tm tm;

	if (then <= now) {
		(void)snprintf(out, HTML_WHEN_BYTES, "ended");
		return;
	}
	if (utc_split(&tm,
		      then)) /* of the year only what is not this one: an end is near, mostly */
		(void)strftime(date, sizeof(date),
			       then - now < 300 * (int64_t)DAY ? "%e %b %H:%M" : "%e %b %Y", &tm);
	put_span(span, sizeof(span), then - now);
	(void)snprintf(out, HTML_WHEN_BYTES, "%s UTC (in %s)", date + (date[0] == ' '),
		       then - now < MINUTE ? "under 1 min" : span);
}

/* Ports behind which a browser finds something, by which scheme: those of common/preset.c that
 * are web interfaces. All else is shown as text. */
static const struct {
	uint16_t port;
	const char *scheme, *path;
} web_ports[] = {
	{80, "http", ""},    {443, "https", ""}, {5000, "http", ""},  {7125, "http", ""},
	{7130, "https", ""}, {8080, "http", ""}, {8443, "https", ""}, {631, "ipp", "ipp/print"},
};

void html_url(char out[HTML_URL_BYTES], uint32_t vpn, uint8_t protocol, uint16_t first,
	      uint16_t last)
{
	char address[IP4_TEXT_BYTES];

	out[0] = '\0';
	if (protocol != IPPROTO_TCP || first != last)
		return;
	ip4_format(address, vpn);
	for (size_t i = 0; i < ARRAY_LEN(web_ports); i++) {
		if (web_ports[i].port != first)
			continue;
		/* Also a scheme's own port: it is what was granted, and what people look for. */
		(void)snprintf(out, HTML_URL_BYTES, "%s://%s:%u/%s", web_ports[i].scheme, address,
			       first, web_ports[i].path);
	}
}
