/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate provision: a gateway from a file, without a person. Called by the service of the first boot,
 * which also shows the codes, and by cloud-init and its like.
 */
#include "cli/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/json.h"
#include "cli/program.h"
#include "cli/provision_apply.h"
#include "cli/provision_show.h"
#include "cli/text.h"
#include "common/cleanup.h"

#define UNIT "/lib/systemd/system/printgate-firstboot.service"

enum { OPT_BOOT, OPT_CHECK, OPT_CONFIG };

#define auto_result __attribute__((cleanup(provision_result_free))) struct provision_result

static void file_free(struct provision_file **f)
{
	provision_free(*f);
}
#define auto_file __attribute__((cleanup(file_free))) struct provision_file

/* ---- what is left beside the file -------------------------------------------------------------- */

static void applied_text(FILE *out, const struct provision_result *r)
{
	char key[WG_KEY_TEXT_BYTES], prefix[PREFIX4_TEXT_BYTES], services[TEXT_SERVICES_BYTES];

	key_format(key, &r->gateway.public_key);
	prefix4_format(prefix, r->gateway.tunnel);
	fprintf(out,
		"printgate.conf was applied, and removed.\r\n\r\n"
		"gateway's public key: %s\r\nendpoint: %s\r\ntunnel: %s\r\n",
		key, r->gateway.endpoint, prefix);
	for (size_t i = 0; i < r->printers.count; i++) {
		const struct control_printer *p = &r->printers.items[i];

		prefix4_format(prefix, p->vpn);
		fprintf(out, "printer: %s, reached at %s, %s\r\n", p->name.s, prefix,
			text_services(services, &p->services));
	}
	for (unsigned i = 0; i < r->peers; i++)
		fprintf(out, "peer: %s\r\n", r->peer[i].s);
	if (r->conf_ignored)
		fputs("There was a configuration already: [gateway], [web], [paths] and [users] of "
		      "this file were not used.\r\n",
		      out);
}

static void leave_applied(const struct place *p, const struct provision_result *r)
{
	struct diag why = {0};
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	if (!out)
		return;
	applied_text(out, r);
	(void)fclose(out);
	if (place_write(p, PLACE_APPLIED, text, n, &why))
		fprintf(stderr, "printgate: %s\n", why.text);
	free(text);
}

static void leave_error(const struct place *p, const struct diag *d)
{
	char text[NAME_MAX + DIAG_TEXT_BYTES + 64], clean[DIAG_TEXT_BYTES];
	struct diag why = {0};

	text_clean(clean, sizeof(clean), d->text);
	(void)snprintf(text, sizeof(text), "%s: %s\r\nNothing was applied.\r\n", p->file, clean);
	if (place_write(p, PLACE_ERROR, text, strlen(text), &why))
		fprintf(stderr, "printgate: %s\n", why.text);
}

/* The power may have been cut between the transaction and this. */
static void leave_applied_again(struct cli *cli, const struct place *p,
				const struct provision_file *f, const struct provision_result *r)
{
	auto_result again = {.gateway = r->gateway};
	struct diag why = {0};

	if (place_has(p, PLACE_APPLIED))
		return;
	if (provision_recall(cli, f, &again, &why))
		fprintf(stderr, "printgate: %s\n", why.text);
	else
		leave_applied(p, &again);
}

/* A file that stays cannot do harm, it is known to have been applied: but whoever reads it may think
 * otherwise. */
static void clean_up(struct cli *cli, const struct place *p, const struct provision_file *f,
		     const struct provision_result *r)
{
	struct diag why = {0};

	(void)place_remove(p, PLACE_ERROR);
	if (r->applied)
		leave_applied(p, r);
	else
		leave_applied_again(cli, p, f, r);
	if (place_scrub(p, &why))
		fprintf(stderr, "printgate: applied, but it cannot be removed: %s\n", why.text);
}

/* ---- the answer -------------------------------------------------------------------------------- */

static int put_json(struct cli *cli, const struct provision_result *r, struct diag *d)
{
	json_t *o = json_object(), *printers = json_array(), *peers = json_array();

	for (size_t i = 0; i < r->printers.count; i++)
		json_array_append_new(printers, json_text(r->printers.items[i].name.s));
	for (unsigned i = 0; i < r->peers; i++)
		json_array_append_new(peers, json_text(r->peer[i].s));
	json_object_set_new(o, "applied", json_boolean(r->applied));
	json_object_set_new(o, "printers", printers);
	json_object_set_new(o, "peers", peers);
	return json_answer(cli, o, d);
}

static void tell(struct cli *cli, const struct provision_result *r)
{
	if (!r->applied) {
		text_para(cli->out, 0, "This file was applied already: there is nothing to do.");
		return;
	}
	if (r->conf_written)
		text_para(cli->out, 0, "Written: %s", r->conf_path);
	if (r->conf_ignored)
		text_para(cli->out, 0,
			  "%s is there already: [gateway], [web], [paths] and [users] of the file "
			  "were not used.",
			  r->conf_path);
	text_para(cli->out, 0, "Applied: %zu printer%s and %u peer%s.", r->printers.count,
		  r->printers.count == 1 ? "" : "s", r->peers, r->peers == 1 ? "" : "s");
}

