/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of printgate-core share: one struct, made by main.c, and the bounds of what one
 * gateway holds.
 */
#pragma once

#include <event2/event.h>
#include <sys/types.h>

#include "common/privmsg.h"
#include "daemon/core/clock.h"
#include "daemon/core/copy.h"
#include "daemon/core/findings.h"
#include "daemon/core/live.h"
#include "daemon/core/moving.h"
#include "daemon/core/password.h"
#include "daemon/core/presence.h"
#include "daemon/core/provision.h"
#include "daemon/core/reach.h"
#include "daemon/core/web.h"
#include "db/store.h"

/* Chosen so that a full change never has more than PRIV_ITEMS_MAX items (desired.c asserts it). */
#define CORE_PRINTERS_MAX 1024
#define CORE_PEERS_MAX	  20000
#define CORE_GRANTS_MAX	  200000

struct priv;
struct seal;
struct clients;

struct core {
	struct event_base *base;
	struct store *store;
	struct priv *priv;
	struct seal *seal;
	struct clients *clients;
	struct clock clock;
	struct live live;
	struct presence presence;
	struct copies copies;
	struct moving moving;
	struct reaches reach;
	struct findings findings;
	struct passwords passwords;
	struct web web;
	struct provision provision;
	struct named_job *named;      /* requests that wait for a look-up */
	struct privmsg_hello gateway; /* what printgated told at the start */
	int64_t started;	      /* CLOCK_MONOTONIC, seconds */
	/* How many there are: counted by each full change, kept by what adds and removes. */
	uint32_t printers, peers, grants;
	/* The panic switch, as the store says or is about to say: then no grant is told to the kernel. */
	bool locked;
	bool lock_kept; /* the store says so, too */
	char lock_reason[CONTROL_REASON_BYTES];
};

/* Logs the sentence and ends the process: where store and kernel cannot be made equal any more, a
 * restart is the repair. */
void core_fatal(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Seconds since this process started. */
uint64_t core_uptime(const struct core *c);
/* Milliseconds of a clock that never goes back and runs on while the machine sleeps. */
int64_t core_ms(void);
