/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the web process may ask. It is trusted with nothing but to say who looks from where: what a
 * session, a token and a password are worth is decided here.
 */
#include "daemon/core/answer.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "daemon/core/commit.h"
#include "daemon/core/web_event.h"

/* A page that is reloaded as fast as somebody can press the key asks the kernel twice a second. */
#define WEB_MAX_AGE_MS 500

/* ---- who looks --------------------------------------------------------------------------------- */

/* The owner's token, if it is that. */
static bool is_token(const struct store_page *page, const struct web_secret *s)
{
	uint8_t hash[WEB_SESSION_HASH_BYTES];

	web_session_token_hash(hash, s);
	return page->has_token && sodium_memcmp(hash, page->token, sizeof(hash)) == 0;
}

static bool is_owner(struct core *c, const struct store_page *page, const struct web_secret *s,
		     struct control_web_owner *out)
{
	struct web_session_view v = {.left = 0};

	if (web_session_use(&c->web.sessions, s, core_ms(), &v) == 0) {
		out->csrf = v.csrf;
		out->ends = clock_now(c).wall + v.left / 1000;
		web_secret_wipe(&v.csrf);
		return true;
	}
	out->token = is_token(page, s);
	return out->token;
}

/* Tells which of them are valid; *any says whether one is. */
static int tell_owners(const struct request *r, const struct wire_web_secrets *owners, bool *any,
		       struct diag *d)
{
	struct store_page page = {.has_token = false};
	int e = owners->count ? store_page_get(r->core->store, &page, d) : 0;

	for (unsigned i = 0; e == 0 && i < owners->count; i++) {
		struct control_web_owner item = {.index = (uint8_t)i};

		if (!is_owner(r->core, &page, &owners->item[i], &item))
			continue;
		*any = true;
		request_item(r, CTL_WEB_OWNER, &item);
		web_secret_wipe(&item.csrf);
	}
	return e;
}

/* ---- what an owner is told --------------------------------------------------------------------- */

static int each_printer(void *arg, const struct store_printer *p)
{
	const struct request *r = arg;
	struct control_printer item = answer_printer_item(r->core, p);

	item.reach = reach_look(r->core, p);
	request_item(r, CTL_PRINTER, &item);
	return 0;
}

static int tell_owner(const struct request *r, struct diag *d)
{
	struct request mine = *r;
	int e;

	request_item(r, CTL_WEB_FINDINGS, findings_look(r->core));
	e = store_printer_each(r->core->store, each_printer, &mine, d);
	return e ? e : answer_peers(r, WEB_MAX_AGE_MS, d);
}

/* ---- what a peer is told ----------------------------------------------------------------------- */

/* The peers of one question, and the printers that any of them reaches. */
struct viewers {
	const struct request *r;
	struct store_peer peer[WEB_VIEWERS_MAX];
	unsigned n;
	int64_t *printer; /* ids, sorted once all are there */
	size_t printers, cap;
};

static void viewers_free(struct viewers *v)
{
	key_wipe(v->peer, sizeof(v->peer));
	free(v->printer);
}

