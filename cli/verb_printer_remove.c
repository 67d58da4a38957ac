/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate printer remove: takes a printer and all its grants away.
 */
#include "cli/verbs.h"

#include "cli/json.h"
#include "cli/text.h"

static int put_json(struct cli *cli, const struct control_printer *removed, struct diag *d)
{
	auto_printers left = {0};
	int rc = printer_list_ask(cli, &left, d);
	json_t *o;

	if (rc)
		return rc;
	o = json_object();
	json_object_set_new(o, "printers", json_printers(&left));
	json_object_set_new(o, "removed", json_printer(removed));
	return json_answer(cli, o, d);
}

static int run(struct cli *cli, const struct args *args, struct diag *d)
{
	struct control_named msg = {0};
	struct control_printer printer = {0};
	int rc = name_parse(&msg.name, args->words[0], "printer", d);

	if (!rc)
		rc = printer_ask(cli, CTL_PRINTER_REMOVE, &msg, &printer, d);
	if (rc)
		return rc;
	if (cli->json)
		return put_json(cli, &printer, d);
	text_para(cli->out, 0, "%s is removed: no phone reaches it any more.", printer.name.s);
	return 0;
}

const struct verb verb_printer_remove = {
	.name = "printer remove",
	.args = "NAME",
	.help = "take a printer and all grants to it away",
	.words_min = 1,
	.words_max = 1,
	.run = run,
};
