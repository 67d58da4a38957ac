/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * enroll: one peer, its grants and its config, in one transaction, then one change of the kernel.
 * Neither the other peers nor the rules are read or rewritten. (Showing the config again, and new
 * keys: req_config.c.)
 */
#include "daemon/core/enroll.h"

#include <stdlib.h>

#include "common/mem.h"
#include "common/when.h"
#include "daemon/core/commit.h"
#include "daemon/core/config_text.h"
#include "daemon/core/desired.h"
#include "daemon/core/issue.h"

#define CURSOR_KEY "peer_cursor" /* the address given last */

void enroll_free(struct enroll_job *j)
{
	peer_cleanup(&j->peer);
	secret_cleanup(&j->secret);
	free(j->printer);
}

/* ---- what is asked for ------------------------------------------------------------------------- */

static int add_printer(void *arg, const struct store_printer *p)
{
	struct enroll_job *j = arg;

	for (size_t i = 0; i < j->n; i++)
		if (j->printer[i].id == p->id)
			return 0;
	j->printer = mem_grow(j->printer, &j->cap, j->n + 1, sizeof(*j->printer));
	j->printer[j->n++] = *p;
	return 0;
}

static int job_printers(struct enroll_job *j, const struct control_enroll *msg, struct diag *d)
{
	struct core *c = j->r->core;
	struct store_printer p;
	int e = 0;

	if (msg->all_printers)
		return store_printer_each(c->store, add_printer, j, d);
	for (unsigned i = 0; e == 0 && i < msg->printers.count; i++) {
		e = answer_find_printer(c, &msg->printers.item[i], &p, d);
		if (e == 0)
			e = add_printer(j, &p);
	}
	return e;
}

static int job_room(const struct enroll_job *j, struct diag *d)
{
	if (j->r->core->peers >= CORE_PEERS_MAX)
		return diag_set(d, ERR_LIMIT, "a gateway holds at most %d peers", CORE_PEERS_MAX);
	return answer_grant_room(j->r->core, j->n, d);
}

int enroll_fill(struct enroll_job *j, const struct control_enroll *msg, struct diag *d)
{
	struct core *c = j->r->core;
	int e = config_possible(&c->gateway, d);

	j->view = clock_now(c);
	j->peer.name = msg->name;
	j->peer.created = j->view.now;
	if (e == 0)
		e = clock_end(&j->view, msg->expires_at, msg->expires_after, &j->peer.expires, d);
	if (e == 0)
		e = job_printers(j, msg, d);
	if (e == 0)
		e = job_room(j, d);
	if (e == 0)
		e = issue_keys(c, &j->peer, msg->has_public_key ? &msg->public_key : NULL,
			       &j->secret, d);
	return e;
}

/* ---- the store --------------------------------------------------------------------------------- */

/* The next address after the one given last: an address comes back as late as possible. */
static int next_address(struct core *c, uint32_t *out, struct diag *d)
{
	const struct prefix4 t = c->gateway.tunnel;
	char text[IP4_TEXT_BYTES];
	uint32_t last = tunnel_first_peer(t); /* so that .0 is given out last */
	int e = store_meta_get(c->store, CURSOR_KEY, text, sizeof(text), d);

	if (e && e != ERR_NOT_FOUND)
		return e;
	if (e == 0 && ip4_parse(&last, text))
		return diag_set(d, ERR_STORE, "the store's mark of addresses is damaged");
	e = store_peer_free_address(c->store, tunnel_first_peer(t), tunnel_last_peer(t), last, out,
				    d);
	if (e)
		return e;
	ip4_format(text, *out);
	return store_meta_set(c->store, CURSOR_KEY, text, d);
}

static int put_grants(struct core *c, const struct enroll_job *j, struct diag *d)
{
	int e = 0;

	for (size_t i = 0; e == 0 && i < j->n; i++)
		e = store_grant_put(c->store, j->peer.id, j->printer[i].id, 0, j->view.now, d);
	return e;
}

static int note(struct core *c, const struct enroll_job *j, struct diag *d)
{
	char address[IP4_TEXT_BYTES], end[WHEN_TEXT_BYTES];

	ip4_format(address, j->peer.address);
	when_format(end, j->peer.expires);
	return commit_note(c, d, j->r->actor, "enroll", &j->peer.name,
			   "address %s, %zu printer%s%s%s%s", address, j->n, j->n == 1 ? "" : "s",
			   j->peer.own_key ? ", its own key" : "",
			   j->peer.expires ? ", until " : "", j->peer.expires ? end : "");
}

int enroll_store(struct core *c, void *arg, struct diag *d)
{
	struct enroll_job *j = arg;
	int e = next_address(c, &j->peer.address, d);

	if (e == 0)
		e = store_peer_insert(c->store, &j->peer, d);
	if (e == 0)
		e = put_grants(c, j, d);
	if (e == 0)
		e = issue_seal(c, &j->peer, &j->secret, d);
	return e ? e : note(c, j, d);
}

int enroll_undo(struct core *c, void *arg, struct diag *d)
{
	const struct enroll_job *j = arg;
	const int e = store_peer_revoke(c->store, j->peer.id, clock_now(c).now, d);

	return e ? e
		 : commit_note(c, d, COMMIT_OURSELVES, "revoke", &j->peer.name,
			       "the kernel refused it");
}

/* ---- the kernel -------------------------------------------------------------------------------- */

void enroll_kernel(struct core *c, void *arg)
{
	const struct enroll_job *j = arg;

	for (size_t i = 0; i < j->n; i++)
		desired_grant_put(c, &j->view, j->peer.address, j->printer[i].vpn, j->peer.expires);
	desired_peer_put(c, &j->peer);
}

int req_enroll(const struct request *r, const union control_any *msg, struct diag *d)
{
	struct core *c = r->core;
	auto_enroll j = {.r = r};
	int e = enroll_fill(&j, &msg->enroll, d);

	if (e == 0)
		e = commit_add(c, enroll_store, enroll_kernel, enroll_undo, &j, d);
	if (e)
		return e;
	c->peers++;
	c->grants += (uint32_t)j.n;
	e = answer_new_peer(r, &j.peer, d);
	return e ? e : issue_answer(r, &j.peer, &j.secret, d);
}
