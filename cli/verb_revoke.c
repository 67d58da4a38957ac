/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate revoke: ends a peer for good; its name and address become free, the log keeps it.
 */
#include "cli/verbs.h"

#include "cli/text.h"

static int run(struct cli *cli, const struct args *args, struct diag *d)
{
	auto_answer a = {0};
	int rc = verb_peer(cli, CTL_REVOKE, args, &a, d);

	if (rc)
		return rc;
	if (cli->json)
		return verb_peer_json(cli, &a, d);
	text_para(cli->out, 0,
		  "%s is revoked: its key opens nothing any more. The tunnel in its WireGuard app "
		  "can be deleted.",
		  a.view.peer.name.s);
	return 0;
}

const struct verb verb_revoke = {
	.name = "revoke",
	.args = "NAME",
	.help = "shut a phone out for good; frees its name and address",
	.words_min = 1,
	.words_max = 1,
	.run = run,
};
