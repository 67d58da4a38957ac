/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate page: where the page is, its password and its token. Of both only hashes stay.
 */
#include "daemon/core/answer.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "daemon/core/commit.h"

static const struct name subject = {"page"};

static int answer_page(const struct request *r, struct diag *d)
{
	const struct privmsg_hello *h = &r->core->gateway;
	struct control_page_info info = {.plain = h->page, .tls = h->page_tls};
	struct store_page page;
	const int e = store_page_get(r->core->store, &page, d);

	if (e)
		return e;
	info.password = page.password[0] != '\0';
	info.token = page.has_token;
	(void)snprintf(info.fingerprint, sizeof(info.fingerprint), "%s", h->page_fingerprint);
	request_item(r, CTL_PAGE_INFO, &info);
	return 0;
}

int req_page(const struct request *r, const union control_any *msg, struct diag *d)
{
	(void)msg;
	return answer_page(r, d);
}

/* ---- the password ------------------------------------------------------------------------------ */

struct setting {
	const char *actor;
	const char *password; /* its hash */
	const uint8_t *token; /* its hash */
};

static int store_password(struct core *c, void *arg, struct diag *d)
{
	const struct setting *s = arg;
	const int e = store_page_password(c->store, s->password, d);

	return e ? e
		 : commit_note(c, d, s->actor, "password", &subject,
			       "set; whoever was logged in is not any more");
}

static int password_settle(const struct request *r, int code, const char *hash, struct diag *d)
{
	struct setting s = {.actor = r->actor, .password = hash};
	int e;

	if (code)
		return diag_set(d, code,
				"the password could not be hashed: is there memory for %lu MiB?",
				PASSWORD_MEMORY >> 20);
	e = commit_store(r->core, store_password, &s, d);
	if (e)
		return e;
	web_session_end_all(&r->core->web.sessions);
	return answer_page(r, d);
}

static void on_made(void *arg, int code, const char *hash)
{
	const struct request *r = arg;
	struct diag d = {0};

	code = password_settle(r, code, hash, &d);
	request_end(r, code, &d);
}

int req_page_password(const struct request *r, const union control_any *msg, struct diag *d)
{
	struct request *mine;
	int e = web_password_check(msg->page_password.password, d);

	if (e)
		return e;
	mine = mem_zalloc(1, sizeof(*mine));
	*mine = *r;
	e = password_start(r->core, msg->page_password.password, NULL, on_made, mine, d);
	if (e) {
		free(mine);
		return e;
	}
	request_later(r);
	return REQUEST_LATER;
}

/* ---- the token --------------------------------------------------------------------------------- */

static int store_token(struct core *c, void *arg, struct diag *d)
{
	const struct setting *s = arg;
	const int e = store_page_token(c->store, s->token, d);

	return e ? e : commit_note(c, d, s->actor, "token", &subject, "made; the one before ended");
}

int req_page_token(const struct request *r, const union control_any *msg, struct diag *d)
{
	struct control_page_secret item;
	uint8_t hash[WEB_SESSION_HASH_BYTES];
	struct setting s = {.actor = r->actor, .token = hash};
	int e;

	(void)msg;
	randombytes_buf(item.token.bytes, sizeof(item.token.bytes));
	web_session_token_hash(hash, &item.token);
	e = commit_store(r->core, store_token, &s, d);
	if (e == 0)
		e = answer_page(r, d);
	if (e == 0)
		request_item(r, CTL_PAGE_SECRET, &item);
	web_secret_wipe(&item.token);
	return e;
}
