/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate enable: opens the tunnel of a disabled peer again, with the grants it had.
 */
#include "cli/verbs.h"

#include "cli/text.h"

static int run(struct cli *cli, const struct args *args, struct diag *d)
{
	auto_answer a = {0};
	int rc = verb_peer(cli, CTL_ENABLE, args, &a, d);

	if (rc)
		return rc;
	if (cli->json)
		return verb_peer_json(cli, &a, d);
	text_para(cli->out, 0, "%s is enabled.", a.view.peer.name.s);
	verb_reach(cli, &a.view);
	return 0;
}

const struct verb verb_enable = {
	.name = "enable",
	.args = "NAME",
	.help = "open the tunnel of a disabled phone again",
	.words_min = 1,
	.words_max = 1,
	.run = run,
};
