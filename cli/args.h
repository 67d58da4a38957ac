/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line: getopt_long over a verb's table of options, so that no verb parses its own.
 * The global options (--socket, --json, --help) are accepted before and after the verb.
 */
#pragma once

#include "cli/cli.h"

#define ARGS_OPTIONS_MAX 64 /* options given, repeated ones counted each */

struct arg {
	unsigned option; /* index in the verb's table */
	const char *value;
};

struct args {
	char **words; /* what is not an option */
	unsigned word_count;
	struct arg given[ARGS_OPTIONS_MAX];
	unsigned count;
	bool help, version; /* --help, --version: were they given? */
};

/* Options before the verb. Returns the index of the first word in argv, or ERR_USAGE. */
int args_globals(struct cli *cli, struct args *a, int argc, char **argv, struct diag *d)
	__attribute__((warn_unused_result));

/* All that follows the verb, whose last word is argv[0]; argv is permuted. */
int args_parse(struct cli *cli, struct args *a, const struct verb *v, int argc, char **argv,
	       struct diag *d) __attribute__((warn_unused_result));

bool args_has(const struct args *a, unsigned option);
/* The value of an option, NULL if it was not given. */
const char *args_value(const struct args *a, unsigned option);
