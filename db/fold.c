/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The form in which names are compared: full case folding, then NFC, so that neither case nor the
 * way an accent is encoded makes two names differ ("Straße" and "STRASSE", é and e + U+0301).
 * The names themselves are kept as they were typed.
 */
#include "db/store_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

int fold_name(char out[FOLD_BYTES], const char *name, struct diag *d)
{
	uint8_t buf[FOLD_BYTES];
	size_t size = sizeof(buf) - 1, n = strlen(name);
	uint8_t *folded;

	if (n > NAME_BYTES)
		return diag_set(d, ERR_BAD_NAME, "a name is at most %d bytes long", NAME_BYTES);
	out[0] = '\0';
	if (n == 0)
		return 0;
	if (u8_check((const uint8_t *)name, n))
		return diag_set(d, ERR_BAD_NAME, "a name must be text in UTF-8");
	/* With UNINORM_NFC it decomposes first, as caseless matching asks for. */
	folded = u8_casefold((const uint8_t *)name, n, NULL, UNINORM_NFC, buf, &size);
	if (folded != buf) {
		free(folded);
		return diag_set(d, ERR_INTERNAL, "a name cannot be folded");
	}
	memcpy(out, buf, size);
	out[size] = '\0';
	return 0;
}
