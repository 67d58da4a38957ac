/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions in an array that is looked through wholly: there are few, and nothing is told by how long
 * that takes.
 */
#include "daemon/core/web_session.h"

#include <sodium.h>
#include <string.h>

/* What a hash under the key is for: the two never coincide. */
enum purpose { FOR_NAME = 'n', FOR_FORM = 'f' };

static void keyed_hash(const struct web_sessions *s, enum purpose purpose,
		       const struct web_secret *id, uint8_t *out, size_t n)
{
	uint8_t in[1 + WEB_SECRET_BYTES] = {(uint8_t)purpose};

	memcpy(in + 1, id->bytes, WEB_SECRET_BYTES);
	(void)crypto_generichash(out, n, in, sizeof(in), s->key, sizeof(s->key));
	sodium_memzero(in, sizeof(in));
}

void web_session_open(struct web_sessions *s)
{
	randombytes_buf(s->key, sizeof(s->key));
	web_session_end_all(s);
}

static void drop(struct web_sessions *s, unsigned i)
{
	memmove(&s->item[i], &s->item[i + 1], (s->n - i - 1) * sizeof(s->item[0]));
	s->n--;
	sodium_memzero(&s->item[s->n], sizeof(s->item[0]));
}

static void drop_ended(struct web_sessions *s, int64_t now)
{
	for (unsigned i = s->n; i-- > 0;)
		if (now - s->item[i].begun >= WEB_SESSION_LONG ||
		    now - s->item[i].used >= WEB_SESSION_IDLE)
			drop(s, i);
}

/* -1: there is none of that name. */
static int find(struct web_sessions *s, const struct web_secret *id, int64_t now)
{
	uint8_t hash[WEB_SESSION_HASH_BYTES];
	int found = -1;

	drop_ended(s, now);
	keyed_hash(s, FOR_NAME, id, hash, sizeof(hash));
	for (unsigned i = 0; i < s->n; i++)
		if (sodium_memcmp(s->item[i].hash, hash, sizeof(hash)) == 0)
			found = (int)i;
	return found;
}

void web_session_make(struct web_sessions *s, int64_t now, struct web_secret *id)
{
	drop_ended(s, now);
	if (s->n == WEB_SESSIONS_MAX)
		drop(s, 0);
	randombytes_buf(id->bytes, sizeof(id->bytes));
	s->item[s->n].begun = s->item[s->n].used = now;
	keyed_hash(s, FOR_NAME, id, s->item[s->n].hash, WEB_SESSION_HASH_BYTES);
	s->n++;
}

int web_session_use(struct web_sessions *s, const struct web_secret *id, int64_t now,
		    struct web_session_view *out)
{
	const int i = find(s, id, now);

	if (i < 0)
		return ERR_NOT_FOUND;
	s->item[i].used = now;
	keyed_hash(s, FOR_FORM, id, out->csrf.bytes, sizeof(out->csrf.bytes));
	out->left = s->item[i].begun + WEB_SESSION_LONG - now;
	return 0;
}

int web_session_end(struct web_sessions *s, const struct web_secret *id,
		    const struct web_secret *csrf, int64_t now)
{
	const int i = find(s, id, now);
	auto_web_secret own = {{0}};

	if (i < 0)
		return ERR_NOT_FOUND;
	keyed_hash(s, FOR_FORM, id, own.bytes, sizeof(own.bytes));
	if (!web_secret_equal(&own, csrf))
		return ERR_DENIED;
	drop(s, (unsigned)i);
	return 0;
}

void web_session_end_all(struct web_sessions *s)
{
	sodium_memzero(s->item, sizeof(s->item));
	s->n = 0;
}

void web_session_token_hash(uint8_t out[WEB_SESSION_HASH_BYTES], const struct web_secret *token)
{
	(void)crypto_generichash(out, WEB_SESSION_HASH_BYTES, token->bytes, sizeof(token->bytes),
				 NULL, 0);
}
