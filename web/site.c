/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths and pages. A visit is a request that waits for its look, or a stream.
 */

#include "web/site.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "web/site_own.h"
#include "common/cleanup.h"
#include "common/mem.h"
#include "web/form.h"
#include "web/metrics.h"

const char *const site_post_paths[] = {"/login", "/logout", NULL};

struct site *site_new(struct look *look)
{
	struct site *s = mem_zalloc(1, sizeof(*s));

	s->look = look;
	return s;
}

void site_free(struct site *s)
{
	if (!s)
		return;
	while (s->visits) {
		struct visit *v = s->visits;

		s->visits = v->next;
		if (s->visits)
			s->visits->at = &s->visits;
		v->at = &v->next; /* of no list any more */
		visit_free(v);
	}
	for (size_t i = 0; i < SITE_KEPT; i++)
		pieces_forget(&s->kept[i].known);
	free(s);
}

/* ---- visits ------------------------------------------------------------------------------------ */

static void on_gone(void *arg)
{
	visit_free(arg);
}

/* In the tunnel an address is a phone. Whoever has one address of IPv6 elsewhere mostly has the whole
 * /64 (RFC 6177). */
static struct endpoint place_of(const struct http_request *r)
{
	struct endpoint place = r->from;

	place.port = 0;
	if (r->tls && place.family == 6)
		memset(place.addr + 8, 0, sizeof(place.addr) - 8);
	return place;
}

struct visit *visit_new(struct site *s, struct http_conn *c, const struct http_request *r)
{
	struct visit *v = mem_zalloc(1, sizeof(*v));

	v->site = s;
	v->conn = c;
	v->to = r->to;
	v->tls = r->tls;
	v->who.place = place_of(r);
	if (!r->tls) /* what comes by TLS has come through the LAN */
		v->who.viewer = r->from;
	v->who.owner = form_cookie(r->head.cookie, SITE_COOKIE, &v->who.secret);
	(void)form_value(r->head.query, "q", v->find, sizeof(v->find));
	v->next = s->visits;
	v->at = &s->visits;
	if (v->next)
		v->next->at = &v->next;
	s->visits = v;
	http_on_gone(c, on_gone, v);
	return v;
}

void visit_free(struct visit *v)
{
	*v->at = v->next;
	if (v->next)
		v->next->at = v->at;
	look_end(v->looker);
	look_login_cancel(v->login);
	pieces_forget(&v->known);
	explicit_bzero(v, sizeof(*v));
	free(v);
}

struct view visit_view(const struct visit *v, const struct snapshot *s,
		       const struct control_web_owner *owner)
{
	struct view view = {.kind = VIEW_PUBLIC, .s = s, .all = v->all};

	memcpy(view.find, v->find, sizeof(view.find));
	if (!s->reached)
		return view;
	/* Only through the tunnel is a source address as good as a name. */
	if (v->who.viewer.family && snapshot_is_gateway(s, &v->to))
		view.me = snapshot_peer(s, &v->who.viewer);
	if (owner && !owner->token && !(v->own && view.me)) {
		view.kind = VIEW_OWNER;
		view.owner = owner;
	} else if (view.me) {
		view.kind = VIEW_PEER;
	}
	return view;
}

/* ---- answers ----------------------------------------------------------------------------------- */

void site_reply_html(struct http_conn *c, int status, const char *text, size_t n)
{
	const struct http_answer a = {
		.status = status, .type = "text/html; charset=utf-8", .body = text, .bytes = n};

	http_reply(c, &a);
}

void site_reply_text(struct http_conn *c, int status, const char *text)
{
	static const struct http_field bearer[] = {{"WWW-Authenticate", "Bearer"}};
	const struct http_answer a = {.status = status,
				      .type = "text/plain; charset=utf-8",
				      .fields = bearer,
				      .n_fields = status == 401,
				      .body = text,
				      .bytes = strlen(text)};

	http_reply(c, &a);
}

