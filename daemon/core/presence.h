/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is online, for the log: looks when printgated tells of a handshake and when a peer's time as
 * online runs out, and at no other time.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct core;
struct event;
struct presence_peer;

struct presence {
	struct presence_peer *online; /* sorted by key */
	size_t n;
	struct event *timer; /* when the first of them may have gone offline */
};

int presence_open(struct core *c, struct diag *d) __attribute__((warn_unused_result));
void presence_free(struct core *c);

/* Notes who is online now, without a word to the log: a restart is nobody's arrival. */
void presence_begin(struct core *c);
/* Looks again if printgated has told of a handshake; after each exchange with it. */
void presence_news(struct core *c);
