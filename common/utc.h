/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dates of points in time that a time_t of 32 bits does not hold, which Debian 12 has on armhf: an end of
 * access may be ten years away, and so beyond January 2038. The C library does the rest: the calendar
 * repeats itself after 28 years, as long as no century comes between.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* As gmtime_r(3), for seconds since the epoch until the end of 2099, or as far as time_t goes. */
bool utc_split(struct tm *out, int64_t at);

/* As timegm(3) and mktime(3), with the same bounds. mktime goes by the time zone's rules of 28 years before, as
 * far as they differ. The date is normalised in place. */
int64_t utc_join(struct tm *date);
int64_t utc_join_local(struct tm *date);