void site_redirect(struct http_conn *c, const char *cookie)
{
	const struct http_field fields[] = {{"Location", "/"}, {"Set-Cookie", cookie}};
	const struct http_answer a = {.status = 303,
				      .type = "text/plain; charset=utf-8",
				      .fields = fields,
				      .n_fields = ARRAY_LEN(fields),
				      .body = ""};

	http_reply(c, &a);
}

/* Takes what the page has. The key is no secret: who guesses it gets nothing but less. */
uint32_t site_keep(struct site *s, struct pieces *p)
{
	struct kept *k = &s->kept[s->next_kept++ % SITE_KEPT];

	k->key = 0;
	if (getrandom(&k->key, sizeof(k->key), 0) != (ssize_t)sizeof(k->key) || !k->key)
		k->key = 1 + s->next_kept;
	pieces_keep(&k->known, p);
	return k->key;
}

static void on_page(void *arg, const struct snapshot *s, const struct control_web_owner *owner)
{
	struct visit *v = arg;
	struct view view = visit_view(v, s, owner);
	struct http_conn *c = v->conn;
	auto_free char *text = NULL;
	struct pieces p;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	if (!out)
		abort();
	v->looker = NULL;
	pieces_open(&p);
	page_pieces(&p, &view);
	pieces_close(&p);
	page_write(out, &view, &p, site_keep(v->site, &p));
	if (fclose(out) != 0)
		abort();
	pieces_free(&p);
	visit_free(v);
	http_on_gone(c, NULL, NULL);
	site_reply_html(c, s->reached ? 200 : 503, text, n);
}

static void page(struct site *s, struct http_conn *c, const struct http_request *r, bool own)
{
	struct visit *v = visit_new(s, c, r);
	char all[2];

	v->own = own;
	v->all = form_value(r->head.query, "all", all, sizeof(all)) && all[0] == '1';
	v->looker = look_begin(s->look, &v->who, false, on_page, v);
}

static void on_metrics(void *arg, const struct snapshot *s, const struct control_web_owner *owner)
{
	struct visit *v = arg;
	struct http_conn *c = v->conn;
	auto_free char *text = NULL;
	struct http_answer a = {.status = 200, .type = METRICS_TYPE};
	FILE *out;

	v->looker = NULL;
	visit_free(v);
	http_on_gone(c, NULL, NULL);
	if (!s->reached) {
		site_reply_text(c, 503, "printgate-core does not answer.\n");
		return;
	}
	if (!owner || !owner->token) {
		site_reply_text(c, 401,
				"This needs the owner's token: 'sudo printgate page token' makes "
				"one.\n");
		return;
	}
	out = open_memstream(&text, &a.bytes);
	if (!out)
		abort();
	metrics_write(out, s);
	if (fclose(out) != 0)
		abort();
	a.body = text;
	http_reply(c, &a);
}

static void metrics(struct site *s, struct http_conn *c, const struct http_request *r)
{
	struct visit *v;
	struct web_secret token;

	if (!form_bearer(r->head.authorization, &token)) {
		site_reply_text(c, 401,
				"This needs the owner's token: 'sudo printgate page token' makes "
				"one.\n");
		return;
	}
	v = visit_new(s, c, r);
	v->who = (struct who){.place = v->who.place, .owner = true, .secret = token};
	web_secret_wipe(&token);
	v->looker = look_begin(s->look, &v->who, false, on_metrics, v);
}

void site_request(struct http_conn *c, const struct http_request *r, void *arg)
{
	const char *path = r->head.path;
	const bool post = r->head.method == HTTP_POST;
	struct site *s = arg;

	if (strcmp(path, "/") == 0 || strcmp(path, "/me") == 0)
		page(s, c, r, path[1] != '\0');
	else if (strcmp(path, "/events") == 0)
		site_stream(s, c, r);
	else if (strcmp(path, "/login") == 0 && post)
		site_login(s, c, r);
	else if (strcmp(path, "/login") == 0)
		site_login_form(c, r, 200, "");
	else if (strcmp(path, "/logout") == 0 && post)
		site_logout(s, c, r);
	else if (strcmp(path, "/metrics") == 0)
		metrics(s, c, r);
	else
		site_reply_text(c, 404, "There is nothing here. The page is at /\n");
}
