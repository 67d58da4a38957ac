/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The questions to core. Whoever looks is put into one question for all, and no question comes
 * within LOOK_PAUSE_MS of the last one, whatever browsers do. What has no room in it waits for the
 * next one, and no place can make the others wait. While nobody looks nothing is asked, and no timer
 * runs.
 */
#pragma once

#include <event2/event.h>

#include "web/snapshot.h"

#define LOOK_PAUSE_MS	1000 /* between two questions */
#define LOOK_SILENCE_MS 1000 /* without a word of an answer: core does not answer */
#define LOOK_SHARE	10   /* a long answer is asked for so much less often than it takes, … */
#define LOOK_PAUSE_MAX_MS                                                                          \
	5000 /* … but who opens the page has an answer soon, though core was held up once */
#define LOOK_LOGINS_MAX	  16 /* that wait their turn, … */
#define LOOK_LOGINS_PLACE 4  /* … of them from one place */

struct look;
struct looker;
struct login;

/* Who looks. */
struct who {
	struct endpoint place;	/* from where: turns are shared by places */
	struct endpoint viewer; /* by its address in the tunnel; family 0: not through it */
	bool owner;		/* secret is a session's, or the owner's token */
	struct web_secret secret;
};

/* *s is valid until fn returns; owner is NULL unless the secret is valid. */
typedef void (*look_fn)(void *arg, const struct snapshot *s, const struct control_web_owner *owner);
/* d->code is 0, or says with its sentence why not. */
typedef void (*login_fn)(void *arg, const struct control_web_session *session,
			 const struct diag *d);

/* Both lines to core are inherited socketpairs (taken over). broken is called once when core has gone
 * (ERR_UNREACHABLE) or speaks nonsense (ERR_PROTOCOL); nothing happens after that. */
struct look *look_new(struct event_base *base, int looks, int logins,
		      void (*broken)(void *arg, const struct diag *d), void *arg)
	__attribute__((returns_nonnull));
void look_free(struct look *l); /* NULL is allowed */

/* One look, or one with each answer as long as it lasts. fn is called later, never from here. */
struct looker *look_begin(struct look *l, const struct who *who, bool lasting, look_fn fn,
			  void *arg) __attribute__((returns_nonnull));
/* A looker of one look is no more once its fn has been called. NULL is allowed. */
void look_end(struct looker *k);

/* Asks core for a session. fn is called later, once, unless it is cancelled. NULL: too many wait. */
struct login *look_login(struct look *l, const struct endpoint *place, const struct endpoint *from,
			 const char *password, login_fn fn, void *arg);
/* The same to end one, if csrf is its own. When fn is called no answer tells of it any more. */
struct login *look_logout(struct look *l, const struct endpoint *place, const struct web_secret *id,
			  const struct web_secret *csrf, login_fn fn, void *arg);
void look_login_cancel(struct login *g); /* NULL is allowed */
