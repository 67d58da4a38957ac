/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate rekey: new keys for a peer; the old QR code and tunnel stop working.
 */
#include "cli/verbs.h"

#include "cli/deliver.h"
#include "cli/text.h"

enum { OPT_PUBLIC_KEY, OPT_OUTPUT, OPT_NO_QR };

static int run(struct cli *cli, const struct args *args, struct diag *d)
{
	const char *key = args_value(args, OPT_PUBLIC_KEY);
	struct control_rekey msg = {.has_public_key = key != NULL};
	auto_delivery v = {0};
	auto_answer a = {0};
	int rc = name_parse(&msg.name, args->words[0], "peer", d);

	if (!rc && key)
		rc = verb_key(&msg.public_key, key, d);
	if (!rc)
		rc = deliver_prepare(&v, args_value(args, OPT_OUTPUT), args_has(args, OPT_NO_QR),
				     key != NULL, d);
	if (!rc)
		rc = answer_ask(cli, CTL_REKEY, &msg, &a, d);
	if (rc)
		return rc;
	if (!cli->json)
		text_para(cli->out, 0,
			  "%s has new keys: delete its old tunnel in the WireGuard app, it no "
			  "longer works.",
			  a.view.peer.name.s);
	return deliver(cli, &v, &a, d);
}

static const struct verb_option options[] = {
	[OPT_PUBLIC_KEY] = {"public-key", "KEY", "the phone's new public key, made by itself",
			    false},
	[OPT_OUTPUT] = DELIVER_OUTPUT,
	[OPT_NO_QR] = DELIVER_NO_QR("print the config itself, its private key included"),
};

const struct verb verb_rekey = {
	.name = "rekey",
	.args = "NAME",
	.help = "give a phone new keys and show the new QR code",
	.words_min = 1,
	.words_max = 1,
	.options = options,
	.option_count = 3,
	.run = run,
};
