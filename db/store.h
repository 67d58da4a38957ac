/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store: peers, printers, grants, sealed configs, events and a few facts, in one SQLite file
 * that only printgate-core opens. Every function is one prepared statement or a few; several of
 * them are made one by store_begin and store_commit. Times are seconds since the epoch, 0 is none.
 *
 * Ownership: callbacks get pointers that are valid during the call only. A callback returns 0 to go
 * on; anything else ends the iteration and is returned. It may read the store by other functions
 * than the one that calls it (ERR_INTERNAL for the same one) and may not write.
 * Errors: ERR_STORE (SQLite said no; the text names the file and what to do), ERR_NOT_FOUND,
 * ERR_NAME_TAKEN, ERR_KEY_TAKEN, ERR_POOL_FULL, ERR_CONFLICT (an address or VPN prefix that is
 * taken).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/control.h"

struct store;

struct store_printer {
	int64_t id;
	struct name name;
	uint8_t kind;		/* enum printer_kind */
	struct prefix4 address; /* 0.0.0.0/32 for PRINTER_SELF */
	struct prefix4 vpn;
	char preset[PRESET_NAME_BYTES];
	struct services services;
	int64_t created;
	struct host host;	  /* by which it was given; "" for none */
	struct hardware hardware; /* by which it is known again; only with a host */
	bool moved;		  /* closed: PRINTER_MOVED; only with a host */
};

struct store_peer {
	int64_t id;
	struct name name;
	struct wg_key public_key;
	struct wg_secret preshared; /* zero: none */
	uint32_t address;
	int64_t created;
	int64_t expires;
	int64_t first_handshake; /* 0: never seen */
	bool disabled;
	bool own_key; /* it brought its public key: no private key of it was ever here */
};

struct store_grant {
	int64_t peer_id;
	int64_t printer_id;
	struct name printer;
	uint32_t peer_address;
	struct prefix4 vpn;
	int64_t expires;
};

/* Opens or creates `path` (mode 0600), checks it (application_id, integrity of the schema,
 * user_version) and migrates it, with a copy `path.vN.bak` made first. A file that is not a
 * printgate store, is newer than this program, or cannot be read is left alone: ERR_STORE. So is
 * one that another process has open. Once per process and file: closing any descriptor of it drops
 * the locks (fcntl(2)). */
int store_open(struct store **out, const char *path, struct diag *d)
	__attribute__((warn_unused_result));
void store_free(struct store *s); /* NULL is allowed */

int store_begin(struct store *s, struct diag *d) __attribute__((warn_unused_result));
int store_commit(struct store *s, struct diag *d) __attribute__((warn_unused_result));
void store_rollback(struct store *s); /* does nothing outside a transaction */

/* Facts: short texts by key ("tunnel", "peer_cursor", "clock_mark"). */
int store_meta_get(struct store *s, const char *key, char *out, size_t size, struct diag *d)
	__attribute__((warn_unused_result)); /* ERR_NOT_FOUND */
int store_meta_set(struct store *s, const char *key, const char *value, struct diag *d)
	__attribute__((warn_unused_result));

/* Printers. Insert sets p->id; names are compared without regard to case (Unicode folding). */
int store_printer_insert(struct store *s, struct store_printer *p, struct diag *d)
	__attribute__((warn_unused_result));
int store_printer_by_name(struct store *s, const struct name *name, struct store_printer *out,
			  struct diag *d) __attribute__((warn_unused_result));
int store_printer_by_id(struct store *s, int64_t id, struct store_printer *out, struct diag *d)
	__attribute__((warn_unused_result)); /* ERR_NOT_FOUND */
/* Where a printer with a host is now, by what it is known, and whether it is closed. */
int store_printer_move(struct store *s, int64_t id, uint32_t address,
		       const struct hardware *hardware, bool moved, struct diag *d)
	__attribute__((warn_unused_result)); /* ERR_NOT_FOUND */
int store_printer_delete(struct store *s, int64_t id, struct diag *d)
	__attribute__((warn_unused_result)); /* its grants go too */
typedef int (*store_printer_fn)(void *arg, const struct store_printer *p);
int store_printer_each(struct store *s, store_printer_fn fn, void *arg, struct diag *d)
	__attribute__((warn_unused_result)); /* by VPN address */
/* A free place for a printer in the house of `tunnel`: for len 32 the lowest VPN address that is
 * neither the network address nor the gateway, for a shorter one the highest aligned block.
 * ERR_POOL_FULL with a sentence that says what would help. */
int store_vpn_free(struct store *s, struct prefix4 tunnel, uint8_t len, struct prefix4 *out,
		   struct diag *d) __attribute__((warn_unused_result));

/* Peers. Only those not revoked, by all of these. */
int store_peer_insert(struct store *s, struct store_peer *p, struct diag *d)
	__attribute__((warn_unused_result));
int store_peer_by_name(struct store *s, const struct name *name, struct store_peer *out,
		       struct diag *d) __attribute__((warn_unused_result));
int store_peer_by_address(struct store *s, uint32_t address, struct store_peer *out, struct diag *d)
	__attribute__((warn_unused_result));
int store_peer_by_key(struct store *s, const struct wg_key *key, struct store_peer *out,
		      struct diag *d) __attribute__((warn_unused_result));
int store_peer_rename(struct store *s, int64_t id, const struct name *to, struct diag *d)
	__attribute__((warn_unused_result));
