/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate printer add: something peers may be allowed to reach.
 */
#include "cli/verbs.h"

#include "cli/json.h"
#include "cli/text.h"
#include "cli/typed.h"

enum { OPT_PRESET, OPT_PORT };

static void tell(struct cli *cli, const struct control_printer *p)
{
	char name[TEXT_QUOTE_BYTES], address[PREFIX4_TEXT_BYTES], vpn[PREFIX4_TEXT_BYTES];
	char services[TEXT_SERVICES_BYTES], vpn6[PREFIX6_TEXT_BYTES];

	(void)text_quote(name, &p->name);
	prefix4_format(address, p->address);
	prefix4_format(vpn, p->vpn);
	prefix6_format(vpn6, &p->vpn6);
	text_para(cli->out, 0, "%s (%s%s%s) is reached through the tunnel at %s%s%s", p->name.s,
		  p->host.s, p->host.s[0] ? ", now " : "",
		  p->kind == PRINTER_SELF ? "this machine" : address, vpn, vpn6[0] ? " and " : "",
		  vpn6);
	text_para(cli->out, 2, "services: %s", text_services(services, &p->services));
	text_para(cli->out, 0, "Nobody may reach it yet. Let a new or an enrolled phone in with");
	fprintf(cli->out, "  printgate enroll PHONE --printer %s\n  printgate allow PHONE %s\n",
		name, name);
}

static int run(struct cli *cli, const struct args *args, struct diag *d)
{
	struct control_printer_add msg = {0};
	struct control_printer printer = {0};
	int rc = name_parse(&msg.name, args->words[0], "printer", d);

	if (!rc)
		rc = typed_address(&msg, args->words[1], d);
	if (!rc)
		rc = typed_services(&msg, args_value(args, OPT_PRESET), args_value(args, OPT_PORT),
				    "which ports? Give --port tcp/80,… or --preset with", d);
	if (!rc)
		rc = printer_ask(cli, CTL_PRINTER_ADD, &msg, &printer, d);
	if (rc)
		return rc;
	if (cli->json) {
		json_t *o = json_object();

		json_object_set_new(o, "printer", json_printer(&printer));
		return json_answer(cli, o, d);
	}
	tell(cli, &printer);
	return 0;
}

static const struct verb_option options[] = {
	[OPT_PRESET] = {"preset", "PRESET", "its kind; 'printgate presets' lists them", false},
	[OPT_PORT] = {"port", "LIST", "its services: tcp/80,udp/3000-3010", false},
};

const struct verb verb_printer_add = {
	.name = "printer add",
	.args = "NAME ADDRESS|HOST|PREFIX|self",
	.help = "protect a printer, a printer subnet or this machine",
	.words_min = 2,
	.words_max = 2,
	.options = options,
	.option_count = 2,
	.run = run,
};
