/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Peers in the store. Every function but store_peer_each and store_peer_count is a look-up in an
 * index; all of them see only peers that are not revoked.
 */
#include "db/store_internal.h"

#include <string.h>

static void peer_read(struct query *q, struct store_peer *out)
{
	memset(out, 0, sizeof(*out));
	out->id = query_get_int(q, 0);
	query_get_text(q, 1, out->name.s, sizeof(out->name.s));
	query_get_blob(q, 2, out->public_key.b, sizeof(out->public_key.b));
	if (sqlite3_column_type(q->st, 3) != SQLITE_NULL)
		query_get_blob(q, 3, out->preshared.b, sizeof(out->preshared.b));
	out->address = (uint32_t)query_get_int(q, 4);
	out->created = query_get_int(q, 5);
	out->expires = query_get_int(q, 6);
	out->first_handshake = query_get_int(q, 7);
	out->disabled = query_get_int(q, 8) != 0;
	out->own_key = query_get_int(q, 9) != 0;
}

static void bind_preshared(struct query *q, const struct wg_secret *preshared)
{
	if (secret_is_zero(preshared))
		query_null(q);
	else
		query_blob(q, preshared->b, sizeof(preshared->b));
}

/* 1 and *out, 0 if there is none, or an error. */
static int peer_find(struct query *q, struct store_peer *out, struct diag *d)
{
	int got = query_row(q, d);

	if (got != 1)
		return got;
	peer_read(q, out);
	int err = query_good(q, d);

	return err ? err : 1;
}

/* Turns "a constraint refused it" into who is in the way. */
static int peer_conflict(struct query *q, const struct name *name, const struct wg_key *key,
			 struct diag *d)
{
	const char *why = sqlite3_errmsg(q->s->db);
	struct store_peer other;

	if (name && strstr(why, "peer.folded"))
		return diag_set(d, ERR_NAME_TAKEN,
				"a peer called \"%s\" exists already (names do not differ by case)",
				name->s);
	if (key && strstr(why, "peer.public_key")) {
		int err = store_peer_by_key(q->s, key, &other, d);

		if (err)
			return err;
		key_wipe(&other.preshared, sizeof(other.preshared));
		return diag_set(d, ERR_KEY_TAKEN, "the peer \"%s\" has this public key already",
				other.name.s);
	}
	return ERR_CONFLICT;
}

int store_peer_insert(struct store *s, struct store_peer *p, struct diag *d)
{
	auto_query q = query_open(s, Q_PEER_INSERT);
	char folded[FOLD_BYTES];
	int err = fold_name(folded, p->name.s, d);

	if (err)
		return err;
	query_text(&q, p->name.s);
	query_text(&q, folded);
	query_blob(&q, p->public_key.b, sizeof(p->public_key.b));
	bind_preshared(&q, &p->preshared);
	query_int(&q, p->address);
	query_int(&q, p->created);
	query_int(&q, p->expires);
	query_int(&q, p->first_handshake);
	query_int(&q, p->disabled);
	query_int(&q, p->own_key);
	err = query_run(&q, d);
	if (err == ERR_CONFLICT)
		return peer_conflict(&q, &p->name, &p->public_key, d);
	if (!err)
		p->id = sqlite3_last_insert_rowid(s->db);
	return err;
}

int store_peer_by_name(struct store *s, const struct name *name, struct store_peer *out,
		       struct diag *d)
{
	auto_query q = query_open(s, Q_PEER_BY_NAME);
	char folded[FOLD_BYTES];
	int got = fold_name(folded, name->s, d);

	if (got)
		return got;
	query_text(&q, folded);
	got = peer_find(&q, out, d);
	if (got == 0)
		return diag_set(d, ERR_NOT_FOUND, "there is no peer called \"%s\"", name->s);
	return got < 0 ? got : 0;
}

int store_peer_by_address(struct store *s, uint32_t address, struct store_peer *out, struct diag *d)
{
	auto_query q = query_open(s, Q_PEER_BY_ADDRESS);
	char text[IP4_TEXT_BYTES];

	query_int(&q, address);
	int got = peer_find(&q, out, d);

	if (got != 0)
		return got < 0 ? got : 0;
	ip4_format(text, address);
	return diag_set(d, ERR_NOT_FOUND, "no peer has the address %s", text);
}

