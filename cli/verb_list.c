/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate list: all peers.
 */
#include "cli/verbs.h"

#include "cli/peers.h"

static int run(struct cli *cli, const struct args *args, struct diag *d)
{
	auto_peers peers = {0};
	int rc;

	(void)args;
	peers_begin(&peers, cli);
	if (cli->json)
		fputs("{\"peers\":[", cli->out);
	rc = client_ask(cli, CTL_PEERS, NULL, peers_item, &peers, d);
	if (!rc)
		rc = peers_end(&peers, d);
	if (!rc && cli->json)
		fputs("]}\n", cli->out);
	return rc;
}

const struct verb verb_list = {
	.name = "list",
	.args = "",
	.help = "all enrolled phones",
	.run = run,
};
