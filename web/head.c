/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parser of heads: line by line, each part checked where it is taken.
 */
#include "web/head.h"

#include <string.h>
#include <strings.h>

#include "common/cleanup.h"

#define NUMBER_DIGITS_MAX 5 /* of Content-Length and ports */

static bool is_alnum(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 9110, 5.6.2 */
static bool is_token(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_alnum((unsigned char)s[i]) && (!s[i] || !strchr("!#$%&'*+-.^_`|~", s[i])))
			return false;
	return n > 0;
}

/* Visible ASCII, blanks between it. obs-text is refused: nothing of ours has any use for it. */
static bool is_value(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] != '\t' && (s[i] < ' ' || s[i] > '~'))
			return false;
	return true;
}

static bool is_number(const char *s, size_t n, size_t *out)
{
	size_t v = 0;

	if (n == 0 || n > NUMBER_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = 10 * v + (size_t)(s[i] - '0');
	}
	*out = v;
	return true;
}

/* ---- the request line -------------------------------------------------------------------------- */

static int take_method(struct head *h, const char *s, size_t n)
{
	static const struct {
		const char *name;
		int answer; /* enum http_method, or a refusal */
	} methods[] = {
		{"GET", HTTP_GET}, {"HEAD", HTTP_HEAD}, {"POST", HTTP_POST},
		{"PUT", -405},	   {"DELETE", -405},	{"OPTIONS", -405},
		{"TRACE", -405},   {"PATCH", -405},	{"CONNECT", -405},
	};

	if (!is_token(s, n))
		return -400;
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (strlen(methods[i].name) == n && memcmp(methods[i].name, s, n) == 0) {
			if (methods[i].answer < 0)
				return methods[i].answer;
			h->method = (enum http_method)methods[i].answer;
			return 0;
		}
	return -501;
}

/* Only the origin form (RFC 9112, 3.2.1). A path of ours needs no escape, so one that has any is
 * another's: 404, which is said by a path that nobody has. */
static int take_target(struct head *h, char *s, size_t n)
{
	char *mark = memchr(s, '?', n);
	size_t path = mark ? (size_t)(mark - s) : n;

	if (n == 0 || s[0] != '/')
		return -400;
	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] > '~' || s[i] == '#')
			return -400;
	s[n] = '\0';
	h->path = s;
	h->query = "";
	if (mark) {
		*mark = '\0';
		h->query = mark + 1;
	}
	for (size_t i = 0; i < path; i++)
		if (!is_alnum((unsigned char)s[i]) && !strchr("/._-", s[i]))
			h->path = "/?";
	return 0;
}

static int take_line(struct head *h, char *s, size_t n)
{
	char *first = memchr(s, ' ', n);
	char *second = first ? memchr(first + 1, ' ', n - (size_t)(first + 1 - s)) : NULL;
	const char *version = second ? second + 1 : NULL;
	size_t left = version ? n - (size_t)(version - s) : 0;
	int r;

	if (n > HEAD_LINE_BYTES_MAX)
		return -414;
	if (!version || left != strlen("HTTP/1.1") || memcmp(version, "HTTP/", 5) != 0 ||
	    version[6] != '.')
		return -400;
	r = take_method(h, s, (size_t)(first - s));
	if (r)
		return r;
	if (version[5] != '1' || (version[7] != '0' && version[7] != '1'))
		return version[5] >= '0' && version[5] <= '9' ? -505 : -400;
	return take_target(h, first + 1, (size_t)(second - first - 1));
}

/* ---- header fields ----------------------------------------------------------------------------- */

/* Those that are used, or that make a request another one than it seems. Twice is never right. */
enum { HOST, LENGTH, CODING, EXPECT, COOKIE, ORIGIN, AUTHORIZATION, TYPE, FIELDS };

static const char *const names[FIELDS] = {
	[HOST] = "Host",
	[LENGTH] = "Content-Length",
	[CODING] = "Transfer-Encoding",
	[EXPECT] = "Expect",
	[COOKIE] = "Cookie",
	[ORIGIN] = "Origin",
	[AUTHORIZATION] = "Authorization",
	[TYPE] = "Content-Type",
};

