/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate deny: takes a printer from a peer; what is running between them stops at once.
 */
#include "cli/verbs.h"

#include "cli/text.h"

static int run(struct cli *cli, const struct args *args, struct diag *d)
{
	auto_answer a = {0};
	int rc = verb_grant(cli, CTL_DENY, args, (struct when){0}, &a, d);

	if (rc)
		return rc;
	if (cli->json)
		return verb_peer_json(cli, &a, d);
	text_para(cli->out, 0, "%s reaches %s no longer.", a.view.peer.name.s, args->words[1]);
	return 0;
}

const struct verb verb_deny = {
	.name = "deny",
	.args = "PEER PRINTER",
	.help = "take a printer away from a phone",
	.words_min = 2,
	.words_max = 2,
	.run = run,
};
