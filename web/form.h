/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values out of queries, form bodies and cookies.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/web.h"

/* The value of the first `name` in "a=b&c=d", decoded, into out (room bytes with NUL). False if it is
 * not there, too long, badly encoded, or not one line of UTF-8: then out is "". */
bool form_value(const char *form, const char *name, char *out, size_t room);
/* The secret in the cookie `name` of a Cookie header (RFC 6265); NULL is allowed. */
bool form_cookie(const char *header, const char *name, struct web_secret *out);
/* The secret after "Bearer " (RFC 6750, 2.1). NULL is allowed. */
bool form_bearer(const char *authorization, struct web_secret *out);
