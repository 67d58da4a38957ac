/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turns argv into struct args by the tables of the verbs. It judges only the shape of the command
 * line (unknown option, missing value, too many words): what the values mean is the verb's part.
 */
#include "cli/args.h"

#include <getopt.h>
#include <string.h>

#include "common/cleanup.h"

#define VERB_OPTIONS_MAX 16

enum { VAL_SOCKET = 1, VAL_JSON, VAL_VERSION, VAL_HELP = 'h', VAL_VERB = 256 };

static const struct option globals[] = {
	{"socket", required_argument, NULL, VAL_SOCKET},
	{"json", no_argument, NULL, VAL_JSON},
	{"help", no_argument, NULL, VAL_HELP},
	{"version", no_argument, NULL, VAL_VERSION},
};

static bool take_global(struct cli *cli, struct args *a, int val)
{
	if (val == VAL_SOCKET)
		cli->socket = optarg;
	else if (val == VAL_JSON)
		cli->json = true;
	else if (val == VAL_VERSION)
		a->version = true;
	else if (val == VAL_HELP)
		a->help = true;
	else
		return false;
	return true;
}

/* getopt_long returned '?' or ':'; `arg` is what it choked on. */
static int complain(int val, const char *arg, const char *verb, struct diag *d)
{
	int n = (int)strcspn(arg, "=");

	if (val == ':')
		return diag_set(d, ERR_USAGE, "%s needs a value; see 'printgate help%s%s'", arg,
				verb ? " " : "", verb ? verb : "");
	if (optopt && arg[n])
		return diag_set(d, ERR_USAGE, "%.*s takes no value", n, arg);
	return diag_set(d, ERR_USAGE, "unknown option %.*s; see 'printgate help%s%s'", n, arg,
			verb ? " " : "", verb ? verb : "");
}

int args_globals(struct cli *cli, struct args *a, int argc, char **argv, struct diag *d)
{
	struct option table[ARRAY_LEN(globals) + 1] = {0};
	int val;

	memcpy(table, globals, sizeof(globals));
	opterr = 0;
	optind = 0; /* glibc: start anew */
	while ((val = getopt_long(argc, argv, "+:h", table, NULL)) != -1) {
		if (!take_global(cli, a, val))
			return complain(val, argv[optind - 1], NULL, d);
	}
	return optind;
}

static void fill_table(struct option *table, const struct verb *v)
{
	memcpy(table, globals, sizeof(globals));
	table += ARRAY_LEN(globals);
	for (unsigned i = 0; i < v->option_count; i++) {
		const struct verb_option *o = &v->options[i];

		table[i].name = o->name;
		table[i].has_arg = o->value ? required_argument : no_argument;
		table[i].val = VAL_VERB + (int)i;
	}
}

static int take_option(struct args *a, const struct verb *v, unsigned option, struct diag *d)
{
	const struct verb_option *o = &v->options[option];

	if (!o->many && args_has(a, option))
		return diag_set(d, ERR_USAGE, "--%s is given twice", o->name);
	if (a->count == ARGS_OPTIONS_MAX)
		return diag_set(d, ERR_USAGE, "too many options (at most %d)", ARGS_OPTIONS_MAX);
	a->given[a->count++] = (struct arg){option, optarg};
	return 0;
}

static int check_words(const struct args *a, const struct verb *v, struct diag *d)
{
	if (a->help)
		return 0;
	if (a->word_count < v->words_min)
		return diag_set(d, ERR_USAGE, "too little is given: printgate %s %s", v->name,
				v->args);
	if (a->word_count > v->words_max)
		return diag_set(d, ERR_USAGE,
				"'%s' is one word too many: printgate %s %s (put quotes round a "
				"name with blanks)",
				a->words[v->words_max], v->name, v->args);
	return 0;
}

int args_parse(struct cli *cli, struct args *a, const struct verb *v, int argc, char **argv,
	       struct diag *d)
{
	struct option table[ARRAY_LEN(globals) + VERB_OPTIONS_MAX + 1] = {0};
	int val, rc;

	if (v->option_count > VERB_OPTIONS_MAX)
		return diag_set(d, ERR_INTERNAL, "too many options in the table of %s", v->name);
	fill_table(table, v);
	opterr = 0;
	optind = 0;
	while ((val = getopt_long(argc, argv, ":h", table, NULL)) != -1) {
		if (take_global(cli, a, val))
			continue;
		if (val < VAL_VERB)
			return complain(val, argv[optind - 1], v->name, d);
		rc = take_option(a, v, (unsigned)(val - VAL_VERB), d);
		if (rc)
			return rc;
	}
	a->words = argv + optind;
	a->word_count = (unsigned)(argc - optind);
	return check_words(a, v, d);
}

bool args_has(const struct args *a, unsigned option)
{
	for (unsigned i = 0; i < a->count; i++) {
		if (a->given[i].option == option)
			return true;
	}
	return false;
}

const char *args_value(const struct args *a, unsigned option)
{
	for (unsigned i = 0; i < a->count; i++) {
		if (a->given[i].option == option)
			return a->given[i].value;
	}
	return NULL;
}
