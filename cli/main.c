/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate: finds the verb, runs it, prints its answer or its error, and ends with the exit status
 * that printgate(1) promises. It has no rights of its own: core decides what the caller may do.
 */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/args.h"
#include "cli/client.h"
#include "cli/help.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "common/cleanup.h"
#include "common/key.h"

enum exit_status { EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_NOT_PERMITTED, EXIT_UNREACHABLE };

static const struct verb *const verbs[] = {
	&verb_init,
	&verb_presets,
	&verb_printer_add,
	&verb_printer_list,
	&verb_printer_remove,
	&verb_printer_confirm,
	&verb_enroll,
	&verb_qr,
	&verb_rekey,
	&verb_rename,
	&verb_list,
	&verb_show,
	&verb_allow,
	&verb_deny,
	&verb_disable,
	&verb_enable,
	&verb_revoke,
	&verb_lock,
	&verb_unlock,
	&verb_status,
	&verb_log,
	&verb_doctor,
	&verb_page,
	&verb_page_password,
	&verb_page_token,
	&verb_provision,
	&verb_image_check,
};

static int cli_open(struct cli *cli, struct diag *d)
{
	const char *socket = getenv("PRINTGATE_SOCKET");

	cli->socket = socket && *socket ? socket : CLI_SOCKET;
	cli->core.fd = -1;
	cli->out = open_memstream(&cli->text, &cli->size);
	return cli->out ? 0 : diag_errno(d, "no memory");
}

int cli_flush(struct cli *cli, struct diag *d)
{
	int rc = 0;

	if (fflush(cli->out) || fwrite(cli->text, 1, cli->size, stdout) != cli->size ||
	    fflush(stdout))
		rc = diag_errno(d, "cannot write to standard output");
	key_wipe(cli->text, cli->size); /* it may hold a phone's config */
	rewind(cli->out);
	return rc;
}

/* Nothing of a half-made answer is printed. */
static void cli_discard(struct cli *cli)
{
	(void)fflush(cli->out);
	key_wipe(cli->text, cli->size);
	rewind(cli->out);
}

static void cli_close(struct cli *cli)
{
	client_close(cli);
	(void)fclose(cli->out);
	free(cli->text);
}

/* The verb at words[0] (and words[1]); *taken is how many words it has: "page password" is not "page"
 * with a word too many. */
static const struct verb *find_verb(char **words, int count, int *taken)
{
	const struct verb *found = NULL;

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		const char *name = verbs[i]->name;
		const size_t n = strcspn(name, " ");
		const int needed = name[n] ? 2 : 1;

		if (count < needed || strlen(words[0]) != n || strncmp(words[0], name, n) != 0)
			continue;
		if (needed == 2 ? strcmp(words[1], name + n + 1) != 0 : found != NULL)
			continue;
		found = verbs[i];
		*taken = needed;
	}
	return found;
}

static int no_verb(char **words, int count, struct diag *d)
{
	if (!count)
		return diag_set(d, ERR_USAGE,
				"what shall be done? 'printgate help' lists the verbs");
	if (!strcmp(words[0], "printer"))
		return diag_set(d, ERR_USAGE,
				"it is 'printgate printer add', 'printgate printer list' or "
				"'printgate printer remove'");
	return diag_set(d, ERR_USAGE, "unknown verb %.64s; 'printgate help' lists the verbs",
			words[0]);
}

static int run_help(struct cli *cli, char **words, int count, struct diag *d)
{
	const struct verb *v;
	int taken;

	if (!count) {
		help_all(cli->out, verbs, ARRAY_LEN(verbs));
		return 0;
	}
	v = find_verb(words, count, &taken);
	if (!v && !strcmp(words[0], "printer")) {
		help_all(cli->out, verbs + 2, 3);
		return 0;
	}
	if (!v)
		return no_verb(words, count, d);
	help_verb(cli->out, v);
	return 0;
}

static int run(struct cli *cli, int argc, char **argv, struct diag *d)
{
	const struct verb *v;
	struct args args = {0};
	int first = args_globals(cli, &args, argc, argv, d), taken, rc;

	if (first < 0)
		return first;
	if (args.version)
		return help_version(cli, d);
	if (args.help || (first < argc && !strcmp(argv[first], "help")))
		return run_help(cli, argv + first + !args.help, argc - first - !args.help, d);
	v = find_verb(argv + first, argc - first, &taken);
	if (!v)
		return no_verb(argv + first, argc - first, d);
	first += taken - 1;
	rc = args_parse(cli, &args, v, argc - first, argv + first, d);
	if (rc)
		return rc;
	if (!args.help)
		return v->run(cli, &args, d);
	help_verb(cli->out, v);
	return 0;
}

/* `--json` counts for errors in the command line too, even before the parser got to it. */
static bool wants_json(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (!strcmp(argv[i], "--json"))
			return true;
	}
	return false;
}

static void report(struct cli *cli, int rc, const struct diag *d)
{
	char text[DIAG_TEXT_BYTES];
	json_t *message;

	text_clean(text, sizeof(text), d->text[0] ? d->text : err_name(rc));
	fprintf(stderr, "printgate: %s\n", text);
	if (!cli->json)
		return;
	cli_discard(cli);
	message = json_string(text);
	fprintf(cli->out, "{\"error\":{\"code\":\"%s\",\"message\":", err_name(rc));
	(void)json_dumpf(message, cli->out, JSON_ENCODE_ANY);
	json_decref(message);
	fputs("}}\n", cli->out);
}

static int exit_status(int rc)
{
	switch (rc) {
	case 0:
		return EXIT_DONE;
	case ERR_USAGE:
		return EXIT_USAGE;
	case ERR_NOT_PERMITTED:
		return EXIT_NOT_PERMITTED;
	case ERR_UNREACHABLE:
		return EXIT_UNREACHABLE;
	default:
		return EXIT_FAILED;
	}
}

int main(int argc, char **argv)
{
	struct cli cli = {0};
	struct diag d = {0};
	int rc;

	text_init();
	rc = cli_open(&cli, &d);
	if (rc) {
		fprintf(stderr, "printgate: %s\n", d.text);
		return EXIT_FAILED;
	}
	rc = run(&cli, argc, argv, &d);
	if (rc == ERR_USAGE)
		cli.json |= wants_json(argc, argv);
	if (rc)
		report(&cli, rc, &d);
	if (cli_flush(&cli, &d) && !rc) {
		fprintf(stderr, "printgate: %s\n", d.text);
		rc = ERR_SYSTEM;
	}
	cli_close(&cli);
	return rc || !cli.found ? exit_status(rc) : EXIT_FAILED;
}
