/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ends as people type them; a wrong guess would leave a printer open, so all else is refused.
 * Local times are tested in a zone with summer time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "common/when.h"

static int enter_zone(void **state)
{
	(void)state;
	/* Central Europe, spelt out: needs no zone files. */
	if (setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1))
		return -1;
	tzset();
	return 0;
}

static void durations_have_five_units(void **state)
{
	static const struct {
		const char *text;
		uint32_t seconds;
	} good[] = {{"90s", 90},	 {"45m", 2700},
		    {"2h", 7200},	 {"3d", 259200},
		    {"1w", 604800},	 {"1s", 1},
		    {"02h", 7200},	 {"3660d", 316224000},
		    {"522w", 315705600}, {"316224000s", 316224000}};
	struct when w;
	uint32_t s;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(duration_parse(&s, good[i].text, NULL), 0);
		assert_int_equal(s, good[i].seconds);
		assert_int_equal(when_parse(&w, good[i].text, NULL), 0);
		assert_int_equal(w.after, good[i].seconds);
		assert_int_equal(w.at, 0);
	}
}

static void bad_durations_are_refused(void **state)
{
	static const char *const bad[] = {"",
					  "2",
					  "h",
					  "2H",
					  "2 h",
					  "-2h",
					  "+2h",
					  "2.5h",
					  "2hh",
					  "1h30m",
					  "0s",
					  "3661d",
					  "523w",
					  "316224001s",
					  " 2h",
					  "2h ",
					  "2y",
					  "0x2h",
					  "99999999999999999999999d"};
	uint32_t s = 7;
	struct diag d;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(duration_parse(&s, bad[i], &d), ERR_BAD_TIME);
		assert_true(strlen(d.text) > 0);
	}
	assert_int_equal(s, 7);
}

static void dates_mean_local_time_unless_a_zone_is_given(void **state)
{
	static const struct {
		const char *text, *utc;
	} good[] = {
		{"2026-12-24T18:00", "2026-12-24T17:00:00Z"},
		{"2026-12-24 18:00:00", "2026-12-24T17:00:00Z"},
		{"2026-07-24T18:00:30", "2026-07-24T16:00:30Z"}, /* summer time */
		{"2026-12-24T18:00:00Z", "2026-12-24T18:00:00Z"},
		{"2026-12-24t18:00:00z", "2026-12-24T18:00:00Z"},
		{"2026-12-24T18:00:00.250Z", "2026-12-24T18:00:00Z"},
		{"2026-12-24T18:00:00+05:30", "2026-12-24T12:30:00Z"},
		{"2026-12-24T18:00:00-05:00", "2026-12-24T23:00:00Z"},
		{"2026-12-31T23:30:00-01:00", "2027-01-01T00:30:00Z"},
		{"2028-02-29T00:00:00Z", "2028-02-29T00:00:00Z"},
		{"9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"},
	};
	char text[WHEN_TEXT_BYTES];
	struct when w;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(when_parse(&w, good[i].text, NULL), 0);
		assert_int_equal(w.after, 0);
		when_format(text, w.at);
		assert_string_equal(text, good[i].utc);
	}
}

static void a_day_alone_means_its_end(void **state)
{
	char text[WHEN_TEXT_BYTES];
	struct when w;

	(void)state;
	assert_int_equal(when_parse(&w, "2026-12-24", NULL), 0);
	when_format(text, w.at);
	assert_string_equal(text, "2026-12-24T22:59:59Z");
	assert_int_equal(when_parse(&w, "2026-10-25", NULL), 0); /* a day of 25 hours */
	when_format(text, w.at);
	assert_string_equal(text, "2026-10-25T22:59:59Z");
}

static void everything_else_is_refused_and_changes_nothing(void **state)
{
	static const char *const bad[] = {
		"tomorrow",
		"2026-12",
		"2026-13-01",
		"2026-00-10",
		"2026-02-30",
		"2027-02-29",
		"2026-04-31",
		"2026-1-5",
		"26-12-24",
		" 2026-12-24",
		"2026-12-24 ",
		"2026-12-24T",
		"2026-12-24T18",
		"2026-12-24T24:00",
		"2026-12-24T18:60",
		"2026-12-24T18:00:60",
		"2026-12-24T18:00:00.Z",
		"2026-12-24T18:00:00+5",
		"2026-12-24T18:00:00+05",
		"2026-12-24T18:00:00+24:00",
		"2026-12-24T18:00:00Zulu",
		"2026-12-24  18:00",
		"2026/12/24",
		"24.12.2026",
		"1969-12-31",
		"1970-01-01T00:00:00Z", /* zero is kept for "no end" */
		"1970-01-01T00:30:00+01:00",
		"9999-12-31T23:59:59-01:00",
		"99999-01-01",
		"-2026-12-24",
		"1798131600",
		"0s",
		"never",
		"",
	};
	struct when w = {.at = 3, .after = 4};
	struct diag d;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(when_parse(&w, bad[i], &d), ERR_BAD_TIME);
		assert_true(strlen(d.text) > 0);
	}
	assert_int_equal(w.at, 3);
	assert_int_equal(w.after, 4);
}

static void any_number_of_seconds_has_a_text(void **state)
{
	char text[WHEN_TEXT_BYTES];

	(void)state;
	when_format(text, 0);
	assert_string_equal(text, "1970-01-01T00:00:00Z");
	when_format(text, -5);
	assert_string_equal(text, "1970-01-01T00:00:00Z");
	when_format(text, INT64_MAX);
	assert_string_equal(text, "9999-12-31T23:59:59Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_have_five_units),
		cmocka_unit_test(bad_durations_are_refused),
		cmocka_unit_test(dates_mean_local_time_unless_a_zone_is_given),
		cmocka_unit_test(a_day_alone_means_its_end),
		cmocka_unit_test(everything_else_is_refused_and_changes_nothing),
		cmocka_unit_test(any_number_of_seconds_has_a_text),
	};

	return cmocka_run_group_tests_name("when", tests, enter_zone, NULL);
}
