/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate printer list: what is protected, and where it is inside the tunnel.
 */
#include "cli/verbs.h"

#include "cli/json.h"
#include "cli/report.h"

static int put_json(struct cli *cli, const struct printer_list *l, struct diag *d)
{
	json_t *o = json_object();

	json_object_set_new(o, "printers", json_printers(l));
	return json_answer(cli, o, d);
}

static int run(struct cli *cli, const struct args *args, struct diag *d)
{
	auto_printers l = {0};
	int rc = printer_list_ask(cli, &l, d);

	(void)args;
	if (rc)
		return rc;
	if (cli->json)
		return put_json(cli, &l, d);
	report_printers(cli->out, &l);
	return 0;
}

const struct verb verb_printer_list = {
	.name = "printer list",
	.args = "",
	.help = "all printers with their addresses in the tunnel",
	.run = run,
};
