/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate disable: closes a peer's tunnel and keeps its grants for `enable`.
 */
#include "cli/verbs.h"

#include "cli/text.h"

static int run(struct cli *cli, const struct args *args, struct diag *d)
{
	char quoted[TEXT_QUOTE_BYTES];
	auto_answer a = {0};
	int rc = verb_peer(cli, CTL_DISABLE, args, &a, d);

	if (rc)
		return rc;
	if (cli->json)
		return verb_peer_json(cli, &a, d);
	text_para(cli->out, 0, "%s is disabled: it reaches nothing. Undo it with",
		  a.view.peer.name.s);
	fprintf(cli->out, "  printgate enable %s\n", text_quote(quoted, &a.view.peer.name));
	return 0;
}

const struct verb verb_disable = {
	.name = "disable",
	.args = "NAME",
	.help = "close a phone's tunnel until it is enabled again",
	.words_min = 1,
	.words_max = 1,
	.run = run,
};
