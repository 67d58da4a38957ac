/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time, on a machine that may have no battery clock. A high-water mark of time is kept with each
 * change of the store; what has ended stays ended whatever the clock says later. While the clock is
 * behind the mark and not synchronised, nobody knows how late it is: whatever has an end is closed
 * then. While it is behind and synchronised, it was wrong before, and is right now: time is counted
 * from the mark on, at the clock's pace, so that what has an end has one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

#define CLOCK_AHEAD_MIN 60 /* seconds */
/* Seconds. Ends may be ten years away, and where time_t has 32 bits (Debian 12 on armhf) a timer for then
 * cannot be set from 2028 on. */
#define CLOCK_ALARM_MAX (30 * 86400)

struct core;
struct event;

struct clock {
	int64_t mark;	 /* the latest time ever seen */
	int64_t ahead;	 /* what the clock lacks for good, because it was wrong before: see below */
	int64_t written; /* the mark that the store has */
	int64_t checked; /* ends up to here have been carried out */
	int64_t grant_end; /* of the grants that the kernel was told of, the next; 0: none */
	bool trusted;	   /* as it was when the kernel was last made equal to the store */
	bool was_set;	   /* and on_timer has yet to act on it */
	bool told; /* what the service said of the clock being kept right, which holds … */
	int64_t told_until; /* … until then, ms of CLOCK_MONOTONIC; or until the clock is set */
	int fd;		    /* timerfd on CLOCK_REALTIME; it also tells when the clock is set */
	struct event *event;
};

/* One look at the clock, by which a whole request is judged. */
struct clock_view {
	int64_t wall; /* what the machine's clock says */
	int64_t now;  /* never before the mark */
	bool trusted;
};

/* The rules, apart from where the numbers come from. */
struct clock_view clock_judge(int64_t wall, int64_t mark, int64_t ahead, bool synchronised);
/* How far ahead we count from this look on, being that far until now. A lead of less than
 * CLOCK_AHEAD_MIN is waited for instead: the ends are later by so little, and it is over then. */
int64_t clock_ahead(const struct clock_view *v, int64_t ahead);
/* Has this end passed, or must it be taken as passed? 0 (no end) never has. */
bool clock_ended(const struct clock_view *v, int64_t end);
/* The earlier of two ends, 0 being none. */
int64_t clock_earlier(int64_t a, int64_t b);
/* Seconds left, for a kernel time-out: 0 for no end, otherwise 1 or more. */
uint32_t clock_left(const struct clock_view *v, int64_t end);
/* When, by the machine's clock, the timer must tell: at `next` (0: nothing comes), and at the latest
 * CLOCK_ALARM_MAX from now. */
int64_t clock_alarm(const struct clock_view *v, int64_t next);
/* From what a person gave (struct when; both 0: no end) to a point in time. ERR_BAD_TIME if it has
 * passed, is more than WHEN_DURATION_MAX away, or cannot be counted now. */
int clock_end(const struct clock_view *v, int64_t at, uint32_t after, int64_t *end, struct diag *d)
	__attribute__((warn_unused_result));

/* Reads the mark and makes the timer. */
int clock_open(struct core *c, struct diag *d) __attribute__((warn_unused_result));
void clock_free(struct core *c);
struct clock_view clock_now(struct core *c);
/* Writes the mark; part of every change (commit.c). */
int clock_note(struct core *c, struct diag *d) __attribute__((warn_unused_result));
/* A grant with that end (0: none) is given: when it is over the mark is written. */
void clock_grant(struct core *c, const struct clock_view *v, int64_t end);
/* Sets the timer to the next end of a peer or grant. After each change. */
void clock_arm(struct core *c);

/* The copy's side of printgate-clock@.service: whether the clock is kept right, to whom its standard
 * input is connected (common/synchronised.h). Returns an exit status. */
extern const char clock_verb[];
int clock_main(void);
