/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One enrolment in its steps, for the request of that name and for a whole file of them: filled, put
 * into the store, told to the kernel, and taken back if that refuses.
 */
#pragma once

#include "daemon/core/answer.h"

struct enroll_job {
	const struct request *r;
	struct store_peer peer;
	struct wg_secret secret;
	struct clock_view view;
	struct store_printer *printer; /* those it may reach; ours */
	size_t n, cap;
};

void enroll_free(struct enroll_job *j); /* wipes */
#define auto_enroll __attribute__((cleanup(enroll_free))) struct enroll_job

/* Checks what is asked for, finds its printers in the store, and makes its keys. */
int enroll_fill(struct enroll_job *j, const struct control_enroll *msg, struct diag *d)
	__attribute__((warn_unused_result));

/* The parts of a change (commit.h); the argument is the job. */
int enroll_store(struct core *c, void *arg, struct diag *d) __attribute__((warn_unused_result));
int enroll_undo(struct core *c, void *arg, struct diag *d) __attribute__((warn_unused_result));
void enroll_kernel(struct core *c, void *arg);
