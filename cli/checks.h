/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists of checks, each with its result, a sentence and the command that helps: what doctor and
 * image-check answer with.
 */
#pragma once

#include "cli/cli.h"
#include "common/control.h"

struct checks {
	struct cli *cli;
	bool any; /* put already */
};

void checks_begin(struct checks *k);
/* One that failed makes the exit status 1. */
int checks_put(struct checks *k, const struct control_check *c, struct diag *d)
	__attribute__((warn_unused_result));
void checks_end(struct checks *k);
