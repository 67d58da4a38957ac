/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate printer add: something peers may be allowed to reach.
 */
#include "cli/verbs.h"

#include <string.h>

#include "cli/json.h"
#include "cli/text.h"
#include "common/preset.h"

enum { OPT_PRESET, OPT_PORT };

static void preset_names(char *out, size_t room)
{
	size_t used = 0;

	for (unsigned i = 0; i < presets_count && used < room; i++)
		used += (size_t)snprintf(out + used, room - used, "%s%s", i ? ", " : "",
					 presets[i].name);
}

static int take_services(struct control_printer_add *msg, const struct args *args, struct diag *d)
{
	const char *name = args_value(args, OPT_PRESET), *ports = args_value(args, OPT_PORT);
	const struct preset *p = name ? preset_find(name) : NULL;
	char known[256] = "";

	preset_names(known, sizeof(known));
	if (!name && !ports)
		return diag_set(d, ERR_USAGE,
				"which ports? Give --port tcp/80,… or --preset with one of: %s",
				known);
	if (name && !p)
		return diag_set(d, ERR_BAD_PRESET, "no preset is called %.40s; there are: %s", name,
				known);
	if (p)
		(void)snprintf(msg->preset, sizeof(msg->preset), "%s", p->name);
	return preset_services(&msg->services, p, ports, d);
}

/* Digits and dots, or a slash: whoever types that means an address. */
static bool is_address(const char *text)
{
	return strchr(text, '/') || strspn(text, "0123456789.") == strlen(text);
}

static int take_address(struct control_printer_add *msg, const char *text, struct diag *d)
{
	int rc;

	if (!strcmp(text, "self")) {
		msg->kind = PRINTER_SELF;
		return 0;
	}
	if (!is_address(text)) {
		msg->kind = PRINTER_HOST;
		msg->address.len = 32;
		return host_parse(&msg->host, text, d);
	}
	rc = prefix4_parse(&msg->address, text, d);
	msg->kind = msg->address.len == 32 ? PRINTER_HOST : PRINTER_SUBNET;
	return rc;
}

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
		rc = take_address(&msg, args->words[1], d);
	if (!rc)
		rc = take_services(&msg, args, d);
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
