/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page's password and token, as hashes. Of the ones before nothing stays, in the database or in
 * the WAL: an old password is often used elsewhere.
 */
#include "db/store_internal.h"

#include <string.h>

int store_page_get(struct store *s, struct store_page *out, struct diag *d)
{
	auto_query q = query_open(s, Q_PAGE_GET);
	struct store_page p = {.has_token = false};
	int got = query_row(&q, d);

	if (got < 0)
		return got;
	if (!got)
		return store_error(NULL, s->path, SQLITE_CORRUPT, d);
	query_get_text(&q, 0, p.password, sizeof(p.password));
	p.has_token = sqlite3_column_bytes(q.st, 1) > 0;
	if (p.has_token)
		query_get_blob(&q, 1, p.token, sizeof(p.token));
	got = query_good(&q, d);
	if (got == 0)
		*out = p;
	return got;
}

static int changed(struct query *q, struct diag *d)
{
	const int err = query_change(q, "page", d);

	if (!err)
		store_erased(q->s);
	return err;
}

int store_page_password(struct store *s, const char *hash, struct diag *d)
{
	auto_query q = query_open(s, Q_PAGE_PASSWORD);

	query_text(&q, hash);
	return changed(&q, d);
}

int store_page_token(struct store *s, const uint8_t hash[STORE_TOKEN_BYTES], struct diag *d)
{
	auto_query q = query_open(s, Q_PAGE_TOKEN);

	query_blob(&q, hash, STORE_TOKEN_BYTES);
	return changed(&q, d);
}
