/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole file of printers and peers: told piece by piece, then carried out in one transaction and one
 * change of the kernel, or not at all. It is kept by the file's hash which was the last, so that a
 * power cut at any point has the same file tried again, and the same file twice does nothing.
 */
#include "daemon/core/provision.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/mem.h"
#include "daemon/core/commit.h"
#include "daemon/core/enroll.h"
#include "daemon/core/issue.h"
#include "daemon/core/printer.h"

/* What a client has told so far, and what became of it. */
struct bundle {
	const struct client *client;
	const struct request *r; /* COMMIT */
	struct control_provision head;
	char code[CONTROL_CODE_BYTES]; /* the next one */
	struct control_printer_add *printer;
	struct control_provision_peer *peer;
	size_t printers, printer_cap, peers, peer_cap;
	struct printer_job *added;
	struct enroll_job *enrolled;
	size_t added_n, enrolled_n; /* so many of them are in the store */
};

static void bundle_free(struct core *c)
{
	struct bundle *b = c->provision.bundle;

	if (!b)
		return;
	c->provision.bundle = NULL;
	for (size_t i = 0; b->enrolled && i < b->peers; i++)
		enroll_free(&b->enrolled[i]);
	free(b->enrolled);
	free(b->added);
	free(b->peer);
	free(b->printer);
	free(b);
}

void provision_free(struct core *c)
{
	bundle_free(c);
}

void provision_forget(struct core *c, const struct client *cl)
{
	if (c->provision.bundle && c->provision.bundle->client == cl)
		bundle_free(c);
}

/* ---- telling ----------------------------------------------------------------------------------- */

/* Who can put a file where provisioning looks for it cannot, by that alone, add a peer to a gateway
 * that is in use. */
static int may_add(const struct core *c, const char *code, struct diag *d)
{
	if (!c->peers)
		return 0;
	if (strlen(code) == strlen(c->provision.code) &&
	    !sodium_memcmp(code, c->provision.code, strlen(code)))
		return 0;
	return diag_set(
		d, ERR_CONFLICT,
		code[0] ? "the code in the file is not this gateway's: `printgate status` "
			  "shows it, and it is another one after each use"
			: "this gateway has peers already, so the file needs the line "
			  "\"code = …\" under [provision]; `printgate status` shows the code");
}

int req_provision_begin(const struct request *r, const union control_any *msg, struct diag *d)
{
	struct core *c = r->core;
	struct control_provision_begun begun = {0};
	int e = provision_applied(c, msg->provision.hash, &begun.applied, d);

	if (e == 0 && !begun.applied)
		e = may_add(c, msg->provision.code, d);
	if (e)
		return e;
	if (c->provision.bundle && c->provision.bundle->client != r->client)
		return diag_set(d, ERR_CONFLICT, "another file is being applied just now");
	bundle_free(c);
	if (!begun.applied) {
		c->provision.bundle = mem_zalloc(1, sizeof(*c->provision.bundle));
		c->provision.bundle->client = r->client;
		c->provision.bundle->head = msg->provision;
	}
	request_item(r, CTL_PROVISION_BEGUN, &begun);
	return 0;
}

/* The client's own, or NULL with a sentence. */
static struct bundle *bundle_of(const struct request *r, struct diag *d)
{
	struct bundle *b = r->core->provision.bundle;

	if (b && b->client == r->client)
		return b;
	(void)diag_set(d, ERR_USAGE, "no file has been begun");
	return NULL;
}

static int bundle_room(size_t n, const char *what, struct diag *d)
{
	if (n < PROVISION_ITEMS_MAX)
		return 0;
	return diag_set(d, ERR_LIMIT, "a file holds at most %d %s", PROVISION_ITEMS_MAX, what);
}

