/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store's facts about provisioning.
 */
#include "daemon/core/provision.h"

#include <string.h>

#include <sodium.h>

#include "daemon/core/commit.h"
#include "daemon/core/core.h"

#define CODE_KEY "provision_code"
#define HASH_KEY "provision_hash"

#define CODE_DIGITS 8 /* 40 bits, and a file is tried once a boot */

/* Douglas Crockford's digits: none of them looks like another. */
static void make_code(char out[CONTROL_CODE_BYTES])
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint8_t random[CODE_DIGITS];
	size_t n = 0;

	randombytes_buf(random, sizeof(random));
	for (unsigned i = 0; i < CODE_DIGITS; i++) {
		if (i == CODE_DIGITS / 2)
			out[n++] = '-';
		out[n++] = digits[random[i] % (sizeof(digits) - 1)];
	}
	out[n] = '\0';
}

static int first_code(struct core *c, void *arg, struct diag *d)
{
	make_code(arg);
	return store_meta_set(c->store, CODE_KEY, arg, d);
}

int provision_open(struct core *c, struct diag *d)
{
	char *code = c->provision.code;
	int r = store_meta_get(c->store, CODE_KEY, code, CONTROL_CODE_BYTES, d);

	return r == ERR_NOT_FOUND ? commit_store(c, first_code, code, d) : r;
}

int provision_note(struct core *c, const char *hash, char code[CONTROL_CODE_BYTES], struct diag *d)
{
	const int r = store_meta_set(c->store, HASH_KEY, hash, d);

	return r ? r : first_code(c, code, d);
}

void provision_renewed(struct core *c, const char code[CONTROL_CODE_BYTES])
{
	memcpy(c->provision.code, code, CONTROL_CODE_BYTES);
}

int provision_applied(struct core *c, const char *hash, bool *yes, struct diag *d)
{
	char kept[PROVISION_HASH_BYTES];
	const int r = store_meta_get(c->store, HASH_KEY, kept, sizeof(kept), d);

	*yes = r == 0 && !strcmp(kept, hash);
	return r == ERR_NOT_FOUND ? 0 : r;
}
