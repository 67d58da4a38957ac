/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * By whole cycles of the calendar into the C library's range, and back.
 */
#include "common/utc.h"

#define CYCLE_YEARS   28
#define CYCLE_SECONDS (86400LL * (CYCLE_YEARS * 365 + CYCLE_YEARS / 4))
#define LAST_SAFE     2145916799LL /* 2037-12-31T23:59:59Z */
#define LAST_SHIFTED  4102444799LL /* 2099-12-31T23:59:59Z: 2100 is no leap year */
#define TM_YEAR(y)    ((y)-1900)   /* as struct tm counts */

bool utc_split(struct tm *out, int64_t at)
{
	const bool shift = at > LAST_SAFE && at <= LAST_SHIFTED;
	int years = 0;
	time_t t;

	for (; shift && at > LAST_SAFE; years += CYCLE_YEARS)
		at -= CYCLE_SECONDS;
	t = (time_t)at;
	if (t != at || !gmtime_r(&t, out))
		return false;
	out->tm_year += years;
	return true;
}

static int64_t join(struct tm *date, time_t (*of)(struct tm *))
{
	const bool shift = date->tm_year > TM_YEAR(2037) && date->tm_year <= TM_YEAR(2099);
	int cycles = 0;
	int64_t at;

	for (; shift && date->tm_year > TM_YEAR(2037); cycles++)
		date->tm_year -= CYCLE_YEARS;
	at = of(date);
	date->tm_year += cycles * CYCLE_YEARS;
	return at < 0 ? at : at + cycles * CYCLE_SECONDS;
}

int64_t utc_join(struct tm *date)
{
	return join(date, timegm);
}

int64_t utc_join_local(struct tm *date)
{
	return join(date, mktime);
}