int req_provision_printer(const struct request *r, const union control_any *msg, struct diag *d)
{
	struct bundle *b = bundle_of(r, d);

	if (!b || bundle_room(b->printers, "printers", d))
		return d->code;
	if (msg->printer_add.host.s[0])
		return diag_set(d, ERR_BAD_ADDRESS,
				"a printer in a file is given by its address: there may be no "
				"network yet in which a name could be looked up");
	b->printer = mem_grow(b->printer, &b->printer_cap, b->printers + 1, sizeof(*b->printer));
	b->printer[b->printers++] = msg->printer_add;
	return 0;
}

int req_provision_peer(const struct request *r, const union control_any *msg, struct diag *d)
{
	struct bundle *b = bundle_of(r, d);

	if (!b || bundle_room(b->peers, "peers", d))
		return d->code;
	b->peer = mem_grow(b->peer, &b->peer_cap, b->peers + 1, sizeof(*b->peer));
	b->peer[b->peers++] = msg->provision_peer;
	return 0;
}

/* ---- carrying it out --------------------------------------------------------------------------- */

/* Of which section of the file the sentence is. */
static int in_section(const char *kind, const struct name *name, int code, struct diag *d)
{
	const struct diag why = *d;

	return diag_set(d, (enum err)code, "[%s %s]: %.300s", kind, name->s, why.text);
}

static int store_printers(struct core *c, struct bundle *b, struct diag *d)
{
	for (size_t i = 0; i < b->printers; i++) {
		struct printer_job *j = &b->added[i];
		int e;

		j->r = b->r;
		e = printer_fill(c, &j->printer, &b->printer[i], d);
		if (e == 0)
			e = printer_store(c, j, d);
		if (e)
			return in_section("printer", &b->printer[i].name, e, d);
		b->added_n++;
		c->printers++;
	}
	return 0;
}

static int store_peers(struct core *c, struct bundle *b, struct diag *d)
{
	for (size_t i = 0; i < b->peers; i++) {
		struct enroll_job *j = &b->enrolled[i];
		int e;

		j->r = b->r;
		e = enroll_fill(j, &b->peer[i].enroll, d);
		if (e == 0)
			e = enroll_store(c, j, d);
		if (e)
			return in_section("enroll", &b->peer[i].enroll.name, e, d);
		b->enrolled_n++;
		c->peers++;
		c->grants += (uint32_t)j->n;
	}
	return 0;
}

static int store_claims(struct core *c, const struct bundle *b, struct diag *d)
{
	int e = 0;

	for (size_t i = 0; e == 0 && i < b->peers; i++) {
		const struct store_claim claim = {b->enrolled[i].peer.id, b->peer[i].show,
						  b->head.minutes};

		if (claim.show && !b->peer[i].enroll.has_public_key)
			e = store_claim_put(c->store, &claim, d);
	}
	return e;
}

static int bundle_store(struct core *c, void *arg, struct diag *d)
{
	struct bundle *b = arg;
	int e = store_printers(c, b, d);

	if (e == 0)
		e = store_peers(c, b, d);
	if (e == 0)
		e = store_claims(c, b, d);
	return e ? e : provision_note(c, b->head.hash, b->code, d);
}

static void bundle_kernel(struct core *c, void *arg)
{
	struct bundle *b = arg;

	for (size_t i = 0; i < b->added_n; i++)
		printer_kernel(c, &b->added[i]);
	for (size_t i = 0; i < b->enrolled_n; i++)
		enroll_kernel(c, &b->enrolled[i]);
}

static int undo_peer(struct core *c, struct enroll_job *j, struct diag *d)
{
	const int e = store_claim_delete(c->store, j->peer.id, d);

	return e ? e : enroll_undo(c, j, d);
}

static int bundle_undo(struct core *c, void *arg, struct diag *d)
{
	struct bundle *b = arg;
	int e = 0;

	for (size_t i = b->enrolled_n; e == 0 && i > 0; i--)
		e = undo_peer(c, &b->enrolled[i - 1], d);
	for (size_t i = b->added_n; e == 0 && i > 0; i--)
		e = printer_undo(c, &b->added[i - 1], d);
	return e ? e : provision_note(c, "", b->code, d);
}

