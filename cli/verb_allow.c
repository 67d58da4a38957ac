/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate allow: grants a printer to a peer, with an end if one is given. The phone needs no new
 * QR code.
 */
#include "cli/verbs.h"

#include "cli/text.h"

enum { OPT_FOR };

static int run(struct cli *cli, const struct args *args, struct diag *d)
{
	const char *span = args_value(args, OPT_FOR);
	auto_answer a = {0};
	struct when end = {0};
	int rc = span ? when_parse(&end, span, d) : 0;

	if (!rc)
		rc = verb_grant(cli, CTL_ALLOW, args, end, &a, d);
	if (rc)
		return rc;
	if (cli->json)
		return verb_peer_json(cli, &a, d);
	text_para(cli->out, 0, "Granted to %s, without a new QR code.", a.view.peer.name.s);
	verb_reach(cli, &a.view);
	return 0;
}

static const struct verb_option options[] = {
	[OPT_FOR] = {"for", "TIME", "how long (90s, 45m, 2h, 3d, 1w) or until when (a date)",
		     false},
};

const struct verb verb_allow = {
	.name = "allow",
	.args = "PEER PRINTER",
	.help = "let a phone reach a printer",
	.words_min = 2,
	.words_max = 2,
	.options = options,
	.option_count = 1,
	.run = run,
};
