/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The head of an HTTP/1.1 request, read strictly (RFC 9112): what two programs could read differently
 * is refused instead of being read one way. Pure: bytes in, a struct or a status out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define HEAD_LINE_BYTES_MAX 2048 /* of the request line */
#define HEAD_BYTES_MAX	    8192 /* with the empty line at its end */
#define HEAD_BODY_BYTES_MAX 4096 /* of a body that a Content-Length announces */

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST };

/* Everything points into the bytes that were parsed. */
struct head {
	enum http_method method;
	const char *path;  /* before '?'; only letters, digits and "/._-" */
	const char *query; /* after '?', "" if there is none; percent-encoded as it came */
	const char *host;  /* an address or name, with ":port" if that was given */
	/* NULL: not sent */
	const char *cookie, *origin, *authorization, *content_type;
	size_t body_bytes; /* as announced, at most HEAD_BODY_BYTES_MAX */
};

/* Parses a head that may not be whole yet, and writes NULs into it when it is. Returns its length in
 * bytes, 0 if more is to come, or the negative HTTP status with which it is refused: 400 malformed,
 * 405 or 501 another method, 413 the body is too long, 414 the request line is, 417 it expects
 * something, 431 the head is too long, 501 a transfer coding, 505 another version. */
int head_parse(struct head *h, char *in, size_t n) __attribute__((warn_unused_result));

/* Is `host` (a Host header) this name or address literal, with or without a port? */
bool head_host_is(const char *host, const char *name);