static int bundle_carry_out(struct core *c, struct bundle *b, struct diag *d)
{
	const uint32_t printers = c->printers, peers = c->peers, grants = c->grants;
	int e;

	b->added = mem_zalloc(b->printers + 1, sizeof(*b->added));
	b->enrolled = mem_zalloc(b->peers + 1, sizeof(*b->enrolled));
	e = commit_add(c, bundle_store, bundle_kernel, bundle_undo, b, d);
	if (e == 0) {
		provision_renewed(c, b->code);
		return 0;
	}
	c->printers = printers;
	c->peers = peers;
	c->grants = grants;
	return e;
}

int req_provision_commit(const struct request *r, const union control_any *msg, struct diag *d)
{
	struct core *c = r->core;
	struct bundle *b = bundle_of(r, d);
	int e;

	(void)msg;
	if (!b)
		return d->code;
	b->r = r;
	e = may_add(c, b->head.code, d); /* somebody may have enrolled one meanwhile */
	if (e == 0)
		e = bundle_carry_out(c, b, d);
	for (size_t i = 0; e == 0 && i < b->added_n; i++)
		answer_printer(r, &b->added[i].printer);
	for (size_t i = 0; e == 0 && i < b->enrolled_n; i++)
		e = answer_new_peer(r, &b->enrolled[i].peer, d);
	bundle_free(c);
	return e;
}

/* ---- codes that are shown ---------------------------------------------------------------------- */

struct claims {
	struct store_claim *item; /* in the order of peers */
	size_t n, cap;
	const struct request *r;
};

static void claims_free(struct claims *l)
{
	free(l->item);
}
#define auto_claims __attribute__((cleanup(claims_free))) struct claims

static int take_claim(void *arg, const struct store_claim *claim)
{
	struct claims *l = arg;

	l->item = mem_grow(l->item, &l->cap, l->n + 1, sizeof(*l->item));
	l->item[l->n++] = *claim;
	return 0;
}

static int each_peer(void *arg, const struct store_peer *p)
{
	const struct claims *l = arg;
	struct control_peer now;

	for (size_t i = 0; i < l->n; i++) {
		const struct control_provision_code item = {
			.name = p->name, .show = l->item[i].show, .minutes = l->item[i].minutes};

		if (l->item[i].peer_id != p->id)
			continue;
		live_peer(l->r->core, p, &now);
		if (now.state == PEER_WAITING)
			request_item(l->r, CTL_PROVISION_CODE, &item);
	}
	return 0;
}

int req_provision_codes(const struct request *r, const union control_any *msg, struct diag *d)
{
	struct core *c = r->core;
	auto_claims l = {.r = r};
	int e = store_claim_each(c->store, take_claim, &l, d);

	(void)msg;
	if (e || !l.n)
		return e;
	e = live_refresh(c, 0, d);
	if (e == 0)
		e = store_peer_each(c->store, each_peer, &l, d);
	live_settle(c);
	return e;
}

static int claim_forget(struct core *c, void *arg, struct diag *d)
{
	return store_claim_delete(c->store, ((const struct store_peer *)arg)->id, d);
}

/* First it is made worthless, then forgotten: the other way round a crash would leave it good. */
int req_provision_done(const struct request *r, const union control_any *msg, struct diag *d)
{
	struct core *c = r->core;
	auto_claims l = {.r = r};
	auto_peer p = {0};
	int e = store_peer_by_name(c->store, &msg->named.name, &p, d);

	if (e == 0)
		e = store_claim_each(c->store, take_claim, &l, d);
	for (size_t i = 0; e == 0 && i < l.n; i++) {
		if (l.item[i].peer_id != p.id)
			continue;
		e = issue_spoil(r, &msg->named.name, d);
		return e ? e : commit_store(c, claim_forget, &p, d);
	}
	return e;
}
