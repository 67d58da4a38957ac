/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Error codes' names and the sentences that go with them. Whatever was put into a sentence, it
 * leaves here as one that may be shown on a terminal and sent over the wire.
 */
#include "common/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/name.h"

static const char *const err_names[] = {
	"none",	       "internal",   "usage",	      "bad_name",    "name_taken", "not_found",
	"bad_address", "bad_prefix", "bad_service",   "bad_preset",  "bad_key",	   "key_taken",
	"pool_full",   "bad_time",   "not_permitted", "unreachable", "protocol",   "store",
	"kernel",      "config",     "conflict",      "system",	     "expired",	   "limit",
	"no_config",   "denied",
};

_Static_assert(ARRAY_LEN(err_names) == 1 - ERR_LAST, "every enum err has a name");

const char *err_name(int code)
{
	if (code > 0 || code < ERR_LAST)
		return "internal";
	return err_names[-code];
}

/* The arguments may point into d->text (a sentence put in front of an earlier one), hence the
 * detour by a buffer. */
static void __attribute__((format(printf, 3, 0)))
diag_store(struct diag *d, enum err code, const char *fmt, va_list ap, const char *tail)
{
	char text[DIAG_TEXT_BYTES] = "";
	size_t n;

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	n = strlen(text);
	if (tail)
		(void)snprintf(text + n, sizeof(text) - n, ": %s", tail);
	utf8_clean(text, 1);
	d->code = code;
	memcpy(d->text, text, sizeof(text));
}

int diag_set(struct diag *d, enum err code, const char *fmt, ...)
{
	va_list ap;

	if (!d)
		return code;
	va_start(ap, fmt);
	diag_store(d, code, fmt, ap, NULL);
	va_end(ap);
	return code;
}

int diag_errno(struct diag *d, const char *fmt, ...)
{
	int error = errno;
	va_list ap;

	if (!d)
		return ERR_SYSTEM;
	va_start(ap, fmt);
	diag_store(d, ERR_SYSTEM, fmt, ap, strerror(error));
	va_end(ap);
	return ERR_SYSTEM;
}
