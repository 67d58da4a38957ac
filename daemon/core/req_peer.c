/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests about one peer that exists: show, rename, disable, enable, revoke.
 */
#include "daemon/core/answer.h"

#include "daemon/core/commit.h"
#include "daemon/core/desired.h"

struct peer_job {
	const struct request *r;
	const struct name *to; /* rename */
	struct store_peer peer;
	struct grants grants;
};

static void job_cleanup(struct peer_job *j)
{
	peer_cleanup(&j->peer);
	grants_free(&j->grants);
}
#define auto_job __attribute__((cleanup(job_cleanup))) struct peer_job

static int job_find(struct peer_job *j, const struct name *name, struct diag *d)
{
	struct core *c = j->r->core;
	const int e = store_peer_by_name(c->store, name, &j->peer, d);

	return e ? e : grants_of_peer(c, j->peer.id, &j->grants, d);
}

/* Reads the peer again, as it is after a change. */
static int answer_again(const struct peer_job *j, struct diag *d)
{
	auto_peer now = {0};
	const int e = store_peer_by_name(j->r->core->store, j->to ? j->to : &j->peer.name, &now, d);

	return e ? e : answer_peer(j->r, &now, d);
}

int req_peer_show(const struct request *r, const union control_any *msg, struct diag *d)
{
	auto_peer p = {0};
	const int e = store_peer_by_name(r->core->store, &msg->named.name, &p, d);

	return e ? e : answer_peer(r, &p, d);
}

/* ---- rename ------------------------------------------------------------------------------------ */

static int rename_store(struct core *c, void *arg, struct diag *d)
{
	const struct peer_job *j = arg;
	const int e = store_peer_rename(c->store, j->peer.id, j->to, d);

	return e ? e
		 : commit_note(c, d, j->r->actor, "rename", j->to, "was \"%s\"", j->peer.name.s);
}

int req_rename(const struct request *r, const union control_any *msg, struct diag *d)
{
	auto_job j = {.r = r, .to = &msg->rename.to};
	int e = job_find(&j, &msg->rename.name, d);

	if (e == 0)
		e = commit_store(r->core, rename_store, &j, d);
	return e ? e : answer_again(&j, d);
}

/* ---- disable, revoke: the kernel first --------------------------------------------------------- */

static void peer_out(struct core *c, void *arg)
{
	const struct peer_job *j = arg;

	for (size_t i = 0; i < j->grants.n; i++)
		desired_grant_del(c, j->peer.address, j->grants.item[i].vpn);
	desired_peer_del(c, &j->peer);
}

static int disable_store(struct core *c, void *arg, struct diag *d)
{
	const struct peer_job *j = arg;
	const int e = store_peer_disable(c->store, j->peer.id, true, d);

	return e ? e : commit_note(c, d, j->r->actor, "disable", &j->peer.name, "locked out");
}

int req_disable(const struct request *r, const union control_any *msg, struct diag *d)
{
	auto_job j = {.r = r};
	int e = job_find(&j, &msg->named.name, d);

	if (e == 0 && !j.peer.disabled)
		e = commit_remove(r->core, peer_out, disable_store, &j, d);
	return e ? e : answer_again(&j, d);
}

static int revoke_store(struct core *c, void *arg, struct diag *d)
{
	const struct peer_job *j = arg;
	const int e = store_peer_revoke(c->store, j->peer.id, clock_now(c).now, d);

	return e ? e
		 : commit_note(c, d, j->r->actor, "revoke", &j->peer.name,
			       "its key and its grants are gone");
}

/* The answer is the peer as it was, so its items go before the change; an error may follow them. */
int req_revoke(const struct request *r, const union control_any *msg, struct diag *d)
{
	auto_job j = {.r = r};
	int e = job_find(&j, &msg->named.name, d);

	if (e == 0)
		e = answer_peer(r, &j.peer, d);
	if (e == 0)
		e = commit_remove(r->core, peer_out, revoke_store, &j, d);
	if (e)
		return e;
	r->core->peers--;
	r->core->grants -= (uint32_t)j.grants.n;
	return 0;
}

/* ---- enable: the store first ------------------------------------------------------------------- */

static void peer_in(struct core *c, void *arg)
{
	const struct peer_job *j = arg;
	const struct clock_view v = clock_now(c);

	for (size_t i = 0; i < j->grants.n; i++)
		desired_grant_put(c, &v, j->peer.address, j->grants.item[i].vpn,
				  desired_grant_end(j->grants.item[i].expires, j->peer.expires));
	desired_peer_put(c, &j->peer);
}

static int enable_store(struct core *c, void *arg, struct diag *d)
{
	const struct peer_job *j = arg;
	const int e = store_peer_disable(c->store, j->peer.id, false, d);

	return e ? e : commit_note(c, d, j->r->actor, "enable", &j->peer.name, "let in again");
}

static int enable_undo(struct core *c, void *arg, struct diag *d)
{
	const struct peer_job *j = arg;
	const int e = store_peer_disable(c->store, j->peer.id, true, d);

	return e ? e
		 : commit_note(c, d, COMMIT_OURSELVES, "disable", &j->peer.name,
			       "the kernel refused to let it in");
}

int req_enable(const struct request *r, const union control_any *msg, struct diag *d)
{
	auto_job j = {.r = r};
	int e = job_find(&j, &msg->named.name, d);

	if (e == 0)
		e = answer_peer_ended(r->core, &j.peer, d);
	if (e == 0 && j.peer.disabled)
		e = commit_add(r->core, enable_store, peer_in, enable_undo, &j, d);
	return e ? e : answer_again(&j, d);
}
