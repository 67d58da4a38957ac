/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate log: who did what and when, newest first.
 */
#include "cli/verbs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/json.h"
#include "cli/table.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX     10000
#define COLUMNS	      5

enum { OPT_PEER, OPT_LIMIT };

struct events {
	struct cli *cli;
	struct table table;
	bool any;
};

static void events_free(struct events *e)
{
	table_free(&e->table);
}

static int put_json(struct events *e, const struct control_event *ev, struct diag *d)
{
	json_t *o = json_object();

	json_object_set_new(o, "time", json_time(ev->time));
	json_object_set_new(o, "actor", json_text(ev->actor));
	json_object_set_new(o, "action", json_text(ev->action));
	json_object_set_new(o, "subject", json_text(ev->subject));
	json_object_set_new(o, "detail", json_text(ev->detail));
	if (e->any)
		fputc(',', e->cli->out);
	return json_put(e->cli, o, d);
}

/* Local time, as on the clock beside the printer. */
static void put_row(struct table *t, const struct control_event *ev)
{
	char when[32] = "";
	time_t at = ev->time;
	struct tm tm;

	if (localtime_r(&at, &tm))
		(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	table_add(t, "%s", when);
	table_add(t, "%s", ev->actor);
	table_add(t, "%s", ev->action);
	table_add(t, "%s", ev->subject);
	table_add(t, "%s", ev->detail);
}

static int event_item(void *ctx, uint16_t type, const union control_any *item, struct diag *d)
{
	struct events *e = ctx;
	int rc = 0;

	if (type != CTL_EVENT)
		return client_unexpected(type, d);
	if (e->cli->json)
		rc = put_json(e, &item->event, d);
	else
		put_row(&e->table, &item->event);
	e->any = true;
	return rc;
}

static int build(struct control_log *msg, const struct args *args, struct diag *d)
{
	const char *peer = args_value(args, OPT_PEER), *limit = args_value(args, OPT_LIMIT);
	char *end = NULL;

	msg->limit = LIMIT_DEFAULT;
	if (limit) {
		unsigned long n = strtoul(limit, &end, 10);

		if (*end || *limit < '0' || *limit > '9' || n < 1 || n > LIMIT_MAX)
			return diag_set(d, ERR_LIMIT, "--limit takes a number from 1 to %d",
					LIMIT_MAX);
		msg->limit = (uint32_t)n;
	}
	return peer ? name_parse(&msg->peer, peer, "peer", d) : 0;
}

static int run(struct cli *cli, const struct args *args, struct diag *d)
{
	static const char *const head[COLUMNS] = {"TIME", "WHO", "DID", "TO", "DETAIL"};
	__attribute__((cleanup(events_free))) struct events e = {
		.cli = cli, .table = {.columns = COLUMNS, .shrink = 1 << 1 | 1 << 3}};
	struct control_log msg = {0};
	int rc = build(&msg, args, d);

	if (rc)
		return rc;
	for (unsigned i = 0; i < COLUMNS; i++)
		table_add(&e.table, "%s", head[i]);
	if (cli->json)
		fputs("{\"events\":[", cli->out);
	rc = client_ask(cli, CTL_LOG, &msg, event_item, &e, d);
	if (rc)
		return rc;
	if (cli->json)
		fputs("]}\n", cli->out);
	else if (e.any)
		table_print(&e.table, cli->out, 0);
	else
		fputs("Nothing has happened yet.\n", cli->out);
	return 0;
}

static const struct verb_option options[] = {
	[OPT_PEER] = {"peer", "NAME", "only what concerns this phone", false},
	[OPT_LIMIT] = {"limit", "N", "at most N entries (50)", false},
};

const struct verb verb_log = {
	.name = "log",
	.args = "",
	.help = "who did what and when, newest first",
	.options = options,
	.option_count = 2,
	.run = run,
};
