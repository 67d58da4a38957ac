/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of peers and printers: 1 to 64 bytes of UTF-8 (RFC 3629: no overlong forms, no surrogates),
 * no control characters (C0, DEL, C1), no line or paragraph separators, no bidi controls
 * (U+061C, U+200E, U+200F, U+202A..E, U+2066..9), no leading or trailing blank.
 */
#pragma once

#include "common/err.h"

#define NAME_BYTES	  64 /* longest name, bytes of UTF-8 without the NUL */
#define TUNNEL_NAME_BYTES 15 /* IFNAMSIZ - 1 (linux/if.h); the Android app's limit as well */

struct name {
	char s[NAME_BYTES + 1]; /* NUL-terminated; "" means "none" where that is allowed */
};

/* Checks and copies; on failure *out is untouched and the diag says what is wrong with it, without
 * echoing control characters. `what` is "peer" or "printer", for the sentence.
 * Errors: ERR_BAD_NAME. */
int name_parse(struct name *out, const char *text, const char *what, struct diag *d)
	__attribute__((warn_unused_result));

/* True if the n bytes at `text` are a valid name (n excludes any NUL). */
int name_valid(const char *text, unsigned long n);

/* The suggested tunnel name for the phone: [A-Za-z0-9_-]{1,15}, derived from the name (other
 * characters become '-', runs collapse, "printgate" if nothing is left). */
void name_tunnel(char out[TUNNEL_NAME_BYTES + 1], const struct name *name);

/* Decodes one character of UTF-8 at s (n bytes left, n > 0); returns its length 1..4 or 0 if it is
 * malformed, and stores the code point. */
int utf8_decode(const char *s, unsigned long n, unsigned *cp);

/* Control characters: C0, DEL, C1. */
int utf8_is_control(unsigned cp);

/* Is it one line that a terminal shows as it is: UTF-8 without control and bidi characters? */
int utf8_is_line(const char *text, unsigned long n);

/* Makes a text fit to be shown: replaces, in place, bytes that are no UTF-8 and control characters
 * by '?' (line feeds too, unless keep_lf). */
void utf8_clean(char *text, int keep_lf);
