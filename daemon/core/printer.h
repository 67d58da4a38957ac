/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A new printer in its steps, for the request of that name, for one given by a name that was looked
 * up, and for a whole file of them.
 */
#pragma once

#include "daemon/core/answer.h"

struct printer_job {
	const struct request *r;
	struct store_printer printer;
};

/* Checks what is asked for. ERR_BAD_ADDRESS, ERR_LIMIT. A host name is not looked up. */
int printer_fill(struct core *c, struct store_printer *p, const struct control_printer_add *msg,
		 struct diag *d) __attribute__((warn_unused_result));

/* The parts of a change (commit.h); the argument is the job. */
int printer_store(struct core *c, void *arg, struct diag *d) __attribute__((warn_unused_result));
int printer_undo(struct core *c, void *arg, struct diag *d) __attribute__((warn_unused_result));
void printer_kernel(struct core *c, void *arg);

/* All of them, and the answer. */
int printer_add(const struct request *r, const struct store_printer *p, struct diag *d)
	__attribute__((warn_unused_result));
