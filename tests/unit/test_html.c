/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words and numbers for people; values out of forms and cookies.
 */
#include "web/html.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "web/form.h"

#define MINUTE 60
#define HOUR   3600
#define DAY    86400
#define NOW    1796000000 /* 2026-11-30T00:53:20Z */

static void names_are_text(void **state)
{
	auto_free char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	(void)state;
	assert_non_null(out);
	html_text(out, "<a href='x'>\"&amp;\" ü\nevent: end");
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, "&lt;a href=&#39;x&#39;&gt;&quot;&amp;amp;&quot; ü event: end");
}

static void amounts(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{0, "0 B"},
		{999, "999 B"},
		{1000, "1.0 kB"},
		{1999, "1.9 kB"},
		{9999, "9.9 kB"},
		{10000, "10 kB"},
		{999999, "999 kB"},
		{1000000, "1.0 MB"},
		{123456789, "123 MB"},
		{4200000000, "4.2 GB"},
		{UINT64_MAX, "18 EB"},
	};
	char text[HTML_AMOUNT_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		html_amount(text, cases[i].bytes);
		assert_string_equal(text, cases[i].text);
	}
}

static void times_ago(void **state)
{
	static const struct {
		int64_t then;
		const char *text;
	} cases[] = {
		{0, "never"},
		{NOW + 5, "just now"}, /* the clock was set back */
		{NOW - 59, "just now"},
		{NOW - MINUTE, "1 min ago"},
		{NOW - HOUR + 1, "59 min ago"},
		{NOW - HOUR, "1 h ago"},
		{NOW - 47L * HOUR, "47 h ago"},
		{NOW - 2L * DAY, "2 days ago"},
		{1, "20787 days ago"},
	};
	char text[HTML_WHEN_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		html_ago(text, cases[i].then, NOW);
		assert_string_equal(text, cases[i].text);
	}
}

static void ends(void **state)
{
	static const struct {
		int64_t then;
		const char *text;
	} cases[] = {
		{NOW, "ended"},
		{NOW + 30, "30 Nov 00:53 UTC (in under 1 min)"},
		{NOW + 2L * HOUR, "30 Nov 02:53 UTC (in 2 h)"},
		{NOW + 3L * DAY, "3 Dec 00:53 UTC (in 3 days)"},
		{NOW + 400L * DAY, "4 Jan 2028 UTC (in 400 days)"},
		{253402300799, "31 Dec 9999 UTC (in 2912109 days)"},
	};
	char text[HTML_WHEN_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		html_until(text, cases[i].then, NOW);
		assert_string_equal(text, cases[i].text);
	}
}

static void urls(void **state)
{
	static const struct {
		uint8_t protocol;
		uint16_t first, last;
		const char *url;
	} cases[] = {
		{IPPROTO_TCP, 80, 80, "http://10.77.16.2:80/"},
		{IPPROTO_TCP, 443, 443, "https://10.77.16.2:443/"},
		{IPPROTO_TCP, 631, 631, "ipp://10.77.16.2:631/ipp/print"},
		{IPPROTO_TCP, 7125, 7125, "http://10.77.16.2:7125/"},
		{IPPROTO_TCP, 8443, 8443, "https://10.77.16.2:8443/"},
		{IPPROTO_UDP, 80, 80, ""},
		{IPPROTO_TCP, 80, 81, ""},
		{IPPROTO_TCP, 22, 22, ""},
	};
	char url[HTML_URL_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		html_url(url, 0x0a4d1002, cases[i].protocol, cases[i].first, cases[i].last);
		assert_string_equal(url, cases[i].url);
	}
}

static void values_of_forms(void **state)
{
	static const struct {
		const char *form, *value; /* NULL: there is none */
	} cases[] = {
		{"q=a", "a"},
		{"x=1&q=a+b%20c&q=d", "a b c"},
		{"q=%C3%BC%26", "ü&"},
		{"q=", NULL}, /* "" is as good as nothing */
		{"", NULL},
		{"qq=a&xq=b", NULL},
		{"q", NULL},
		{"q=%", NULL},
		{"q=%4", NULL},
		{"q=%zz", NULL},
		{"q=a%00b", NULL},
		{"q=%0a", NULL},
		{"q=%ff", NULL},
		{"q=12345678", NULL}, /* longer than there is room */
		{"q=1234567", "1234567"},
	};
	char value[8];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const bool found = form_value(cases[i].form, "q", value, sizeof(value));

		if (cases[i].value)
			assert_true(found);
		assert_string_equal(value, cases[i].value ? cases[i].value : "");
	}
}

static void cookies_and_bearers(void **state)
{
	static const char hex[] = "00112233445566778899aabbccddeeff";
	char header[200];
	struct web_secret s;

	(void)state;
	(void)snprintf(header, sizeof(header), "a=b; printgate=%s; c", hex);
	assert_true(form_cookie(header, "printgate", &s));
	assert_int_equal(s.bytes[15], 0xff);
	assert_false(form_cookie(header, "rintgate", &s));
	assert_false(form_cookie(header, "a", &s));
	assert_false(form_cookie(NULL, "a", &s));
	(void)snprintf(header, sizeof(header), "printgate=%s0", hex);
	assert_false(form_cookie(header, "printgate", &s));
	(void)snprintf(header, sizeof(header), "bearer %s", hex);
	assert_true(form_bearer(header, &s));
	(void)snprintf(header, sizeof(header), "Basic %s", hex);
	assert_false(form_bearer(header, &s));
	assert_false(form_bearer(NULL, &s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_text),
		cmocka_unit_test(amounts),
		cmocka_unit_test(times_ago),
		cmocka_unit_test(ends),
		cmocka_unit_test(urls),
		cmocka_unit_test(values_of_forms),
		cmocka_unit_test(cookies_and_bearers),
	};

	return cmocka_run_group_tests_name("html", tests, NULL, NULL);
}
