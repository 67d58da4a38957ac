/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WireGuard keys by libsodium. Secrets pass through locals that are wiped on every way out.
 */
#include "common/key.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static void base64_encode(char out[WG_KEY_TEXT_BYTES], const uint8_t in[WG_KEY_BYTES])
{
	(void)sodium_bin2base64(out, WG_KEY_TEXT_BYTES, in, WG_KEY_BYTES,
				sodium_base64_VARIANT_ORIGINAL);
}

/* libsodium's decoder takes some bytes above 0x7f for characters of the alphabet (1.0.18, where char
 * is signed); so the text must also be what its own bytes encode to. */
static int base64_decode(uint8_t out[WG_KEY_BYTES], const char *text)
{
	char again[WG_KEY_TEXT_BYTES];
	size_t n = 0;
	int differs;

	if (strnlen(text, WG_KEY_TEXT_BYTES) != WG_KEY_TEXT_BYTES - 1)
		return ERR_BAD_KEY;
	if (sodium_base642bin(out, WG_KEY_BYTES, text, WG_KEY_TEXT_BYTES - 1, NULL, &n, NULL,
			      sodium_base64_VARIANT_ORIGINAL) ||
	    n != WG_KEY_BYTES)
		return ERR_BAD_KEY;
	base64_encode(again, out);
	differs = sodium_memcmp(again, text, WG_KEY_TEXT_BYTES);
	key_wipe(again, sizeof(again));
	return differs ? ERR_BAD_KEY : 0;
}

int key_parse(struct wg_key *out, const char *text)
{
	struct wg_key key = {0};

	if (base64_decode(key.b, text))
		return ERR_BAD_KEY;
	*out = key;
	return 0;
}

void key_format(char out[WG_KEY_TEXT_BYTES], const struct wg_key *key)
{
	base64_encode(out, key->b);
}

/* libsodium refuses to return an all-zero shared secret. Any scalar tells: clamping makes it a
 * multiple of the cofactor, so a low-order point gives zero with each and every one. */
bool key_is_low_order(const struct wg_key *key)
{
	static const uint8_t scalar[crypto_scalarmult_SCALARBYTES] = {1};
	uint8_t shared[crypto_scalarmult_BYTES];

	return sodium_is_zero(key->b, WG_KEY_BYTES) ||
	       crypto_scalarmult(shared, scalar, key->b) != 0;
}

bool key_equal(const struct wg_key *a, const struct wg_key *b)
{
	return memcmp(a->b, b->b, WG_KEY_BYTES) == 0;
}

int secret_parse(struct wg_secret *out, const char *text)
{
	auto_secret secret = {0};

	if (base64_decode(secret.b, text))
		return ERR_BAD_KEY;
	*out = secret;
	return 0;
}

void secret_format(char out[WG_KEY_TEXT_BYTES], const struct wg_secret *key)
{
	base64_encode(out, key->b);
}

void secret_random(struct wg_secret *out)
{
	if (sodium_init() < 0) /* no random numbers: no key is better than a guessable one */
		abort();
	randombytes_buf(out->b, WG_KEY_BYTES);
}

void secret_generate(struct wg_secret *out)
{
	secret_random(out);
	out->b[0] &= 248;
	out->b[31] = (uint8_t)((out->b[31] & 127) | 64);
}

void secret_public(struct wg_key *out, const struct wg_secret *secret)
{
	(void)crypto_scalarmult_base(out->b, secret->b); /* returns 0 always */
}

bool secret_is_zero(const struct wg_secret *secret)
{
	return sodium_is_zero(secret->b, WG_KEY_BYTES);
}

bool secret_equal(const struct wg_secret *a, const struct wg_secret *b)
{
	return sodium_memcmp(a->b, b->b, WG_KEY_BYTES) == 0;
}

void key_wipe(void *p, unsigned long n)
{
	explicit_bzero(p, n);
}
