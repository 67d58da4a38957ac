/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way to a session. A form counts only if it comes from our own page: the Origin must be ours,
 * and its token must be that of the cookie (or, to log out, that of the session, which core compares).
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "common/cleanup.h"
#include "web/form.h"
#include "web/site_own.h"

#define COOKIE_BYTES   160
#define COOKIE_MAX_AGE 43200 /* seconds; core ends a session earlier or then */

/* RFC 6454, 7. Browsers send it with each POST; one without it is no browser, or an old one. */
static bool origin_is_ours(const struct http_request *r)
{
	const char *scheme = r->tls ? "https://" : "http://";
	const size_t n = strlen(scheme);

	return r->head.origin && strncmp(r->head.origin, scheme, n) == 0 &&
	       strcasecmp(r->head.origin + n, r->head.host) == 0;
}

static bool is_form(const struct http_request *r)
{
	static const char type[] = "application/x-www-form-urlencoded";
	const size_t n = strlen(type);

	return r->head.content_type && strncasecmp(r->head.content_type, type, n) == 0 &&
	       (r->head.content_type[n] == '\0' || r->head.content_type[n] == ';');
}

static void put_cookie(char out[COOKIE_BYTES], const char *name, const char *value, long seconds,
		       bool tls)
{
	(void)snprintf(out, COOKIE_BYTES, "%s=%s; HttpOnly; SameSite=Strict; Path=/; Max-Age=%ld%s",
		       name, value, seconds, tls ? "; Secure" : "");
}

void site_login_form(struct http_conn *c, const struct http_request *r, int status,
		     const char *sentence)
{
	char cookie[COOKIE_BYTES], token[WEB_SECRET_TEXT_BYTES];
	struct web_secret secret;
	auto_free char *text = NULL;
	struct http_field field = {"Set-Cookie", cookie};
	struct http_answer a = {.status = status,
				.type = "text/html; charset=utf-8",
				.fields = &field,
				.n_fields = 1};
	FILE *out = open_memstream(&text, &a.bytes);

	if (!out || getrandom(&secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
		abort();
	web_secret_format(token, &secret);
	put_cookie(cookie, SITE_LOGIN_COOKIE, token, 3600, r->tls);
	page_login(out, token, sentence);
	if (fclose(out) != 0)
		abort();
	a.body = text;
	http_reply(c, &a);
}

static void on_login(void *arg, const struct control_web_session *session, const struct diag *d)
{
	struct visit *v = arg;
	struct http_conn *c = v->conn;
	const struct http_request r = {.tls = v->tls};
	char cookie[COOKIE_BYTES], id[WEB_SECRET_TEXT_BYTES];

	v->login = NULL;
	visit_free(v);
	http_on_gone(c, NULL, NULL);
	if (d->code) {
		site_login_form(c, &r, d->code == ERR_LIMIT ? 429 : 403, d->text);
		return;
	}
	web_secret_format(id, &session->id);
	put_cookie(cookie, SITE_COOKIE, id, COOKIE_MAX_AGE, r.tls);
	site_redirect(c, cookie);
	explicit_bzero(cookie, sizeof(cookie));
	explicit_bzero(id, sizeof(id));
}

/* Does the form carry the token that its cookie has? */
static bool token_is_ours(const struct http_request *r)
{
	char text[WEB_SECRET_TEXT_BYTES];
	struct web_secret in_form, in_cookie;

	return form_value(r->body, "token", text, sizeof(text)) &&
	       web_secret_parse(&in_form, text, strlen(text)) == 0 &&
	       form_cookie(r->head.cookie, SITE_LOGIN_COOKIE, &in_cookie) &&
	       web_secret_equal(&in_form, &in_cookie);
}

void site_login(struct site *s, struct http_conn *c, const struct http_request *r)
{
	char password[WEB_PASSWORD_BYTES];
	struct visit *v;

	if (!is_form(r) || !origin_is_ours(r) || !token_is_ours(r)) {
		site_login_form(c, r, 403,
				"This form was too old, or not from this page: try again.");
		return;
	}
	/* One that cannot be the password is a try like any other, and takes as long. */
	(void)form_value(r->body, "password", password, sizeof(password));
	v = visit_new(s, c, r);
	v->login = look_login(s->look, &v->who.place, &r->from, password, on_login, v);
	explicit_bzero(password, sizeof(password));
	if (!v->login) {
		visit_free(v);
		http_on_gone(c, NULL, NULL);
		site_login_form(c, r, 429, "Too many try to log in at once: wait a moment.");
	}
}

/* Nobody is told that he is logged out before he is. */
static void on_logout(void *arg, const struct control_web_session *session, const struct diag *d)
{
	struct visit *v = arg;
	struct http_conn *c = v->conn;
	const bool tls = v->tls;
	char cookie[COOKIE_BYTES];

	(void)session;
	v->login = NULL;
	visit_free(v);
	http_on_gone(c, NULL, NULL);
	if (d->code && d->code != ERR_NOT_FOUND) { /* not found: it has ended by itself */
		site_reply_text(c, 403, d->text);
		return;
	}
	put_cookie(cookie, SITE_COOKIE, "", 0, tls);
	site_redirect(c, cookie);
}

void site_logout(struct site *s, struct http_conn *c, const struct http_request *r)
{
	char text[WEB_SECRET_TEXT_BYTES];
	struct web_secret id, csrf;
	struct visit *v;

	if (!is_form(r) || !origin_is_ours(r) || !form_cookie(r->head.cookie, SITE_COOKIE, &id) ||
	    !form_value(r->body, "token", text, sizeof(text)) ||
	    web_secret_parse(&csrf, text, strlen(text)) != 0) {
		site_reply_text(c, 403, "This form is not from this page.\n");
		return;
	}
	v = visit_new(s, c, r);
	v->login = look_logout(s->look, &v->who.place, &id, &csrf, on_logout, v);
	web_secret_wipe(&id);
	if (!v->login) {
		visit_free(v);
		http_on_gone(c, NULL, NULL);
		site_reply_text(c, 429, "Too many log in or out at once: wait a moment.\n");
	}
}
