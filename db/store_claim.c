/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose QR codes are to be shown still.
 */
#include "db/store_internal.h"

int store_claim_put(struct store *s, const struct store_claim *c, struct diag *d)
{
	auto_query q = query_open(s, Q_CLAIM_PUT);

	query_int(&q, c->peer_id);
	query_int(&q, c->show);
	query_int(&q, c->minutes);
	return query_run(&q, d);
}

int store_claim_delete(struct store *s, int64_t peer_id, struct diag *d)
{
	auto_query q = query_open(s, Q_CLAIM_DELETE);

	query_int(&q, peer_id);
	return query_run(&q, d);
}

int store_claim_each(struct store *s, store_claim_fn fn, void *arg, struct diag *d)
{
	auto_query q = query_open(s, Q_CLAIM_EACH);
	int got;

	while ((got = query_row(&q, d)) == 1) {
		const struct store_claim c = {.peer_id = query_get_int(&q, 0),
					      .show = (uint8_t)query_get_int(&q, 1),
					      .minutes = (uint16_t)query_get_int(&q, 2)};

		got = query_good(&q, d);
		if (!got)
			got = fn(arg, &c);
		if (got)
			break;
	}
	return got;
}
