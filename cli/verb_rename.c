/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate rename: gives a peer another name. Keys, address and grants stay.
 */
#include "cli/verbs.h"

#include "cli/json.h"
#include "cli/text.h"

static int put_json(struct cli *cli, const struct answer *a, struct diag *d)
{
	json_t *o = json_object();

	json_object_set_new(o, "peer", json_peer(&a->view));
	json_object_set_new(o, "config", json_null()); /* it has not changed */
	return json_answer(cli, o, d);
}

static int run(struct cli *cli, const struct args *args, struct diag *d)
{
	struct control_rename msg = {0};
	auto_answer a = {0};
	int rc = name_parse(&msg.name, args->words[0], "peer", d);

	if (!rc)
		rc = name_parse(&msg.to, args->words[1], "peer", d);
	if (!rc)
		rc = answer_ask(cli, CTL_RENAME, &msg, &a, d);
	if (rc)
		return rc;
	if (cli->json)
		return put_json(cli, &a, d);
	text_para(cli->out, 0, "%s is now called %s. Nothing changes on the phone.", msg.name.s,
		  a.view.peer.name.s);
	return 0;
}

const struct verb verb_rename = {
	.name = "rename",
	.args = "NAME NEW",
	.help = "give a phone another name",
	.words_min = 2,
	.words_max = 2,
	.run = run,
};
