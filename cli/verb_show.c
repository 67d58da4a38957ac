/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate show: all about one peer.
 */
#include "cli/verbs.h"

#include "cli/json.h"
#include "cli/report.h"

static int put_json(struct cli *cli, const struct answer *a, struct diag *d)
{
	json_t *o = json_object(), *peers = json_array();

	json_array_append_new(peers, json_peer(&a->view));
	json_object_set_new(o, "peers", peers);
	return json_answer(cli, o, d);
}

static int run(struct cli *cli, const struct args *args, struct diag *d)
{
	auto_printers printers = {0};
	auto_answer a = {0};
	int rc = verb_peer(cli, CTL_PEER_SHOW, args, &a, d);

	if (rc)
		return rc;
	if (cli->json)
		return put_json(cli, &a, d);
	rc = printer_list_ask(cli, &printers, d);
	if (!rc)
		report_peer(cli->out, &a.view, &printers);
	return rc;
}

const struct verb verb_show = {
	.name = "show",
	.args = "NAME",
	.help = "all about one phone",
	.words_min = 1,
	.words_max = 1,
	.run = run,
};
