/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTTP: one evhttp per listening socket, one page, GET and HEAD.
 */
#pragma once

#include <event2/event.h>

#include "web/ask.h"

struct serve;

/* Serves on a listening TCP socket (taken over) with views from `ask`. ERR_SYSTEM if it is not one
 * or there is no memory. */
int serve_new(struct serve **out, struct event_base *base, int listener, struct ask *ask,
	      struct diag *d) __attribute__((warn_unused_result));
void serve_free(struct serve *s); /* NULL is allowed */
