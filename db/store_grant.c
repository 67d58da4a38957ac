/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grants in the store (the table is called `access`). They end with their peer's revocation and go
 * with their printer. An end that has passed is the caller's matter: here it is a number.
 */
#include "db/store_internal.h"

#include <string.h>

int store_grant_put(struct store *s, int64_t peer_id, int64_t printer_id, int64_t expires,
		    int64_t now, struct diag *d)
{
	auto_query q = query_open(s, Q_GRANT_PUT);

	query_int(&q, peer_id);
	query_int(&q, printer_id);
	query_int(&q, expires);
	query_int(&q, now);
	int err = query_change(&q, "peer", d);

	if (err == ERR_CONFLICT && q.rc == SQLITE_CONSTRAINT_FOREIGNKEY)
		return diag_set(d, ERR_NOT_FOUND, "there is no such printer");
	return err;
}

int store_grant_delete(struct store *s, int64_t peer_id, int64_t printer_id, struct diag *d)
{
	auto_query q = query_open(s, Q_GRANT_DELETE);

	query_int(&q, peer_id);
	query_int(&q, printer_id);
	return query_change(&q, "grant", d);
}

static void grant_read(struct query *q, struct store_grant *out)
{
	memset(out, 0, sizeof(*out));
	out->peer_id = query_get_int(q, 0);
	out->printer_id = query_get_int(q, 1);
	query_get_text(q, 2, out->printer.s, sizeof(out->printer.s));
	out->peer_address = (uint32_t)query_get_int(q, 3);
	out->vpn.addr = (uint32_t)query_get_int(q, 4);
	out->vpn.len = (uint8_t)query_get_int(q, 5);
	out->expires = query_get_int(q, 6);
}

static int grant_loop(struct query *q, store_grant_fn fn, void *arg, struct diag *d)
{
	struct store_grant g;
	int got;

	while ((got = query_row(q, d)) == 1) {
		grant_read(q, &g);
		got = query_good(q, d);
		if (!got)
			got = fn(arg, &g);
		if (got)
			break;
	}
	return got;
}

int store_grant_each(struct store *s, store_grant_fn fn, void *arg, struct diag *d)
{
	auto_query q = query_open(s, Q_GRANT_EACH);

	return grant_loop(&q, fn, arg, d);
}

int store_grant_each_of_peer(struct store *s, int64_t peer_id, store_grant_fn fn, void *arg,
			     struct diag *d)
{
	auto_query q = query_open(s, Q_GRANT_EACH_OF_PEER);

	query_int(&q, peer_id);
	return grant_loop(&q, fn, arg, d);
}

int store_grant_each_of_printer(struct store *s, int64_t printer_id, store_grant_fn fn, void *arg,
				struct diag *d)
{
	auto_query q = query_open(s, Q_GRANT_EACH_OF_PRINTER);

	query_int(&q, printer_id);
	return grant_loop(&q, fn, arg, d);
}
