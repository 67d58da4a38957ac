/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A companion that runs, and its end, which is ours: as our child or in a unit of its own.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#define COMPANION_NONE                                                                             \
	{                                                                                          \
		.life = -1                                                                         \
	}

struct companion {
	const char *name;
	pid_t pid; /* our child; 0: it is none, or does not run */
	int life;  /* in a unit of its own: its end of file is the companion's end; else -1 */
};

/* After SIGCHLD: has this child ended? Then it is said in the log. */
bool companion_child_ended(struct companion *c);

/* There is something to read from `life`, so it has ended: says so in the log. */
void companion_unit_ended(struct companion *c);

/* Ends one that is not wanted after all. */
void companion_end(struct companion *c);
