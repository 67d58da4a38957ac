/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WireGuard keys: 32 bytes, base64 (44 characters) in text (wg(8)). There is no format function
 * that takes a struct wg_secret by accident: secret keys live in a type of their own, are wiped by
 * key_wipe, and only the two places that must write one (config for a phone, gateway.key) ask for
 * it by name. All cryptography is libsodium's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

#define WG_KEY_BYTES	  32
#define WG_KEY_TEXT_BYTES 45 /* 44 characters of base64 and NUL */

struct wg_key {
	uint8_t b[WG_KEY_BYTES]; /* public */
};

struct wg_secret {
	uint8_t b[WG_KEY_BYTES]; /* private or preshared; wipe after use */
};

/* Strict base64 of exactly 32 bytes. Does not judge the key. ERR_BAD_KEY. */
int key_parse(struct wg_key *out, const char *text) __attribute__((warn_unused_result));
void key_format(char out[WG_KEY_TEXT_BYTES], const struct wg_key *key);
/* Public keys with which X25519 yields only zero (low-order points, RFC 7748 section 6.1), and the
 * all-zero key: WireGuard accepts them and they never work. */
bool key_is_low_order(const struct wg_key *key);
bool key_equal(const struct wg_key *a, const struct wg_key *b);

int secret_parse(struct wg_secret *out, const char *text) __attribute__((warn_unused_result));
void secret_format(char out[WG_KEY_TEXT_BYTES], const struct wg_secret *key);
/* A clamped X25519 private key from the kernel's generator. */
void secret_generate(struct wg_secret *out);
/* 32 random bytes: a preshared key. */
void secret_random(struct wg_secret *out);
void secret_public(struct wg_key *out, const struct wg_secret *secret);
bool secret_is_zero(const struct wg_secret *secret);
bool secret_equal(const struct wg_secret *a, const struct wg_secret *b); /* constant time */
void key_wipe(void *p, unsigned long n);				 /* not optimised away */

static inline void secret_cleanup(struct wg_secret *s)
{
	key_wipe(s, sizeof(*s));
}
#define auto_secret __attribute__((cleanup(secret_cleanup))) struct wg_secret
