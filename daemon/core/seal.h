/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sealing of phones' private keys (XChaCha20-Poly1305), so that a config can be shown again for a
 * while without being readable on disk. What is sealed is bound to the peer's public key: moved to
 * another peer's row it does not open.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/key.h"

#define SEAL_BYTES (24 + WG_KEY_BYTES + 16) /* nonce, secret, tag */

struct seal;

/* path NULL: under a key made now and held in this process's memory only. Otherwise under the key
 * in that file, made (0600) if it is not there: for owners who asked for configs to be kept.
 * *fresh: the key is new, nothing sealed earlier will open. */
int seal_open(struct seal **out, const char *path, bool *fresh, struct diag *d)
	__attribute__((warn_unused_result));
void seal_free(struct seal *s); /* wipes the key */

void seal_close(const struct seal *s, uint8_t out[SEAL_BYTES], const struct wg_secret *secret,
		const struct wg_key *public_key);
/* ERR_NO_CONFIG if it was not sealed by this key for this peer, or was altered. */
int seal_reveal(const struct seal *s, struct wg_secret *out, const uint8_t *sealed, unsigned long n,
		const struct wg_key *public_key) __attribute__((warn_unused_result));