static int by_id(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int viewers_grants(struct viewers *v, const struct store_peer *p, struct diag *d)
{
	const struct clock_view now = clock_now(v->r->core);
	auto_grants grants = {0};
	const int e = grants_of_peer(v->r->core, p->id, &grants, d);

	for (size_t i = 0; e == 0 && i < grants.n; i++) {
		if (clock_ended(&now, grants.item[i].expires))
			continue;
		v->printer = mem_grow(v->printer, &v->cap, v->printers + 1, sizeof(int64_t));
		v->printer[v->printers++] = grants.item[i].printer_id;
	}
	return e;
}

/* Adds the peer at that address, if there is one and it is not there by its other address. */
static int viewers_add(struct viewers *v, const struct endpoint *at, struct diag *d)
{
	struct store_peer *p = &v->peer[v->n];
	const int e = web_event_peer(v->r->core, at, p, d);

	if (e)
		return e == ERR_NOT_FOUND ? 0 : e;
	for (unsigned i = 0; i < v->n; i++)
		if (v->peer[i].id == p->id)
			return 0;
	v->n++;
	return viewers_grants(v, p, d);
}

/* The LAN's own addresses are not told to phones: they see the address that they use. */
static int each_reached(void *arg, const struct store_printer *p)
{
	const struct viewers *v = arg;
	struct control_printer item = answer_printer_item(v->r->core, p);

	if (!v->printers || !bsearch(&p->id, v->printer, v->printers, sizeof(p->id), by_id))
		return 0;
	item.address = item.vpn;
	item.reach = reach_look(v->r->core, p);
	request_item(v->r, CTL_PRINTER, &item);
	return 0;
}

static int tell_viewers(const struct request *r, const struct wire_viewers *who, struct diag *d)
{
	__attribute__((cleanup(viewers_free))) struct viewers v = {.r = r};
	int e = 0;

	for (unsigned i = 0; e == 0 && i < who->count; i++)
		e = viewers_add(&v, &who->item[i], d);
	if (v.printers)
		qsort(v.printer, v.printers, sizeof(*v.printer), by_id);
	if (e == 0 && v.n)
		e = store_printer_each(r->core->store, each_reached, &v, d);
	for (unsigned i = 0; e == 0 && i < v.n; i++)
		e = answer_new_peer(r, &v.peer[i], d);
	live_settle(r->core);
	return e;
}

/* ---- looks ------------------------------------------------------------------------------------- */

int req_web_look(const struct request *r, const union control_any *msg, struct diag *d)
{
	const struct control_web_look *who = &msg->web_look;
	struct control_counts counts = {.peers = r->core->peers, .printers = r->core->printers};
	bool owner = false;
	int e = live_refresh(r->core, WEB_MAX_AGE_MS, d);

	if (e)
		return e;
	counts.online = live_online(r->core);
	answer_gateway(r);
	request_item(r, CTL_COUNTS, &counts);
	e = tell_owners(r, &who->owners, &owner, d);
	if (e == 0)
		e = owner ? tell_owner(r, d) : tell_viewers(r, &who->viewers, d);
	reach_go(r->core);
	return e;
}

/* ---- login and logout -------------------------------------------------------------------------- */

struct login {
	struct request r;
	struct endpoint from;
	char hash[STORE_PASSWORD_BYTES]; /* which it was compared with */
};

static int login_good(const struct login *l, struct diag *d)
{
	struct core *c = l->r.core;
	struct control_web_session item = {.ends = clock_now(c).wall + WEB_SESSION_LONG / 1000};
	const int e = web_event(&l->r, "login", &l->from, 0, d);

	if (e)
		return e;
	web_session_make(&c->web.sessions, core_ms(), &item.id);
	request_item(&l->r, CTL_WEB_SESSION, &item);
	web_secret_wipe(&item.id);
	return 0;
}

/* What happened whether it can be written down or not. */
static void note(const struct request *r, const char *action, const struct endpoint *from,
		 unsigned more)
{
	struct diag unsaid = {0};

	if (web_event(r, action, from, more, &unsaid))
		log_warn("core", "%s of the page: %s", action, unsaid.text);
}

static int login_bad(const struct login *l, struct diag *d)
{
	unsigned more = 0;

	if (web_limit_tell(&l->r.core->web.limit, core_ms(), &more))
		note(&l->r, "login_failed", &l->from, more);
	return diag_set(d, ERR_DENIED, "That is not the password.");
}

/* A password that was set anew meanwhile is another one. */
static int login_judge(const struct login *l, int code, struct diag *d)
{
	struct store_page page;
	int e = store_page_get(l->r.core->store, &page, d);

	if (e)
		return e;
	if (code == 0 && strcmp(page.password, l->hash) == 0)
		return login_good(l, d);
	if (code == 0 || code == ERR_DENIED)
		return login_bad(l, d);
	return diag_set(d, code, "the password could not be looked at: try again");
}

static void on_compared(void *arg, int code, const char *hash)
{
	struct login *l = arg;
	struct diag d = {0};

	(void)hash;
	code = login_judge(l, code, &d);
	request_end(&l->r, code, &d);
}

int req_web_login(const struct request *r, const union control_any *msg, struct diag *d)
{
	const struct control_web_login *m = &msg->web_login;
	struct endpoint place;
	const bool phone = web_event_place(r->core, &m->from, &place);
	struct store_page page;
	struct login *l;
	int e;

	if (!web_limit_try(&r->core->web.limit, &place, phone, core_ms()))
		return diag_set(d, ERR_LIMIT, "Too many tries: wait a minute.");
	e = store_page_get(r->core->store, &page, d);
	if (e)
		return e;
	if (!page.password[0])
		return diag_set(d, ERR_NOT_FOUND,
				"No password is set yet: run 'sudo printgate page password' on the "
				"gateway.");
	l = mem_zalloc(1, sizeof(*l));
	*l = (struct login){.r = *r, .from = m->from};
	memcpy(l->hash, page.password, sizeof(l->hash));
	e = password_start(r->core, m->password, page.password, on_compared, l, d);
	if (e) {
		free(l);
		return e;
	}
	request_later(r);
	return REQUEST_LATER;
}

int req_web_logout(const struct request *r, const union control_any *msg, struct diag *d)
{
	const struct control_web_logout *m = &msg->web_logout;
	const int e = web_session_end(&r->core->web.sessions, &m->id, &m->csrf, core_ms());

	if (e == ERR_DENIED)
		return diag_set(d, e, "That form is not of this session: load the page again.");
	if (e)
		return diag_set(d, e, "That session has ended already.");
	note(r, "logout", NULL, 0);
	return 0;
}
