/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Points in time and durations as people type and scripts read them. Seconds since the epoch, UTC.
 */
#pragma once

#include <stdint.h>

#include "common/err.h"

#define WHEN_TEXT_BYTES	  21		      /* "2026-11-01T12:00:00Z" */
#define WHEN_DURATION_MAX (10L * 366 * 86400) /* ten years, seconds */

#define WHEN_MAX 253402300799L /* 9999-12-31T23:59:59Z: the last one that has a text */

/* An end as given by a person: at most one of the two is non-zero; both zero means "no end". */
struct when {
	int64_t at;	/* seconds since the epoch */
	uint32_t after; /* seconds from now, 1..WHEN_DURATION_MAX */
};

/* "90s", "45m", "2h", "3d", "1w". ERR_BAD_TIME. */
int duration_parse(uint32_t *seconds, const char *text, struct diag *d)
	__attribute__((warn_unused_result));
/* A duration, or "2026-12-24", "2026-12-24T18:00", "2026-12-24 18:00:00" (local time), or RFC 3339
 * with Z or an offset. A day alone means its end. ERR_BAD_TIME with a sentence. */
int when_parse(struct when *out, const char *text, struct diag *d)
	__attribute__((warn_unused_result));
/* RFC 3339 in UTC, whole seconds. */
void when_format(char out[WHEN_TEXT_BYTES], int64_t at);
