/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every verb is given and what a verb is. A verb is one file verb_X.c with one const struct
 * verb; main.c lists them in a table and knows nothing else about them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/chan.h"
#include "common/err.h"

#define CLI_SOCKET	    "/run/printgate/control.sock"
#define CLI_CONFIG	    "/etc/printgate/printgate.conf"
#define CLI_CONFIG_IN_STATE "/var/lib/printgate/printgate.conf" /* where /etc cannot be written */

struct cli {
	const char *socket; /* path of the control socket */
	bool json;
	bool found;	  /* the answer itself is bad news: exit status 1 without an error */
	struct chan core; /* the connection; its fd is -1 until the first request */
	FILE *out; /* collects the answer in memory: nothing half done is printed with --json */
	char *text;
	size_t size;
};

struct args;

struct verb_option {
	const char *name;  /* without the dashes */
	const char *value; /* placeholder for the value, NULL for a flag */
	const char *help;
	bool many; /* may be given more than once */
};

struct verb {
	const char *name; /* one word, or two: "printer add" */
	const char *args; /* for the usage line */
	const char *help; /* one line */
	unsigned words_min, words_max;
	const struct verb_option *options;
	unsigned option_count;
	/* 0 or a negative enum err with a sentence; the answer goes to cli->out. */
	int (*run)(struct cli *cli, const struct args *args, struct diag *d);
};

/* Prints what was collected in cli->out and starts anew. ERR_SYSTEM if it cannot be written. */
int cli_flush(struct cli *cli, struct diag *d) __attribute__((warn_unused_result));
