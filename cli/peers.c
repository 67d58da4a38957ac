/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes peers one by one, so that ten thousand of them cost one at a time.
 */
#include "cli/peers.h"

#include "cli/json.h"
#include "cli/report.h"

static int peer_done(void *ctx, const struct peer_view *v, struct diag *d)
{
	struct peers *p = ctx;

	if (!p->cli->json) {
		report_peers_row(&p->table, v);
		return 0;
	}
	if (p->comma)
		fputc(',', p->cli->out);
	p->comma = true;
	return json_put(p->cli, json_peer(v), d);
}

void peers_begin(struct peers *p, struct cli *cli)
{
	p->cli = cli;
	p->stream.done = peer_done;
	p->stream.ctx = p;
	if (!cli->json)
		report_peers_begin(&p->table);
}

int peers_item(void *peers, uint16_t type, const union control_any *item, struct diag *d)
{
	struct peers *p = peers;

	return peer_stream_item(&p->stream, type, item, d);
}

int peers_end(struct peers *p, struct diag *d)
{
	int rc = peer_stream_end(&p->stream, d);

	if (!rc && !p->cli->json)
		report_peers(p->cli->out, &p->table);
	return rc;
}

void peers_free(struct peers *p)
{
	peer_stream_free(&p->stream);
	table_free(&p->table);
}
