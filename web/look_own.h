/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What look*.c share: look.c has the question for all who look, look_login.c the logins, which go by a
 * line of their own.
 */
#pragma once

#include <stdbool.h>

#include "common/chan.h"
#include "web/look.h"

struct looker {
	struct look *look;
	struct looker *next, **at;
	struct who who;
	bool lasting;
	bool asked;    /* part of the question that is on its way */
	bool due;      /* has its answer, and is to be told */
	int64_t since; /* mono: waits since then */
	unsigned turn; /* so many of its place are before it */
	look_fn fn;
	void *arg;
};

/* A login, or a logout. */
struct login {
	struct look *look;
	struct login *next;
	struct endpoint place;
	struct control_web_login login;
	struct control_web_logout logout;
	bool ends, cancelled;
	login_fn fn;
	void *arg;
};

/* One of the two lines to core. */
struct look_line {
	struct look *look;
	struct chan chan;
	struct event *readable;
	bool busy; /* an answer is on its way */
	/* One message of it; an error ends both lines. */
	int (*take)(struct look *l, uint16_t type, const union control_any *m, struct diag *d);
};

struct look {
	struct event_base *base;
	struct look_line looks, logins;
	struct event *timer; /* of the looks */
	void (*broken)(void *arg, const struct diag *d);
	void *broken_arg;
	bool silent;	      /* the answer on its way is late; who waited for it has been told */
	bool down;	      /* broken */
	int64_t asked, pause; /* mono of the last question; ms until the next may come */
	struct control_web_look question;
	struct snapshot now, next;
	struct looker *lookers;
	struct login *first; /* its answer is on its way; the others wait in their order */
	int64_t ended;	     /* mono of the last logout */
	struct control_web_session session;
};

/* Sends one request; its answer makes the line free again. */
void look_ask(struct look_line *line, uint16_t type, const void *msg);

/* What comes by the line of the logins. */
int look_login_take(struct look *l, uint16_t type, const union control_any *m, struct diag *d);
void look_logins_free(struct look *l);