int store_peer_rekey(struct store *s, int64_t id, const struct wg_key *key,
		     const struct wg_secret *preshared, bool own_key, struct diag *d)
	__attribute__((warn_unused_result)); /* first_handshake becomes 0 */
int store_peer_disable(struct store *s, int64_t id, bool disabled, struct diag *d)
	__attribute__((warn_unused_result));
int store_peer_connected(struct store *s, int64_t id, int64_t first_handshake, struct diag *d)
	__attribute__((warn_unused_result));
/* Marks it revoked at `now`, frees name, key and address, deletes its grants, preshared key and
 * sealed config; the record stays. */
int store_peer_revoke(struct store *s, int64_t id, int64_t now, struct diag *d)
	__attribute__((warn_unused_result));
typedef int (*store_peer_fn)(void *arg, const struct store_peer *p);
int store_peer_each(struct store *s, store_peer_fn fn, void *arg, struct diag *d)
	__attribute__((warn_unused_result)); /* by id */
int store_peer_count(struct store *s, int64_t *out, struct diag *d)
	__attribute__((warn_unused_result));
/* The next free peer address within first..last after `after`, going round (`after` need not be
 * within). One look-up where that address is free; ERR_POOL_FULL when all are taken. */
int store_peer_free_address(struct store *s, uint32_t first, uint32_t last, uint32_t after,
			    uint32_t *out, struct diag *d) __attribute__((warn_unused_result));
/* The next peer's end after `now`; 0 if none. */
int store_peer_next_expiry(struct store *s, int64_t now, int64_t *out, struct diag *d)
	__attribute__((warn_unused_result));

/* Grants. Put inserts or replaces the end. */
int store_grant_put(struct store *s, int64_t peer_id, int64_t printer_id, int64_t expires,
		    int64_t now, struct diag *d) __attribute__((warn_unused_result));
int store_grant_delete(struct store *s, int64_t peer_id, int64_t printer_id, struct diag *d)
	__attribute__((warn_unused_result)); /* ERR_NOT_FOUND */
typedef int (*store_grant_fn)(void *arg, const struct store_grant *g);
int store_grant_each(struct store *s, store_grant_fn fn, void *arg, struct diag *d)
	__attribute__((warn_unused_result)); /* all, ordered by peer id, then printer name */
int store_grant_each_of_peer(struct store *s, int64_t peer_id, store_grant_fn fn, void *arg,
			     struct diag *d) __attribute__((warn_unused_result));
int store_grant_each_of_printer(struct store *s, int64_t printer_id, store_grant_fn fn, void *arg,
				struct diag *d) __attribute__((warn_unused_result));

/* Sealed configs: opaque bytes, at most one per peer. */
#define STORE_SEALED_MAX 2048
int store_sealed_put(struct store *s, int64_t peer_id, const uint8_t *bytes, size_t n, int64_t now,
		     struct diag *d) __attribute__((warn_unused_result));
int store_sealed_get(struct store *s, int64_t peer_id, uint8_t out[STORE_SEALED_MAX], size_t *n,
		     int64_t *created, struct diag *d)
	__attribute__((warn_unused_result)); /* ERR_NOT_FOUND */
int store_sealed_erase(struct store *s, int64_t peer_id, struct diag *d)
	__attribute__((warn_unused_result)); /* no error if there is none */
int store_sealed_erase_before(struct store *s, int64_t created, struct diag *d)
	__attribute__((warn_unused_result)); /* INT64_MAX: all */
int store_sealed_count(struct store *s, int64_t *out, struct diag *d)
	__attribute__((warn_unused_result));

/* Events: who did what. Kept to the newest STORE_EVENTS_MAX. */
#define STORE_EVENTS_MAX 20000
int store_event_add(struct store *s, const struct control_event *e, struct diag *d)
	__attribute__((warn_unused_result));
typedef int (*store_event_fn)(void *arg, const struct control_event *e);
int store_event_each(struct store *s, const struct name *peer, uint32_t limit, store_event_fn fn,
		     void *arg, struct diag *d)
	__attribute__((warn_unused_result)); /* newest first; peer NULL or "": all */

/* The page's password and token: only what they can be checked by. A new one erases the old. */
#define STORE_PASSWORD_BYTES 128 /* crypto_pwhash_STRBYTES */
#define STORE_TOKEN_BYTES    32
struct store_page {
	char password[STORE_PASSWORD_BYTES]; /* its hash, ASCII; "" for none */
	bool has_token;
	uint8_t token[STORE_TOKEN_BYTES]; /* its hash */
};
int store_page_get(struct store *s, struct store_page *out, struct diag *d)
	__attribute__((warn_unused_result));
int store_page_password(struct store *s, const char *hash, struct diag *d)
	__attribute__((warn_unused_result));
int store_page_token(struct store *s, const uint8_t hash[STORE_TOKEN_BYTES], struct diag *d)
	__attribute__((warn_unused_result));

/* Peers whose QR code is to be shown still, after a file provisioned them. */
struct store_claim {
	int64_t peer_id;
	uint8_t show;	  /* enum provision_show */
	uint16_t minutes; /* of the machine's uptime */
};
int store_claim_put(struct store *s, const struct store_claim *c, struct diag *d)
	__attribute__((warn_unused_result));
int store_claim_delete(struct store *s, int64_t peer_id, struct diag *d)
	__attribute__((warn_unused_result)); /* also if there is none */
typedef int (*store_claim_fn)(void *arg, const struct store_claim *c);
int store_claim_each(struct store *s, store_claim_fn fn, void *arg, struct diag *d)
	__attribute__((warn_unused_result));
