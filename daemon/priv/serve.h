/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What printgated does after start-up: answer core on the privilege line, watch its children and the
 * WireGuard back end, end on a signal.
 */
#pragma once

#include "common/chan.h"
#include "daemon/priv/gate.h"
#include "daemon/priv/notify.h"
#include "daemon/priv/spawn.h"
#include "daemon/priv/watch.h"

enum { SERVE_CORE, SERVE_WEB, SERVE_TLS, SERVE_COMPANIONS }; /* in struct serve */

struct serve {
	struct gate *gate;
	struct notify *notify;
	struct chan core; /* our end of the line */
	struct companion companions[SERVE_COMPANIONS];
	int signals; /* signalfd of SIGTERM, SIGINT, SIGCHLD */
	int legacy;  /* of foreign_legacy_open */
	struct change change;
	struct watch watch; /* opened after the first full change */
	bool watching;
	int64_t handshake_due; /* when to tell core of handshakes; 0: none */
	int64_t handshake_told;
	int64_t hush_due; /* when to end a greeting (wg.h); 0: there was none */
	unsigned seen;	  /* WATCH_ flags not yet acted on */
	int64_t mended;	  /* when we last did, and … */
	unsigned mends;	  /* … how often of late, and … */
	int mend_delay;	  /* … how long to wait before the next time */
	int64_t seen_due; /* when to act, milliseconds of CLOCK_MONOTONIC */
	bool ending;
	int status; /* of the program */
};

/* Blocks SIGTERM, SIGINT and SIGCHLD and makes the descriptor that tells of them; before any fork. */
int serve_signals(int *out, struct diag *d) __attribute__((warn_unused_result));

/* Runs until the end; returns the program's exit status. */
int serve_run(struct serve *s, const struct privmsg_hello *hello);
