/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two orders in which store and kernel are changed, each in one place. What is added is
 * committed first and applied then; what is taken away is applied first and committed then. So a
 * crash at any point leaves no more rights than were acknowledged.
 */
#pragma once

#include "common/name.h"
#include "common/err.h"

struct core;

#define COMMIT_OURSELVES "printgate" /* actor of what no person asked for */

/* The part in the store: runs inside one transaction. */
typedef int (*commit_store_fn)(struct core *c, void *arg, struct diag *d);
/* The part in the kernel: only sends items (priv_item), between begin and commit. */
typedef void (*commit_kernel_fn)(struct core *c, void *arg);

/* One transaction: fn, the clock's mark, commit; rolled back on any error. */
int commit_store(struct core *c, commit_store_fn fn, void *arg, struct diag *d)
	__attribute__((warn_unused_result));

/* Store, then kernel (NULL: nothing to do there). If the kernel refuses, `undo` takes the change
 * back in the store, the kernel is made equal to it, and the kernel's sentence is the error. If that
 * fails as well the process ends. */
int commit_add(struct core *c, commit_store_fn store, commit_kernel_fn kernel, commit_store_fn undo,
	       void *arg, struct diag *d) __attribute__((warn_unused_result));

/* Kernel (NULL: nothing to do there), then store. If either fails the kernel is made equal to the
 * store, which is unchanged. */
int commit_remove(struct core *c, commit_kernel_fn kernel, commit_store_fn store, void *arg,
		  struct diag *d) __attribute__((warn_unused_result));

/* A change of the kernel alone, for a while: what is in the store is put back by whoever asks for it,
 * or by the next full change. */
int commit_kernel(struct core *c, commit_kernel_fn kernel, void *arg, struct diag *d)
	__attribute__((warn_unused_result));

/* Adds an event; inside a change's store part. Never put a secret into the detail. */
int commit_note(struct core *c, struct diag *d, const char *actor, const char *action,
		const struct name *subject, const char *fmt, ...)
	__attribute__((warn_unused_result, format(printf, 6, 7)));
