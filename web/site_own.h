/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What site*.c share: site.c has the paths and pages, site_login.c the way to a session, site_stream.c
 * what comes after a page.
 */
#pragma once

#include "web/page.h"
#include "web/site.h"

#define SITE_COOKIE	  "printgate"	    /* a session */
#define SITE_LOGIN_COOKIE "printgate-login" /* the login form's token */
#define SITE_KEPT	  16		    /* pages whose pieces are kept for their streams */

/* One request that waits for a look, or a stream. */
struct visit {
	struct site *site;
	struct visit *next, **at;
	struct http_conn *conn;
	struct looker *looker;
	struct login *login;
	struct who who;
	struct endpoint to; /* where it came in */
	bool own;	    /* the phone's own view, though an owner looks */
	bool all, tls;
	char find[PAGE_FIND_BYTES];
	/* Of a stream: what the viewer has, and whether it is to be an owner's. */
	struct pieces_known known;
	bool owner, mute;
};

struct kept {
	uint32_t key;
	struct pieces_known known;
};

struct site {
	struct look *look;
	struct visit *visits;
	struct kept kept[SITE_KEPT];
	unsigned next_kept;
};

struct visit *visit_new(struct site *s, struct http_conn *c, const struct http_request *r);
void visit_free(struct visit *v);
/* The view that this visit is to have. */
struct view visit_view(const struct visit *v, const struct snapshot *s,
		       const struct control_web_owner *owner);
void site_reply_html(struct http_conn *c, int status, const char *text, size_t n);
void site_reply_text(struct http_conn *c, int status, const char *text);
void site_redirect(struct http_conn *c, const char *cookie);
uint32_t site_keep(struct site *s, struct pieces *p);

void site_login_form(struct http_conn *c, const struct http_request *r, int status,
		     const char *sentence);
void site_login(struct site *s, struct http_conn *c, const struct http_request *r);
void site_logout(struct site *s, struct http_conn *c, const struct http_request *r);
void site_stream(struct site *s, struct http_conn *c, const struct http_request *r);
