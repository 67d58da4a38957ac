/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lock and unlock. Locking takes rights away, so the kernel comes first and the store after it;
 * unlocking gives them back, so the store comes first. Either way the kernel gets a full change:
 * without any grant, or as the store says. Where one of the two fails, the gate is shut rather than
 * as it was: a full disk does not make a panic switch open again.
 */
#include "daemon/core/lock.h"

#include <stdio.h>
#include <string.h>

#include "daemon/core/answer.h"
#include "daemon/core/commit.h"
#include "daemon/core/desired.h"

#define LOCKED_KEY "locked" /* "" is no, else LOCKED_YES and the reason */
#define LOCKED_YES ':'

/* A switch as it is or is to be. */
struct lock {
	const char *actor;
	bool on;
	char reason[CONTROL_REASON_BYTES];
};

static struct lock lock_now(const struct core *c)
{
	struct lock l = {.on = c->locked};

	(void)snprintf(l.reason, sizeof(l.reason), "%s", c->lock_reason);
	return l;
}

static void lock_take(struct core *c, const struct lock *l)
{
	c->locked = l->on;
	(void)snprintf(c->lock_reason, sizeof(c->lock_reason), "%s", l->reason);
}

int lock_open(struct core *c, struct diag *d)
{
	char kept[1 + CONTROL_REASON_BYTES] = "";
	const int r = store_meta_get(c->store, LOCKED_KEY, kept, sizeof(kept), d);

	if (r && r != ERR_NOT_FOUND)
		return r;
	c->locked = c->lock_kept = kept[0] == LOCKED_YES;
	if (c->locked)
		(void)snprintf(c->lock_reason, sizeof(c->lock_reason), "%s", kept + 1);
	return 0;
}

static int lock_store(struct core *c, void *arg, struct diag *d)
{
	static const struct name all = {"all printers"};
	const struct lock *l = arg;
	char value[1 + CONTROL_REASON_BYTES] = "";
	int r;

	if (l->on)
		(void)snprintf(value, sizeof(value), "%c%s", LOCKED_YES, l->reason);
	r = store_meta_set(c->store, LOCKED_KEY, value, d);
	if (r)
		return r;
	if (!l->on)
		return commit_note(c, d, l->actor, "unlock", &all, "open again as granted");
	return commit_note(c, d, l->actor, "lock", &all, "nobody reaches any printer%s%s",
			   l->reason[0] ? ": " : "", l->reason);
}

/* The kernel as the store says, or as it is about to say. Out of step, only a restart repairs. */
static void lock_back(struct core *c, const struct lock *was, const struct diag *why)
{
	struct diag again = {0};

	lock_take(c, was);
	if (desired_sync(c, &again))
		core_fatal("%s; and the kernel cannot be made equal to the store: %s", why->text,
			   again.text);
}

/* Also where it is locked already: nobody who pulls this switch is told "it was". A kernel that refused
 * is asked once more, when the store says what it is to be like after a restart. */
static int lock_shut(struct core *c, struct lock *now, bool news, struct diag *d)
{
	struct diag why = {0}, again = {0};
	const int refused = desired_sync(c, &why);
	const int lost = news ? commit_store(c, lock_store, now, d) : 0;

	c->lock_kept |= !lost;
	if (refused && desired_sync(c, &again))
		core_fatal("%s; and the kernel cannot be made equal to the store: %s", why.text,
			   again.text);
	if (!lost)
		return 0;
	why = *d;
	return diag_set(
		d, (enum err)lost,
		"every printer is closed, but a restart would open them again, because that "
		"could not be written down: %.200s. Then lock once more",
		why.text);
}

int req_lock(const struct request *r, const union control_any *msg, struct diag *d)
{
	struct core *c = r->core;
	const struct lock was = lock_now(c);
	struct lock now = {.actor = r->actor, .on = true};
	int e;

	if (!utf8_is_line(msg->lock.reason, strlen(msg->lock.reason)))
		return diag_set(d, ERR_USAGE, "the reason must be one line of plain text");
	(void)snprintf(now.reason, sizeof(now.reason), "%s", msg->lock.reason);
	lock_take(c, &now);
	e = lock_shut(c, &now, !c->lock_kept || strcmp(was.reason, now.reason) != 0, d);
	if (e)
		return e;
	answer_gateway(r);
	return 0;
}

int req_unlock(const struct request *r, const union control_any *msg, struct diag *d)
{
	struct core *c = r->core;
	struct lock was = lock_now(c);
	struct lock now = {.actor = r->actor};
	struct diag again = {0};
	int e = 0;

	(void)msg;
	if (was.on) {
		e = commit_store(c, lock_store, &now, d);
		if (e)
			return e;
		c->lock_kept = false;
		lock_take(c, &now);
		e = desired_sync(c, d);
	}
	if (e) {
		was.actor = COMMIT_OURSELVES;
		if (commit_store(c, lock_store, &was, &again))
			core_fatal("%s; and the store cannot take it back: %s", d->text,
				   again.text);
		c->lock_kept = true;
		lock_back(c, &was, d);
		return e;
	}
	answer_gateway(r);
	return 0;
}
