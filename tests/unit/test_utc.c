/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dates beyond 2037 are those that a time_t of 64 bits gives.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/utc.h"

#define DAY	 86400LL
#define END_2099 4102444799LL

static void same(int64_t at)
{
	const time_t t = at;
	struct tm want, got;

	assert_non_null(gmtime_r(&t, &want));
	assert_true(utc_split(&got, at));
	assert_int_equal(got.tm_year, want.tm_year);
	assert_int_equal(got.tm_mon, want.tm_mon);
	assert_int_equal(got.tm_mday, want.tm_mday);
	assert_int_equal(got.tm_wday, want.tm_wday);
	assert_int_equal(got.tm_hour * 3600 + got.tm_min * 60 + got.tm_sec, (at % DAY + DAY) % DAY);
	assert_int_equal(utc_join(&got), at);
	assert_int_equal(got.tm_year, want.tm_year);
}

static void test_each_day_until_2100(void **state)
{
	(void)state;
	for (int64_t at = 0; at <= END_2099; at += DAY) {
		same(at);
		same(at + DAY - 1);
	}
}

static void test_what_does_not_exist_is_moved(void **state)
{
	struct tm date = {.tm_year = 2041 - 1900, .tm_mon = 1, .tm_mday = 29};

	(void)state;
	assert_int_equal(utc_join(&date), 2245708800LL); /* 2041-03-01: no leap year */
	assert_int_equal(date.tm_mon, 2);
	assert_int_equal(date.tm_mday, 1);
}

static void test_local_time_goes_by_its_rules(void **state)
{
	struct tm summer = {.tm_year = 2045 - 1900, .tm_mon = 6, .tm_mday = 1, .tm_isdst = -1};
	struct tm again = summer;

	(void)state;
	assert_int_equal(setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1), 0);
	tzset();
	assert_int_equal(utc_join_local(&summer), mktime(&again));
	assert_int_equal(summer.tm_isdst, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_day_until_2100),
		cmocka_unit_test(test_what_does_not_exist_is_moved),
		cmocka_unit_test(test_local_time_goes_by_its_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
