/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What look*.c share: look.c has the question for all who look, look_login.c the logins that go in
 * between.
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
	bool asked;   /* part of the question that is on its way */
	bool due;     /* has its answer, and is to be told */
	int64_t since; /* mono: waits since then */
	unsigned turn; /* so many of its place are before it */
	look_fn fn;
	void *arg;
};

/* A login, or a logout: then fn is NULL. */
struct login {
	struct look *look;
	struct login *next;
	struct control_web_login login;
	struct control_web_logout logout;
	bool ends, cancelled;
	login_fn fn;
	void *arg;
};

enum line_state {
	LINE_FREE,
	LINE_LOOK,  /* an answer to a look is on its way */
	LINE_LOGIN, /* one to the first of logins */
};

struct look {
	struct event_base *base;
	struct chan core;
	struct event *readable, *timer;
	void (*broken)(void *arg, const struct diag *d);
	void *broken_arg;
	enum line_state line;
	bool silent;	      /* the answer on its way is late; who waited for it has been told */
	bool down;	      /* broken */
	int64_t asked, pause; /* mono of the last question; ms until the next may come */
	struct control_web_look question;
	struct snapshot now, next;
	struct looker *lookers;
	struct login *logins;
	struct control_web_session session;
};

/* Asks what is to be asked, soon. */
void look_soon(struct look *l);
/* Sends one request; its answer is awaited in this state of the line. */
void look_ask(struct look *l, uint16_t type, const void *msg, enum line_state state);

/* Asks for the first of the logins. False: there is none. */
bool look_login_ask(struct look *l);
/* It has its answer. */
void look_login_answered(struct look *l, const struct diag *d);
void look_logins_free(struct look *l);
