/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the status page's parts call each other by: random names of 128 bits (a session, a form's
 * token, the owner's token), and the rule for its password. Secrets are wiped by key_wipe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

#define WEB_SECRET_BYTES      16 /* 128 bits: no guessing (OWASP asks for 64 of a session's name) */
#define WEB_SECRET_TEXT_BYTES 33 /* lower-case hexadecimal and NUL */
#define WEB_VIEWERS_MAX	      16 /* addresses in one question, or the page listens at */
#define WEB_OWNERS_MAX	      8	 /* sessions and tokens in one question */
#define WEB_PASSWORD_BYTES    129 /* with its NUL */
#define WEB_PASSWORD_MIN      8	  /* characters (NIST SP 800-63B, 5.1.1) */

struct web_secret {
	uint8_t bytes[WEB_SECRET_BYTES]; /* all zero: none */
};

/* 32 digits of lower-case hexadecimal: as cookies, forms and the authorization header have it. */
void web_secret_format(char out[WEB_SECRET_TEXT_BYTES], const struct web_secret *s);
/* Those n bytes, which need no NUL. ERR_BAD_KEY for anything else, *out untouched. */
int web_secret_parse(struct web_secret *out, const char *text, unsigned long n)
	__attribute__((warn_unused_result));
bool web_secret_equal(const struct web_secret *a, const struct web_secret *b); /* constant time */
void web_secret_wipe(struct web_secret *s);
#define auto_web_secret __attribute__((cleanup(web_secret_wipe))) struct web_secret

/* May this be the page's password: one line of UTF-8 without control characters, at least
 * WEB_PASSWORD_MIN characters and below WEB_PASSWORD_BYTES? ERR_USAGE with a sentence. */
int web_password_check(const char *password, struct diag *d) __attribute__((warn_unused_result));
