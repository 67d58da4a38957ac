/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What core's side (password.c) and the copy's (password_main.c) say to each other: one datagram
 * each, of two that are one program: no encoding. Both are wiped.
 */
#pragma once

#include "daemon/core/password.h"

struct password_question {
	bool make;			   /* a hash; else compare with the one given */
	char password[WEB_PASSWORD_BYTES]; /* NUL-terminated, as all texts here */
	char hash[STORE_PASSWORD_BYTES];
};

struct password_answer {
	bool good;			 /* made, or the same */
	char hash[STORE_PASSWORD_BYTES]; /* what was made */
};