/* The service that shows codes until they are taken; where it is not, `printgate qr` is left. */
static void hand_over(struct cli *cli, const struct provision_result *r)
{
	char systemctl[] = "/bin/systemctl", start[] = "restart", later[] = "--no-block",
	     unit[] = "printgate-firstboot.service";
	char *argv[] = {systemctl, start, later, unit, NULL};
	char said[128], quoted[TEXT_QUOTE_BYTES];
	struct diag ignored;

	if (!strcmp(cli->socket, CLI_SOCKET) && !access(UNIT, F_OK) && program_has_systemd() &&
	    program_run(argv, said, sizeof(said), &ignored) == 0)
		return;
	for (unsigned i = 0; !cli->json && i < r->peers; i++)
		fprintf(cli->out, "  printgate qr %s\n", text_quote(quoted, &r->peer[i]));
}

/* ---- one file ---------------------------------------------------------------------------------- */

static int load(const struct place *p, struct provision_file **out, struct diag *d)
{
	char text[PROVISION_FILE_BYTES];
	size_t n;
	int rc = place_read(p, text, sizeof(text), &n, d);

	if (!rc)
		rc = provision_read(out, text, n, d);
	return rc ? rc : provision_conf_check(*out, d);
}

static int carry_out(struct cli *cli, const struct provision_file *f, const struct args *args,
		     struct provision_result *r, struct diag *d)
{
	int rc = provision_configure(f, args_value(args, OPT_CONFIG), r, d);

	if (!rc)
		rc = provision_start(cli, r, d);
	if (!rc && f->has_end && args_has(args, OPT_BOOT))
		rc = provision_await_clock(d);
	return rc ? rc : provision_apply(cli, f, r, d);
}

static int apply(struct cli *cli, const struct place *p, const struct args *args, struct diag *d)
{
	auto_file *f = NULL;
	auto_result r = {0};
	int rc = load(p, &f, d);

	if (!rc && args_has(args, OPT_CHECK)) {
		text_para(cli->out, 0, "%s: good", p->file);
		return 0;
	}
	if (!rc)
		rc = carry_out(cli, f, args, &r, d);
	if (rc == ERR_UNREACHABLE)
		return rc; /* nothing is wrong with the file */
	if (rc) {
		leave_error(p, d);
		return rc;
	}
	clean_up(cli, p, f, &r);
	if (cli->json)
		rc = put_json(cli, &r, d);
	else
		tell(cli, &r);
	if (!rc && r.applied && !args_has(args, OPT_BOOT))
		hand_over(cli, &r);
	return rc;
}

/* Also without a file: codes of an earlier start may still be waiting. A gateway that is not set up has
 * none, and that is no error. */
static int boot(struct cli *cli, const struct args *args, struct diag *d)
{
	auto_place p = PLACE_NONE;
	int rc = place_of_boot(&p, args->word_count ? args->words[0] : NULL, d);

	if (rc)
		return rc;
	if (place_scrub_rest(&p, d))
		fprintf(stderr, "printgate: %s\n", d->text);
	if (p.file[0])
		rc = apply(cli, &p, args, d);
	if (rc) { /* now, not when the last code has been taken */
		fprintf(stderr, "printgate: %s: %s\n", p.file, d->text);
		cli->found = true;
	}
	rc = cli_flush(cli, d);
	if (!rc)
		rc = provision_show(cli, &p, d);
	return rc == ERR_UNREACHABLE && (cli->found || !p.file[0]) ? 0 : rc;
}

static int run(struct cli *cli, const struct args *args, struct diag *d)
{
	auto_place p = PLACE_NONE;
	int rc;

	if (geteuid() != 0 && !args_has(args, OPT_CHECK))
		return diag_set(d, ERR_NOT_PERMITTED, "provision must be run as root");
	if (args_has(args, OPT_BOOT))
		return boot(cli, args, d);
	if (!args->word_count)
		return diag_set(d, ERR_USAGE, "which file?");
	rc = place_of_file(&p, args->words[0], d);
	return rc ? rc : apply(cli, &p, args, d);
}

static const struct verb_option options[] = {
	[OPT_BOOT] = {"boot", NULL, "look on the boot partition, and show the codes", false},
	[OPT_CHECK] = {"check", NULL, "only say whether the file is good", false},
	[OPT_CONFIG] = {"config", "FILE", "the configuration, instead of " CLI_CONFIG, false},
};

const struct verb verb_provision = {
	.name = "provision",
	.args = "FILE",
	.help = "set the gateway up from a file, without questions",
	.words_min = 0,
	.words_max = 1,
	.options = options,
	.option_count = 3,
	.run = run,
};
