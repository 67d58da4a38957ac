/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What core tells the page: one question (CTL_WEB_VIEW) with the viewer's address, one view as the
 * answer. Core decides who the viewer is; nothing about other peers but their number ever reaches
 * this process.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/control.h"

#define VIEW_PRINTERS_MAX 64   /* shown to one viewer; the rest are counted */
#define ASK_TIMEOUT_MS	  500  /* core answers within a millisecond, or has a reason */
#define ASK_KEEP_MS	  1000 /* a view is good for so long */
#define ASK_KEPT	  16   /* viewers whose views are kept */

struct view_printer {
	struct control_printer printer;
	bool granted;	 /* shown only then */
	int64_t expires; /* of the grant; 0: no end */
};

struct view {
	struct control_gateway gateway;
	struct control_counts counts;
	bool known; /* the viewer is an enrolled peer, by its tunnel address */
	struct control_peer peer;
	size_t count;	/* of printer[] */
	size_t omitted; /* granted printers beyond VIEW_PRINTERS_MAX */
	struct view_printer printer[VIEW_PRINTERS_MAX];
};

struct ask;

/* `core` is the inherited socketpair; it stays the caller's. */
struct ask *ask_new(int core) __attribute__((returns_nonnull));
void ask_free(struct ask *a); /* NULL is allowed */

/* The view for whoever looks from this address (the port is ignored; family 0: nobody in
 * particular), at most ASK_KEEP_MS old. *out is valid until the next call. ERR_UNREACHABLE: core
 * did not answer in time, or a moment ago did not; ERR_PROTOCOL: it answered nonsense. */
int ask_view(struct ask *a, const struct endpoint *viewer, const struct view **out, struct diag *d)
	__attribute__((warn_unused_result));

/* To be called when the socketpair is readable outside ask_view: reads what is left of an answer
 * that came too late. ERR_UNREACHABLE: core has gone; ERR_PROTOCOL: it speaks unasked. */
int ask_idle(struct ask *a, struct diag *d) __attribute__((warn_unused_result));
