/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes of store and kernel in their right order. Everything that changes rights goes through
 * commit_add or commit_remove; nothing else calls store_commit or priv_commit for a change (the full
 * change of desired.c apart, which changes no store).
 */
#include "daemon/core/commit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/core.h"
#include "daemon/core/desired.h"
#include "daemon/core/priv.h"

int commit_store(struct core *c, commit_store_fn fn, void *arg, struct diag *d)
{
	const int64_t written = c->clock.written;
	int r = store_begin(c->store, d);

	if (r)
		return r;
	r = fn(c, arg, d);
	if (r == 0)
		r = clock_note(c, d);
	if (r == 0)
		r = store_commit(c->store, d);
	if (r) {
		store_rollback(c->store);
		c->clock.written = written;
	}
	return r;
}

static int apply(struct core *c, commit_kernel_fn kernel, void *arg, struct diag *d)
{
	if (!kernel)
		return 0;
	priv_begin(c->priv, (struct privmsg_begin){.full = false});
	kernel(c, arg);
	return priv_commit(c->priv, d);
}

/* A refused change may have been carried out in part. */
static void make_equal(struct core *c, const struct diag *why)
{
	struct diag d = {0};

	if (desired_sync(c, &d))
		core_fatal("%s; and the kernel cannot be made equal to the store: %s", why->text,
			   d.text);
}

int commit_kernel(struct core *c, commit_kernel_fn kernel, void *arg, struct diag *d)
{
	const int r = apply(c, kernel, arg, d);

	if (r)
		make_equal(c, d);
	return r;
}

int commit_add(struct core *c, commit_store_fn store, commit_kernel_fn kernel, commit_store_fn undo,
	       void *arg, struct diag *d)
{
	struct diag again = {0};
	int r = commit_store(c, store, arg, d);

	if (r)
		return r;
	r = apply(c, kernel, arg, d);
	if (r == 0)
		return 0;
	if (commit_store(c, undo, arg, &again))
		core_fatal("%s; and the store cannot take it back: %s", d->text, again.text);
	make_equal(c, d);
	return r;
}

int commit_remove(struct core *c, commit_kernel_fn kernel, commit_store_fn store, void *arg,
		  struct diag *d)
{
	int r = apply(c, kernel, arg, d);

	if (r == 0)
		r = commit_store(c, store, arg, d);
	if (r)
		make_equal(c, d);
	return r;
}

int commit_note(struct core *c, struct diag *d, const char *actor, const char *action,
		const struct name *subject, const char *fmt, ...)
{
	struct control_event e = {.time = clock_now(c).now};
	va_list ap;

	(void)snprintf(e.actor, sizeof(e.actor), "%s", actor);
	(void)snprintf(e.action, sizeof(e.action), "%s", action);
	(void)snprintf(e.subject, sizeof(e.subject), "%s", subject->s);
	va_start(ap, fmt);
	(void)vsnprintf(e.detail, sizeof(e.detail), fmt, ap);
	va_end(ap);
	return store_event_add(c->store, &e, d);
}
