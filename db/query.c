/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs prepared statements for the rest of db/. It knows SQLite's calls and result codes and
 * nothing about peers or printers; the SQL is in query_sql.c.
 */
#include "db/query.h"

#include <limits.h>
#include <string.h>

#include "db/store_internal.h"

/* A statement that is running cannot be used again from its own callback: fail, do not restart. */
struct query query_open(struct store *s, enum query_id id)
{
	struct query q = {.s = s, .rc = SQLITE_OK};
	sqlite3_stmt **slot = &s->query[id];

	if (!*slot)
		q.rc = sqlite3_prepare_v3(s->db, query_sql[id], -1, SQLITE_PREPARE_PERSISTENT, slot,
					  NULL);
	else if (sqlite3_stmt_busy(*slot))
		q.rc = SQLITE_MISUSE;
	if (q.rc == SQLITE_OK)
		q.st = *slot;
	return q;
}

void query_close(struct query *q)
{
	if (!q->st)
		return;
	(void)sqlite3_reset(q->st);
	(void)sqlite3_clear_bindings(q->st);
	q->st = NULL;
}

static void note(struct query *q, int rc)
{
	if (q->rc == SQLITE_OK)
		q->rc = rc;
}

void query_int(struct query *q, int64_t v)
{
	if (q->st)
		note(q, sqlite3_bind_int64(q->st, ++q->bound, v));
}

void query_text(struct query *q, const char *v)
{
	if (q->st)
		note(q, sqlite3_bind_text(q->st, ++q->bound, v, -1, SQLITE_STATIC));
}

void query_blob(struct query *q, const void *v, size_t n)
{
	if (q->st)
		note(q, sqlite3_bind_blob64(q->st, ++q->bound, v, n, SQLITE_STATIC));
}

void query_null(struct query *q)
{
	if (q->st)
		note(q, sqlite3_bind_null(q->st, ++q->bound));
}

int query_row(struct query *q, struct diag *d)
{
	int rc;

	if (q->rc != SQLITE_OK)
		return store_error(q->s->db, q->s->path, q->rc, d);
	rc = sqlite3_step(q->st);
	if (rc == SQLITE_ROW)
		return 1;
	if (rc == SQLITE_DONE)
		return 0;
	q->rc = rc;
	return store_error(q->s->db, q->s->path, rc, d);
}

int query_run(struct query *q, struct diag *d)
{
	int got = query_row(q, d);

	/* Outside a transaction the statement was a commit of its own. */
	if ((q->rc & 0xff) == SQLITE_IOERR && sqlite3_get_autocommit(q->s->db))
		store_retract(q->s);
	if (got > 0)
		return diag_set(d, ERR_INTERNAL, "a statement of the store has rows: %s",
				sqlite3_sql(q->st));
	return got;
}

int query_change(struct query *q, const char *what, struct diag *d)
{
	int err = query_run(q, d);

	if (err)
		return err;
	if (sqlite3_changes(q->s->db) == 0)
		return diag_set(d, ERR_NOT_FOUND, "there is no such %s", what);
	return 0;
}

int64_t query_get_int(struct query *q, int col)
{
	return sqlite3_column_int64(q->st, col);
}

void query_get_text(struct query *q, int col, char *out, size_t size)
{
	const unsigned char *text = sqlite3_column_text(q->st, col);
	size_t n = (size_t)sqlite3_column_bytes(q->st, col);

	memset(out, 0, size);
	if (!text || n >= size || memchr(text, 0, n))
		note(q, SQLITE_CORRUPT);
	else
		memcpy(out, text, n);
}

void query_get_blob(struct query *q, int col, void *out, size_t n)
{
	const void *blob = sqlite3_column_blob(q->st, col);

	memset(out, 0, n);
	if (!blob || (size_t)sqlite3_column_bytes(q->st, col) != n)
		note(q, SQLITE_CORRUPT);
	else
		memcpy(out, blob, n);
}

int query_good(struct query *q, struct diag *d)
{
	return q->rc == SQLITE_OK ? 0 : store_error(q->s->db, q->s->path, q->rc, d);
}
