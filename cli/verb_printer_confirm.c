/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate printer confirm: what the printer's host name leads to now is the printer.
 */
#include "cli/verbs.h"

#include "cli/json.h"
#include "cli/text.h"

static int run(struct cli *cli, const struct args *args, struct diag *d)
{
	struct control_named msg = {0};
	struct control_printer p = {0};
	char address[PREFIX4_TEXT_BYTES];
	int rc = name_parse(&msg.name, args->words[0], "printer", d);

	if (!rc)
		rc = printer_ask(cli, CTL_PRINTER_CONFIRM, &msg, &p, d);
	if (rc)
		return rc;
	if (cli->json) {
		json_t *o = json_object();

		json_object_set_new(o, "printer", json_printer(&p));
		return json_answer(cli, o, d);
	}
	prefix4_format(address, p.address);
	text_para(cli->out, 0, "%s is %s now, and open to whom it is granted.", p.name.s, address);
	return 0;
}

const struct verb verb_printer_confirm = {
	.name = "printer confirm",
	.args = "NAME",
	.help = "a printer given by host name: what that leads to now is it",
	.words_min = 1,
	.words_max = 1,
	.run = run,
};
