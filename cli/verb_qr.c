/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate qr: shows a peer's config again, as long as core still has it.
 */
#include "cli/verbs.h"

#include "cli/deliver.h"

enum { OPT_OUTPUT, OPT_NO_QR };

static int run(struct cli *cli, const struct args *args, struct diag *d)
{
	auto_delivery v = {0};
	auto_answer a = {0};
	int rc = deliver_prepare(&v, args_value(args, OPT_OUTPUT), args_has(args, OPT_NO_QR), false,
				 d);

	if (!rc)
		rc = verb_peer(cli, CTL_QR, args, &a, d);
	return rc ? rc : deliver(cli, &v, &a, d);
}

static const struct verb_option options[] = {
	[OPT_OUTPUT] = DELIVER_OUTPUT,
	[OPT_NO_QR] = DELIVER_NO_QR("print the config itself, its private key included"),
};

const struct verb verb_qr = {
	.name = "qr",
	.args = "NAME",
	.help = "show a phone's QR code again",
	.words_min = 1,
	.words_max = 1,
	.options = options,
	.option_count = 2,
	.run = run,
};
