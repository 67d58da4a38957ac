/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate init: writes the first configuration, chosen to fit this machine, and says what it
 * chose. It asks no daemon and never overwrites a file.
 */
#include "cli/verbs.h"

#include <string.h>
#include <unistd.h>

#include "cli/endpoint.h"
#include "cli/json.h"
#include "cli/newconf.h"
#include "cli/text.h"

#define LISTEN_PORT ENDPOINT_PORT_DEFAULT
/* Where Debian's package puts the service (bookworm's place, reachable in later ones too). */
#define UNIT "/lib/systemd/system/printgate.service"

enum { OPT_ENDPOINT, OPT_TUNNEL, OPT_CONFIG };

static void tell_endpoint(FILE *out, const struct newconf *c)
{
	const char *port = strrchr(c->endpoint, ':');

	if (!c->endpoint[0]) {
		text_para(out, 0,
			  "Warning: this machine has no address yet, so phones cannot find it. "
			  "Set `endpoint` before enrolling.");
		return;
	}
	if (c->home_only)
		text_para(out, 0,
			  "Warning: %s is this machine's address at home: phones find it only "
			  "there. To use it from elsewhere, set `endpoint` to your public name or "
			  "address before enrolling phones.",
			  c->endpoint);
	text_para(out, 0,
		  "On your router, forward UDP port %s to UDP port %d of this machine; forward "
		  "nothing else.",
		  port + 1, LISTEN_PORT);
}

/* The service reads the default file only. */
static void tell_start(FILE *out, const char *path)
{
	if (!strcmp(path, CLI_CONFIG) && !access(UNIT, F_OK))
		fputs("Next, as root:\n  systemctl restart printgate\n", out);
	else
		fprintf(out,
			"Next, as root (printgated stays in the foreground):\n  printgated%s%s\n",
			strcmp(path, CLI_CONFIG) != 0 ? " --config " : "",
			strcmp(path, CLI_CONFIG) != 0 ? path : "");
}

static void tell(FILE *out, const char *path, const struct newconf *c)
{
	fprintf(out, "Written: %s\n", path);
	text_para(out, 2, "interface  %s", c->interface);
	text_para(out, 2, "tunnel     %s", c->tunnel);
	text_para(out, 2, "endpoint   %s", c->endpoint[0] ? c->endpoint : "none");
	tell_endpoint(out, c);
	tell_start(out, path);
	fputs("  printgate printer add NAME ADDRESS --preset PRESET\n"
	      "  printgate enroll PHONE --printer NAME\n",
	      out);
}

static int run(struct cli *cli, const struct args *args, struct diag *d)
{
	const char *path = args_value(args, OPT_CONFIG);
	struct newconf c = {0};
	int rc =
		newconf_choose(&c, args_value(args, OPT_TUNNEL), args_value(args, OPT_ENDPOINT), d);

	if (!path)
		path = CLI_CONFIG;
	if (!rc)
		rc = newconf_write(path, &c, d);
	if (rc)
		return rc;
	if (cli->json)
		return json_answer(cli, newconf_json(&c), d);
	tell(cli->out, path, &c);
	return 0;
}

static const struct verb_option options[] = {
	[OPT_ENDPOINT] = {"endpoint", "HOST[:PORT]", "where phones find this gateway", false},
	[OPT_TUNNEL] = {"tunnel", "PREFIX", "the tunnel's prefix, /12 to /28", false},
	[OPT_CONFIG] = {"config", "FILE", "write FILE instead of " CLI_CONFIG, false},
};

const struct verb verb_init = {
	.name = "init",
	.args = "",
	.help = "write the configuration for this machine",
	.options = options,
	.option_count = 3,
	.run = run,
};
