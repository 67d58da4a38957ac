/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text for a terminal: cleaned of control characters, measured in columns (wcwidth(3)), wrapped,
 * with times and sizes as people say them.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/name.h"
#include "common/service.h"

#define TEXT_BYTES	    1024
#define TEXT_AGO_BYTES	    32
#define TEXT_SIZE_BYTES	    24
#define TEXT_QUOTE_BYTES    (NAME_BYTES * 4 + 3)
#define TEXT_SERVICES_BYTES ((size_t)SERVICES_MAX * (SERVICE_TEXT_BYTES + 2))

/* Makes the process's multibyte encoding UTF-8, whatever the environment says. */
void text_init(void);

/* Copies, cut at `room`; what is malformed or would move a cursor becomes '?', a line feed ' '. */
void text_clean(char *out, size_t room, const char *in);

/* Columns that a clean text takes. */
unsigned text_width(const char *s);

/* Bytes of the longest beginning that fits into `width` columns; at least one character. */
size_t text_fit(const char *s, unsigned width);

/* Bytes of the first line of s wrapped at blanks to `width` columns. */
size_t text_line(const char *s, unsigned width);

/* Columns of standard output's window, 80 when there is none. */
unsigned text_columns(void);

/* A paragraph: formatted, cleaned, wrapped, each line after `indent` blanks. */
void text_para(FILE *out, unsigned indent, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* "2 minutes ago", "in 3 hours", "now"; "never" for 0. */
void text_ago(char out[TEXT_AGO_BYTES], int64_t at, int64_t now);

/* "1.4 MiB" */
void text_size(char out[TEXT_SIZE_BYTES], uint64_t bytes);

/* "3 minutes", from seconds. */
void text_duration(char out[TEXT_AGO_BYTES], uint64_t seconds);

/* A name as it can be typed to a shell. */
const char *text_quote(char out[TEXT_QUOTE_BYTES], const struct name *name);

/* "tcp/80, tcp/443" */
const char *text_services(char out[TEXT_SERVICES_BYTES], const struct services *list);
