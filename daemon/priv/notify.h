/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telling who started us that we are ready, and that we still are: the service manager by
 * sd_notify(3)'s protocol (datagrams to $NOTIFY_SOCKET), a script by a line feed on the descriptor of
 * --ready-fd.
 */
#pragma once

#include <stdint.h>

#include "common/err.h"

struct notify {
	int manager;  /* connected to $NOTIFY_SOCKET, or -1 */
	int ready_fd; /* or -1; closed once told */
	int feed_ms;  /* how often the manager's watchdog is fed; 0: it has none for us */
	int64_t fed;  /* when last, milliseconds of CLOCK_MONOTONIC; 0: not yet */
};

/* Opens both while still root: the manager's socket may be out of reach later. `ready_fd` -1: none.
 * ERR_USAGE: it is not an open descriptor. */
int notify_open(struct notify *n, int ready_fd, struct diag *d) __attribute__((warn_unused_result));
void notify_ready(struct notify *n);
/* Called whenever the loop has come round, `now` being milliseconds of CLOCK_MONOTONIC: feeds the
 * watchdog if it is time. Returns the milliseconds until it is again; -1: never. */
int notify_feed(struct notify *n, int64_t now);
