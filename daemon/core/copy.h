/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fresh copies of this program for work that would block it, or that it should not do with keys in
 * its memory: looking a name up, hashing a password. A copy has one descriptor of ours and nothing
 * else; it is known by its number until it has been reaped, and can be ended till then.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "common/err.h"

#define COPY_FD	   3  /* of the copy: its end of the line */
#define COPIES_MAX 16 /* of all kinds, not yet reaped */

struct core;
struct event;

struct copies {
	struct event *child; /* SIGCHLD; watched from the first copy on */
	struct copy {
		pid_t pid;
		const char *verb;
	} item[COPIES_MAX];
	unsigned n;
};

/* Runs `printgate-core VERB [ARG]` with `theirs` as COPY_FD; theirs stays the caller's. ERR_LIMIT if
 * there are at_once of that verb already. The verb must stay where it is. */
int copy_start(struct core *c, const char *verb, const char *arg, unsigned at_once, int theirs,
	       pid_t *pid, struct diag *d) __attribute__((warn_unused_result));
void copy_end(struct core *c, pid_t pid); /* nothing, if it has been reaped */
void copies_free(struct core *c);

/* In the copy: limits from which there is no way back, no core file, no new privileges, and of the
 * files only reading, below the folders in `readable` (where the kernel has Landlock). 0, or -1. */
struct copy_bounds {
	unsigned long memory; /* address space, bytes */
	unsigned files;	      /* descriptors */
	unsigned seconds;     /* of time, and of processor time */
	const char *const *readable;
	size_t n_readable;
};
int copy_confine(const struct copy_bounds *b) __attribute__((warn_unused_result));
