/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys and configs for peers, as enroll, qr and rekey need them.
 */
#pragma once

#include "daemon/core/request.h"
#include "db/store.h"

/* Gives *p its public and preshared key. own NULL: a key pair is made, *secret is its private half.
 * Otherwise the peer brings its public key and *secret stays zero. ERR_BAD_KEY, ERR_KEY_TAKEN. */
int issue_keys(const struct core *c, struct store_peer *p, const struct wg_key *own,
	       struct wg_secret *secret, struct diag *d) __attribute__((warn_unused_result));

/* Puts the private key into the store, sealed; inside a transaction. A peer that brought its own
 * key has none to be put: what was there is erased. */
int issue_seal(struct core *c, const struct store_peer *p, const struct wg_secret *secret,
	       struct diag *d) __attribute__((warn_unused_result));
/* The private key of the peer, if it is still kept. ERR_NO_CONFIG. */
int issue_unseal(struct core *c, const struct store_peer *p, struct wg_secret *out, struct diag *d)
	__attribute__((warn_unused_result));

/* A peer that has never connected and did not bring its own key: its keys are changed and nobody is
 * told the new ones, so that a picture of its code is worth nothing. Of any other, and of one that is
 * not there: nothing. */
int issue_spoil(const struct request *r, const struct name *name, struct diag *d)
	__attribute__((warn_unused_result));

/* CONFIG */
int issue_answer(const struct request *r, const struct store_peer *p,
		 const struct wg_secret *secret, struct diag *d)
	__attribute__((warn_unused_result));
