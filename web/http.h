/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTTP: one evhttp per listening socket, one page, GET and HEAD.
 */
#pragma once

#include <event2/event.h>

#include "web/ask.h"

struct http;

/* Serves on a listening TCP socket (taken over) with views from `ask`. ERR_SYSTEM if it is not one
 * or there is no memory. */
int http_new(struct http **out, struct event_base *base, int listener, struct ask *ask,
	     struct diag *d) __attribute__((warn_unused_result));
void http_free(struct http *h); /* NULL is allowed */
