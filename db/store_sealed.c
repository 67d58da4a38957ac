/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sealed configs: bytes that core alone can open. Erased means erased: in the database and in the
 * WAL.
 */
#include "db/store_internal.h"

#include <string.h>

int store_sealed_put(struct store *s, int64_t peer_id, const uint8_t *bytes, size_t n, int64_t now,
		     struct diag *d)
{
	auto_query q = query_open(s, Q_SEALED_PUT);

	query_int(&q, peer_id);
	query_blob(&q, bytes, n);
	query_int(&q, now);
	return query_change(&q, "peer", d);
}

int store_sealed_get(struct store *s, int64_t peer_id, uint8_t out[STORE_SEALED_MAX], size_t *n,
		     int64_t *created, struct diag *d)
{
	auto_query q = query_open(s, Q_SEALED_GET);

	query_int(&q, peer_id);
	int got = query_row(&q, d);

	if (got < 0)
		return got;
	if (!got)
		return diag_set(d, ERR_NOT_FOUND, "no config is kept for this peer");
	int size = sqlite3_column_bytes(q.st, 0);

	if (size < 1 || size > STORE_SEALED_MAX)
		return store_error(NULL, s->path, SQLITE_CORRUPT, d);
	query_get_blob(&q, 0, out, (size_t)size);
	*n = (size_t)size;
	*created = query_get_int(&q, 1);
	return query_good(&q, d);
}

static int erase(struct store *s, enum query_id id, int64_t arg, struct diag *d)
{
	auto_query q = query_open(s, id);

	query_int(&q, arg);
	int err = query_run(&q, d);

	if (!err && sqlite3_changes(s->db) > 0)
		store_erased(s);
	return err;
}

int store_sealed_erase(struct store *s, int64_t peer_id, struct diag *d)
{
	return erase(s, Q_SEALED_ERASE, peer_id, d);
}

int store_sealed_erase_before(struct store *s, int64_t created, struct diag *d)
{
	return erase(s, Q_SEALED_ERASE_BEFORE, created, d);
}

int store_sealed_count(struct store *s, int64_t *out, struct diag *d)
{
	auto_query q = query_open(s, Q_SEALED_COUNT);
	int got = query_row(&q, d);

	if (got < 0)
		return got;
	*out = query_get_int(&q, 0);
	return 0;
}
