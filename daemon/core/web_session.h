/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is logged in at the page. A session's name is told to the browser once and kept here as a hash
 * under a key of this process: neither core's memory nor its end gives sessions away. Pure but for
 * the random names; times are milliseconds of one clock that does not go back.
 */
#pragma once

#include <stdint.h>

#include "common/web.h"

#define WEB_SESSIONS_MAX 32		     /* the one begun first goes */
#define WEB_SESSION_IDLE (30L * 60 * 1000)   /* OWASP, Session Management: 15–30 minutes */
#define WEB_SESSION_LONG (12L * 3600 * 1000) /* a day's work */

#define WEB_SESSION_HASH_BYTES 32

struct web_sessions {
	uint8_t key[WEB_SESSION_HASH_BYTES];
	struct web_session {
		uint8_t hash[WEB_SESSION_HASH_BYTES];
		int64_t begun, used;
	} item[WEB_SESSIONS_MAX]; /* by begun */
	unsigned n;
};

/* What a valid session is. */
struct web_session_view {
	struct web_secret csrf; /* for its forms: nobody else can know it */
	int64_t left;		/* until its end at the latest */
};

void web_session_open(struct web_sessions *s); /* draws the key; nobody is logged in */
/* Makes one. id is to be wiped. */
void web_session_make(struct web_sessions *s, int64_t now, struct web_secret *id);
/* Is it one, and still valid? Then this was its use. ERR_NOT_FOUND. */
int web_session_use(struct web_sessions *s, const struct web_secret *id, int64_t now,
		    struct web_session_view *out) __attribute__((warn_unused_result));
/* Ends one. ERR_NOT_FOUND, or ERR_DENIED if the form is not its own. */
int web_session_end(struct web_sessions *s, const struct web_secret *id,
		    const struct web_secret *csrf, int64_t now) __attribute__((warn_unused_result));
void web_session_end_all(struct web_sessions *s);

/* The hash by which a token is kept in the store. (128 random bits need no salt and no key.) */
void web_session_token_hash(uint8_t out[WEB_SESSION_HASH_BYTES], const struct web_secret *token);
