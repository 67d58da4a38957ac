/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * allow and deny: one peer, one printer.
 */
#include "daemon/core/answer.h"

#include "common/when.h"
#include "daemon/core/commit.h"
#include "daemon/core/desired.h"

struct grant_job {
	const struct request *r;
	struct store_peer peer;
	struct store_printer printer;
	struct clock_view view;
	int64_t end;
	bool had;	 /* there was a grant already … */
	int64_t had_end; /* … with this end */
};

static void job_cleanup(struct grant_job *j)
{
	peer_cleanup(&j->peer);
}
#define auto_job __attribute__((cleanup(job_cleanup))) struct grant_job

static int job_find(struct grant_job *j, const struct control_allow *msg, struct diag *d)
{
	struct core *c = j->r->core;
	auto_grants grants = {0};
	int e = store_peer_by_name(c->store, &msg->peer, &j->peer, d);

	j->view = clock_now(c);
	if (e == 0)
		e = answer_find_printer(c, &msg->printer, &j->printer, d);
	if (e == 0)
		e = grants_of_peer(c, j->peer.id, &grants, d);
	if (e)
		return e;
	for (size_t i = 0; i < grants.n; i++) {
		if (grants.item[i].printer_id != j->printer.id)
			continue;
		j->had = true;
		j->had_end = grants.item[i].expires;
	}
	return 0;
}

static void allow_kernel(struct core *c, void *arg)
{
	const struct grant_job *j = arg;

	desired_grant_put(c, &j->view, j->peer.address, j->printer.vpn,
			  desired_grant_end(j->end, j->peer.expires));
}

static int allow_note(struct core *c, const struct grant_job *j, struct diag *d)
{
	char end[WHEN_TEXT_BYTES];

	when_format(end, j->end);
	return commit_note(c, d, j->r->actor, "allow", &j->peer.name, "may reach \"%s\"%s%s",
			   j->printer.name.s, j->end ? " until " : "", j->end ? end : "");
}

static int allow_store(struct core *c, void *arg, struct diag *d)
{
	const struct grant_job *j = arg;
	const int e = store_grant_put(c->store, j->peer.id, j->printer.id, j->end, j->view.now, d);

	return e ? e : allow_note(c, j, d);
}

static int allow_undo(struct core *c, void *arg, struct diag *d)
{
	const struct grant_job *j = arg;
	const int e = j->had ? store_grant_put(c->store, j->peer.id, j->printer.id, j->had_end,
					       j->view.now, d)
			     : store_grant_delete(c->store, j->peer.id, j->printer.id, d);

	return e ? e
		 : commit_note(c, d, COMMIT_OURSELVES, "deny", &j->peer.name,
			       "the kernel refused: as before with \"%s\"", j->printer.name.s);
}

int req_allow(const struct request *r, const union control_any *msg, struct diag *d)
{
	struct core *c = r->core;
	auto_job j = {.r = r};
	int e = job_find(&j, &msg->allow, d);

	if (e == 0)
		e = answer_peer_ended(c, &j.peer, d);
	if (e == 0)
		e = clock_end(&j.view, msg->allow.expires_at, msg->allow.expires_after, &j.end, d);
	if (e == 0 && !j.had)
		e = answer_grant_room(c, 1, d);
	if (e == 0)
		e = commit_add(c, allow_store, j.peer.disabled ? NULL : allow_kernel, allow_undo,
			       &j, d);
	if (e)
		return e;
	c->grants += !j.had;
	return answer_peer(r, &j.peer, d);
}

/* ---- deny -------------------------------------------------------------------------------------- */

static void deny_kernel(struct core *c, void *arg)
{
	const struct grant_job *j = arg;

	desired_grant_del(c, j->peer.address, j->printer.vpn);
}

static int deny_store(struct core *c, void *arg, struct diag *d)
{
	const struct grant_job *j = arg;
	const int e = store_grant_delete(c->store, j->peer.id, j->printer.id, d);

	return e ? e
		 : commit_note(c, d, j->r->actor, "deny", &j->peer.name,
			       "may not reach \"%s\" any more", j->printer.name.s);
}

/* What was never granted is denied already: no error, and nothing to note. */
int req_deny(const struct request *r, const union control_any *msg, struct diag *d)
{
	auto_job j = {.r = r};
	int e = job_find(&j, &msg->allow, d);

	if (e == 0 && j.had)
		e = commit_remove(r->core, deny_kernel, deny_store, &j, d);
	if (e)
		return e;
	r->core->grants -= j.had;
	return answer_peer(r, &j.peer, d);
}
