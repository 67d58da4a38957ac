/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qr and rekey: a config for a peer that exists. The one that was made at enrolment is shown as
 * long as it is kept; afterwards a config means new keys, and those cut off whoever has the old.
 */
#include "daemon/core/answer.h"

#include "daemon/core/commit.h"
#include "daemon/core/config_text.h"
#include "daemon/core/desired.h"
#include "daemon/core/issue.h"

struct rekey_job {
	const struct request *r;
	const char *why;
	struct store_peer before, after;
	struct wg_secret secret;     /* of `after`, unless it brought its own key */
	struct wg_secret old_secret; /* of `before`, as far as it was still kept */
	bool had_config;
};

static void job_cleanup(struct rekey_job *j)
{
	peer_cleanup(&j->before);
	peer_cleanup(&j->after);
	secret_cleanup(&j->secret);
	secret_cleanup(&j->old_secret);
}
#define auto_job __attribute__((cleanup(job_cleanup))) struct rekey_job

/* ---- new keys ---------------------------------------------------------------------------------- */

static int rekey_store(struct core *c, void *arg, struct diag *d)
{
	const struct rekey_job *j = arg;
	const struct store_peer *p = &j->after;
	int e = store_peer_rekey(c->store, p->id, &p->public_key, &p->preshared, p->own_key, d);

	if (e == 0)
		e = issue_seal(c, p, &j->secret, d);
	return e ? e : commit_note(c, d, j->r->actor, "rekey", &p->name, "%s", j->why);
}

static void rekey_kernel(struct core *c, void *arg)
{
	const struct rekey_job *j = arg;

	desired_peer_del(c, &j->before);
	desired_peer_put(c, &j->after);
}

static int rekey_undo(struct core *c, void *arg, struct diag *d)
{
	const struct rekey_job *j = arg;
	const struct store_peer *p = &j->before;
	int e = store_peer_rekey(c->store, p->id, &p->public_key, &p->preshared, p->own_key, d);

	if (e == 0 && p->first_handshake)
		e = store_peer_connected(c->store, p->id, p->first_handshake, d);
	if (e == 0)
		e = j->had_config ? issue_seal(c, p, &j->old_secret, d)
				  : store_sealed_erase(c->store, p->id, d);
	return e ? e
		 : commit_note(c, d, COMMIT_OURSELVES, "rekey", &p->name,
			       "the kernel refused the new key: the old one again");
}

static int change_keys(struct rekey_job *j, const struct wg_key *own, struct diag *d)
{
	struct core *c = j->r->core;
	const struct clock_view v = clock_now(c);
	struct diag ignored;
	int e = config_possible(&c->gateway, d);

	j->after = j->before;
	j->after.first_handshake = 0;
	j->had_config = issue_unseal(c, &j->before, &j->old_secret, &ignored) == 0;
	if (e == 0)
		e = issue_keys(c, &j->after, own, &j->secret, d);
	if (e == 0)
		e = commit_add(c, rekey_store,
			       desired_peer_open(&v, &j->before) ? rekey_kernel : NULL, rekey_undo,
			       j, d);
	return e;
}

static int rekey(struct rekey_job *j, const struct wg_key *own, struct diag *d)
{
	int e = change_keys(j, own, d);

	if (e == 0)
		e = answer_new_peer(j->r, &j->after, d);
	return e ? e : issue_answer(j->r, &j->after, &j->secret, d);
}

int req_rekey(const struct request *r, const union control_any *msg, struct diag *d)
{
	const struct control_rekey *m = &msg->rekey;
	auto_job j = {.r = r, .why = "new keys; whoever has the old ones is cut off"};
	int e = store_peer_by_name(r->core->store, &m->name, &j.before, d);

	if (e == 0)
		e = answer_peer_ended(r->core, &j.before, d);
	if (e)
		return e;
	if (j.before.own_key && !m->has_public_key)
		return diag_set(d, ERR_CONFLICT,
				"\"%s\" makes its keys itself: give its new public key with "
				"--public-key",
				m->name.s);
	return rekey(&j, m->has_public_key ? &m->public_key : NULL, d);
}

/* ---- qr ---------------------------------------------------------------------------------------- */

static int shown(struct core *c, void *arg, struct diag *d)
{
	const struct rekey_job *j = arg;

	return commit_note(c, d, j->r->actor, "qr", &j->before.name, "its config was shown again");
}

static int show_again(struct rekey_job *j, const struct wg_secret *secret, struct diag *d)
{
	int e = commit_store(j->r->core, shown, j, d);

	if (e == 0)
		e = answer_new_peer(j->r, &j->before, d);
	return e ? e : issue_answer(j->r, &j->before, secret, d);
}

/* Asks the kernel first: a phone that has come meanwhile has its config, and is not to be cut off. */
static int find_fresh(struct rekey_job *j, const struct name *name, struct diag *d)
{
	struct core *c = j->r->core;
	struct control_peer ignored;
	int e = store_peer_by_name(c->store, name, &j->before, d);

	if (e == 0)
		e = answer_peer_ended(c, &j->before, d);
	if (e == 0)
		e = live_refresh(c, 0, d);
	if (e)
		return e;
	live_peer(c, &j->before, &ignored);
	if (j->before.first_handshake == 0)
		j->before.first_handshake = ignored.last_handshake;
	live_settle(c);
	return 0;
}

int req_qr(const struct request *r, const union control_any *msg, struct diag *d)
{
	const struct name *name = &msg->named.name;
	auto_job j = {.r = r,
		      .why = "its config was not kept any more, and it had never connected"};
	auto_secret secret = {0};
	int e = find_fresh(&j, name, d);

	if (e)
		return e;
	if (j.before.own_key)
		return diag_set(d, ERR_NO_CONFIG,
				"\"%s\" makes its keys itself: its private key was never here",
				name->s);
	e = issue_unseal(r->core, &j.before, &secret, d);
	if (e == 0)
		return show_again(&j, &secret, d);
	if (e != ERR_NO_CONFIG)
		return e;
	if (j.before.first_handshake == 0)
		return rekey(&j, NULL, d);
	return diag_set(
		d, ERR_NO_CONFIG,
		"\"%s\" has connected, so its config is not kept any more; `printgate rekey "
		"\"%s\"` makes a new one and cuts off the phone that has the old",
		name->s, name->s);
}

/* ---- a code that was shown for long enough ----------------------------------------------------- */

static int forget_config(struct core *c, void *arg, struct diag *d)
{
	const struct rekey_job *j = arg;

	return store_sealed_erase(c->store, j->before.id, d);
}

int issue_spoil(const struct request *r, const struct name *name, struct diag *d)
{
	auto_job j = {.r = r,
		      .why = "nobody took its code in time: what was shown is worth nothing"};
	int e = find_fresh(&j, name, d);

	if (e == ERR_NOT_FOUND || e == ERR_EXPIRED)
		return 0;
	if (e || j.before.own_key || j.before.first_handshake)
		return e;
	e = change_keys(&j, NULL, d);
	return e ? e : commit_store(r->core, forget_config, &j, d);
}