int store_peer_by_key(struct store *s, const struct wg_key *key, struct store_peer *out,
		      struct diag *d)
{
	auto_query q = query_open(s, Q_PEER_BY_KEY);

	query_blob(&q, key->b, sizeof(key->b));
	int got = peer_find(&q, out, d);

	if (got == 0)
		return diag_set(d, ERR_NOT_FOUND, "no peer has this public key");
	return got < 0 ? got : 0;
}

int store_peer_rename(struct store *s, int64_t id, const struct name *to, struct diag *d)
{
	auto_query q = query_open(s, Q_PEER_RENAME);
	char folded[FOLD_BYTES];
	int err = fold_name(folded, to->s, d);

	if (err)
		return err;
	query_int(&q, id);
	query_text(&q, to->s);
	query_text(&q, folded);
	err = query_change(&q, "peer", d);
	return err == ERR_CONFLICT ? peer_conflict(&q, to, NULL, d) : err;
}

int store_peer_rekey(struct store *s, int64_t id, const struct wg_key *key,
		     const struct wg_secret *preshared, bool own_key, struct diag *d)
{
	auto_query q = query_open(s, Q_PEER_REKEY);

	query_int(&q, id);
	query_blob(&q, key->b, sizeof(key->b));
	bind_preshared(&q, preshared);
	query_int(&q, own_key);
	int err = query_change(&q, "peer", d);

	if (err == ERR_CONFLICT)
		return peer_conflict(&q, NULL, key, d);
	if (!err)
		store_erased(s);
	return err;
}

int store_peer_disable(struct store *s, int64_t id, bool disabled, struct diag *d)
{
	auto_query q = query_open(s, Q_PEER_DISABLE);

	query_int(&q, id);
	query_int(&q, disabled);
	return query_change(&q, "peer", d);
}

int store_peer_connected(struct store *s, int64_t id, int64_t first_handshake, struct diag *d)
{
	auto_query q = query_open(s, Q_PEER_CONNECTED);

	query_int(&q, id);
	query_int(&q, first_handshake);
	return query_change(&q, "peer", d);
}

static int revoke_mark(struct store *s, int64_t id, int64_t now, struct diag *d)
{
	auto_query q = query_open(s, Q_PEER_REVOKE);

	query_int(&q, id);
	query_int(&q, now);
	return query_change(&q, "peer", d);
}

static int revoke_grants(struct store *s, int64_t id, struct diag *d)
{
	auto_query q = query_open(s, Q_GRANT_DELETE_OF_PEER);

	query_int(&q, id);
	return query_run(&q, d);
}

int store_peer_revoke(struct store *s, int64_t id, int64_t now, struct diag *d)
{
	int err = store_part_begin(s, d);

	if (err)
		return err;
	err = revoke_mark(s, id, now, d);
	if (!err)
		err = revoke_grants(s, id, d);
	if (!err)
		err = store_sealed_erase(s, id, d);
	if (!err)
		store_erased(s); /* the preshared key */
	return store_part_end(s, err, d);
}

int store_peer_each(struct store *s, store_peer_fn fn, void *arg, struct diag *d)
{
	auto_query q = query_open(s, Q_PEER_EACH);
	struct store_peer p;
	int got;

	while ((got = peer_find(&q, &p, d)) == 1) {
		got = fn(arg, &p);
		if (got)
			break;
	}
	key_wipe(&p.preshared, sizeof(p.preshared));
	return got;
}

int store_peer_count(struct store *s, int64_t *out, struct diag *d)
{
	auto_query q = query_open(s, Q_PEER_COUNT);
	int got = query_row(&q, d);

	if (got < 0)
		return got;
	*out = query_get_int(&q, 0);
	return 0;
}

int store_peer_next_expiry(struct store *s, int64_t now, int64_t *out, struct diag *d)
{
	auto_query q = query_open(s, Q_PEER_NEXT_EXPIRY);

	query_int(&q, now);
	int got = query_row(&q, d);

	if (got < 0)
		return got;
	*out = got ? query_get_int(&q, 0) : 0;
	return 0;
}
