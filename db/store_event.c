/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log of who did what. Ids only grow and the oldest go first, so that keeping it short is one
 * look-up and usually one row.
 */
#include "db/store_internal.h"

#include <string.h>

static int row_add(struct store *s, const struct control_event *e, struct diag *d)
{
	auto_query q = query_open(s, Q_EVENT_ADD);
	char folded[FOLD_BYTES];
	int err = fold_name(folded, e->subject, d);

	if (err)
		return err;
	query_int(&q, e->time);
	query_text(&q, e->actor);
	query_text(&q, e->action);
	query_text(&q, e->subject);
	query_text(&q, folded);
	query_text(&q, e->detail);
	return query_run(&q, d);
}

static int trim(struct store *s, int64_t newest, struct diag *d)
{
	auto_query q = query_open(s, Q_EVENT_TRIM);

	query_int(&q, newest - STORE_EVENTS_MAX);
	return query_run(&q, d);
}

int store_event_add(struct store *s, const struct control_event *e, struct diag *d)
{
	int err = store_part_begin(s, d);

	if (err)
		return err;
	err = row_add(s, e, d);
	if (!err)
		err = trim(s, sqlite3_last_insert_rowid(s->db), d);
	return store_part_end(s, err, d);
}

static void event_read(struct query *q, struct control_event *out)
{
	memset(out, 0, sizeof(*out));
	out->time = query_get_int(q, 0);
	query_get_text(q, 1, out->actor, sizeof(out->actor));
	query_get_text(q, 2, out->action, sizeof(out->action));
	query_get_text(q, 3, out->subject, sizeof(out->subject));
	query_get_text(q, 4, out->detail, sizeof(out->detail));
}

int store_event_each(struct store *s, const struct name *peer, uint32_t limit, store_event_fn fn,
		     void *arg, struct diag *d)
{
	bool all = !peer || !peer->s[0];
	auto_query q = query_open(s, all ? Q_EVENT_EACH : Q_EVENT_EACH_OF);
	char folded[FOLD_BYTES];
	struct control_event e;
	int got = fold_name(folded, all ? "" : peer->s, d);

	if (got)
		return got;
	query_int(&q, limit);
	if (!all)
		query_text(&q, folded);
	while ((got = query_row(&q, d)) == 1) {
		event_read(&q, &e);
		got = query_good(&q, d);
		if (!got)
			got = fn(arg, &e);
		if (got)
			break;
	}
	return got;
}
