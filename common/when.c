/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ends of grants as people type them. A cursor moves over the text; what is not matched exactly is
 * refused, because an end that was guessed wrong leaves a printer open. Pure but for the time zone.
 */
#include "common/when.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/utc.h"

struct reading {
	struct tm tm; /* as written */
	bool has_time;
	bool has_zone;
	int offset; /* of the zone, seconds east of Greenwich */
};

static const char *const when_help =
	"write a duration (90s, 45m, 2h, 3d, 1w) or a date (2026-12-24, 2026-12-24T18:00, "
	"2026-12-24T17:00:00Z)";

static bool is_duration(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n > 0 && text[n] && strchr("smhdw", text[n]) && text[n + 1] == '\0';
}

static unsigned unit_seconds(char unit)
{
	return unit == 's'   ? 1
	       : unit == 'm' ? 60
	       : unit == 'h' ? 3600
	       : unit == 'd' ? 86400
			     : 604800;
}

int duration_parse(uint32_t *seconds, const char *text, struct diag *d)
{
	size_t n = strlen(text);
	unsigned long long v;

	if (!is_duration(text))
		return diag_set(d, ERR_BAD_TIME,
				"\"%.40s\" is no duration: write 90s, 45m, 2h, 3d or 1w", text);
	v = n > 10 ? WHEN_DURATION_MAX + 1ULL
		   : strtoull(text, NULL, 10) * unit_seconds(text[n - 1]);
	if (v < 1 || v > WHEN_DURATION_MAX)
		return diag_set(
			d, ERR_BAD_TIME,
			"\"%.40s\": a duration is at least one second and at most ten years", text);
	*seconds = (uint32_t)v;
	return 0;
}

/* Exactly n digits, with a value in min..max. */
static bool scan_number(const char **at, unsigned n, int min, int max, int *out)
{
	int v = 0;

	for (unsigned i = 0; i < n; i++) {
		char c = (*at)[i];

		if (c < '0' || c > '9')
			return false;
		v = v * 10 + (c - '0');
	}
	*at += n;
	*out = v;
	return v >= min && v <= max;
}

static bool scan_char(const char **at, const char *set)
{
	if (**at == '\0' || !strchr(set, **at))
		return false;
	(*at)++;
	return true;
}

static bool scan_day(const char **at, struct tm *tm)
{
	struct tm same;

	if (!scan_number(at, 4, 1970, 9999, &tm->tm_year) || !scan_char(at, "-") ||
	    !scan_number(at, 2, 1, 12, &tm->tm_mon) || !scan_char(at, "-") ||
	    !scan_number(at, 2, 1, 31, &tm->tm_mday))
		return false;
	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	same = *tm;
	(void)utc_join(&same); /* turns 30 February into 2 March */
	return same.tm_mday == tm->tm_mday;
}

static bool scan_clock(const char **at, struct tm *tm)
{
	if (!scan_number(at, 2, 0, 23, &tm->tm_hour) || !scan_char(at, ":") ||
	    !scan_number(at, 2, 0, 59, &tm->tm_min))
		return false;
	if (!scan_char(at, ":"))
		return true;
	if (!scan_number(at, 2, 0, 59, &tm->tm_sec))
		return false;
	if (scan_char(at, ".")) { /* RFC 3339 allows fractions; nobody's end needs one */
		if (**at < '0' || **at > '9')
			return false;
		*at += strspn(*at, "0123456789");
	}
	return true;
}

static bool scan_zone(const char **at, struct reading *r)
{
	int sign = **at == '-' ? -1 : 1;
	int hours, minutes;

	r->has_zone = true;
	if (scan_char(at, "Zz"))
		return true;
	if (!scan_char(at, "+-") || !scan_number(at, 2, 0, 23, &hours) || !scan_char(at, ":") ||
	    !scan_number(at, 2, 0, 59, &minutes))
		return false;
	r->offset = sign * (hours * 3600 + minutes * 60);
	return true;
}

static bool scan(const char *text, struct reading *r)
{
	memset(r, 0, sizeof(*r));
	if (!scan_day(&text, &r->tm))
		return false;
	if (*text == '\0')
		return true;
	r->has_time = true;
	if (!scan_char(&text, "Tt ") || !scan_clock(&text, &r->tm))
		return false;
	if (*text == '\0')
		return true;
	return scan_zone(&text, r) && *text == '\0';
}

static int64_t seconds_of(struct reading *r)
{
	if (r->has_zone)
		return utc_join(&r->tm) - r->offset;
	if (!r->has_time) { /* a day alone: to its last second, so that it is still shown as that day */
		r->tm.tm_hour = 23;
		r->tm.tm_min = 59;
		r->tm.tm_sec = 59;
	}
	r->tm.tm_isdst = -1;
	return utc_join_local(&r->tm);
}

int when_parse(struct when *out, const char *text, struct diag *d)
{
	struct reading r;
	struct when w = {0};
	int err;

	if (is_duration(text)) {
		err = duration_parse(&w.after, text, d);
		if (err)
			return err;
	} else {
		if (!scan(text, &r))
			return diag_set(d, ERR_BAD_TIME, "\"%.40s\" is no time: %s", text,
					when_help);
		w.at = seconds_of(&r);
		if (w.at <= 0 || w.at > WHEN_MAX) /* 0 would mean "no end" */
			return diag_set(d, ERR_BAD_TIME, "\"%.40s\" is out of range", text);
	}
	*out = w;
	return 0;
}

void when_format(char out[WHEN_TEXT_BYTES], int64_t at)
{
	struct tm tm;

	at = at < 0 ? 0 : at > WHEN_MAX ? WHEN_MAX : at;
	if (!utc_split(&tm, at) || !strftime(out, WHEN_TEXT_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm))
		out[0] = '\0';
}