/* One line without its end. Cuts the blanks off the value and ends it with NUL. */
static int take_field(const char *found[FIELDS], char *s, size_t n)
{
	char *colon = memchr(s, ':', n), *value, *end = s + n;

	if (!colon || !is_token(s, (size_t)(colon - s))) /* no blank before it, no folded line */
		return -400;
	for (value = colon + 1; value < end && (*value == ' ' || *value == '\t'); value++)
		;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (!is_value(value, (size_t)(end - value)))
		return -400;
	*end = '\0'; /* at the latest on the line's CR */
	*colon = '\0';
	for (int i = 0; i < FIELDS; i++)
		if (strcasecmp(s, names[i]) == 0) {
			if (found[i])
				return -400;
			found[i] = value;
		}
	return 0;
}

/* A name or an address literal with an optional port (RFC 9110, 7.2); never empty. */
static bool is_host(const char *s)
{
	const char *end = s[0] == '[' ? strchr(s, ']') : s + strcspn(s, ":");
	size_t port;

	if (!end || end == s)
		return false;
	for (const char *c = s; c < end; c++)
		if (!is_alnum((unsigned char)*c) && !strchr(s[0] == '[' ? "[:." : ".-_", *c))
			return false;
	if (*end == ']')
		end++;
	return *end == '\0' || (*end == ':' && is_number(end + 1, strlen(end + 1), &port) &&
				port > 0 && port <= 65535);
}

static int judge(struct head *h, const char *const found[FIELDS])
{
	if (!found[HOST] || !is_host(found[HOST]))
		return -400;
	if (found[CODING])
		return found[LENGTH] ? -400 : -501; /* both: the smuggler's pair */
	if (found[EXPECT])
		return -417;
	h->body_bytes = 0;
	if (found[LENGTH] && !is_number(found[LENGTH], strlen(found[LENGTH]), &h->body_bytes))
		return strspn(found[LENGTH], "0123456789") > NUMBER_DIGITS_MAX ? -413 : -400;
	if (h->body_bytes > HEAD_BODY_BYTES_MAX)
		return -413;
	h->host = found[HOST];
	h->cookie = found[COOKIE];
	h->origin = found[ORIGIN];
	h->authorization = found[AUTHORIZATION];
	h->content_type = found[TYPE];
	return 0;
}

/* ---- the whole --------------------------------------------------------------------------------- */

/* The line's end, NULL if it has not come. *bad: a lone CR or LF, or a NUL. */
static char *line_end(char *s, size_t n, bool *bad)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\r' && (i + 1 == n || s[i + 1] == '\n'))
			return i + 1 == n ? NULL : s + i;
		if (s[i] == '\r' || s[i] == '\n' || s[i] == '\0') {
			*bad = true;
			return NULL;
		}
	}
	return NULL;
}

/* Where the head ends, 0: more is to come. Looks at ends of lines only, and changes nothing. */
static int head_end(char *in, size_t n)
{
	size_t at = 0;
	bool bad = false;

	while (at < n && at < HEAD_BYTES_MAX) {
		size_t most = n < HEAD_BYTES_MAX ? n : HEAD_BYTES_MAX;
		const char *end = line_end(in + at, most - at, &bad);

		if (bad)
			return -400;
		if (at == 0 && (end ? (size_t)(end - in) : most) > HEAD_LINE_BYTES_MAX)
			return -414;
		if (!end)
			break;
		if (end == in + at && at == 0) /* an empty line first: RFC 9112 lets us refuse */
			return -400;
		if (end == in + at)
			return (int)at + 2;
		at = (size_t)(end - in) + 2;
	}
	return n >= HEAD_BYTES_MAX ? -431 : 0;
}

int head_parse(struct head *h, char *in, size_t n)
{
	const char *found[FIELDS] = {NULL};
	const int whole = head_end(in, n);
	char *at = in, *stop = in + whole - 2; /* at the empty line */
	int r = 0;

	if (whole <= 0)
		return whole;
	memset(h, 0, sizeof(*h));
	while (at < stop && r == 0) {
		char *end = memchr(at, '\r', (size_t)(stop - at + 1));

		r = at == in ? take_line(h, at, (size_t)(end - at))
			     : take_field(found, at, (size_t)(end - at));
		at = end + 2;
	}
	r = r ? r : judge(h, found);
	return r ? r : whole;
}

bool head_host_is(const char *host, const char *name)
{
	const size_t n = strlen(name);

	return strncasecmp(host, name, n) == 0 && (host[n] == '\0' || host[n] == ':');
}
