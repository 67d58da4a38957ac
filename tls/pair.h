/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The certificate and its key: read from two descriptors, or made and written there.
 */
#pragma once

#include <stdint.h>

#include <openssl/x509.h>

#include "common/err.h"

#define PAIR_DIGEST_BYTES 32 /* SHA-256 */

struct pair {
	X509 *certificate;
	STACK_OF(X509) * chain; /* further certificates of the file; may be empty */
	EVP_PKEY *key;
};

/* Reads both, as PEM (RFC 7468). ERR_CONFIG with a sentence: empty, not understood, encrypted, or not
 * belonging together. Free with pair_free, in either case. */
int pair_read(struct pair *out, int certificate, int key, struct diag *d)
	__attribute__((warn_unused_result));
/* Makes a P-256 key and a self-signed certificate for these names and addresses, up to NULL, and
 * writes both in place of what is there: the key, then the certificate, each synced to disk, so that
 * a start that was cut off leaves no pair that fits. ERR_SYSTEM. Free with pair_free. */
int pair_make(struct pair *out, int certificate, int key, const char *const *names, struct diag *d)
	__attribute__((warn_unused_result));
/* SHA-256 over the certificate: what browsers show as its fingerprint. ERR_INTERNAL. */
int pair_digest(const struct pair *p, uint8_t out[PAIR_DIGEST_BYTES], struct diag *d)
	__attribute__((warn_unused_result));
void pair_free(struct pair *p);

/* As diag_set, with OpenSSL's own words for what has just failed. */
int pair_fail(struct diag *d, enum err code, const char *what);
