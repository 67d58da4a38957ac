/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a phone's config gets out: a QR code on the terminal, a file, or plain text. Used by enroll,
 * qr and rekey, whose options for it are the same.
 */
#pragma once

#include "cli/answer.h"
#include "cli/args.h"
#include "cli/outfile.h"

enum deliver_format { DELIVER_PNG, DELIVER_SVG, DELIVER_CONF };

struct delivery {
	bool to_file, no_qr;
	bool own_key; /* the config has no PrivateKey: the phone made its key itself */
	enum deliver_format format;
	struct outfile file;
};

/* The two options, for the verbs' tables. */
#define DELIVER_OUTPUT                                                                             \
	{                                                                                          \
		"output", "FILE", "write FILE.png, FILE.svg or FILE.conf instead", false           \
	}
#define DELIVER_NO_QR(help)                                                                        \
	{                                                                                          \
		"no-qr", NULL, help, false                                                         \
	}

/* Checks the options and opens the file, so that nothing is enrolled for a file that cannot be
 * written. `path` may be NULL. */
int deliver_prepare(struct delivery *v, const char *path, bool no_qr, bool own_key, struct diag *d)
	__attribute__((warn_unused_result));

/* Says `{"peer":…,"config":…}` with --json, else draws or writes. With no_qr it prints the text. */
int deliver(struct cli *cli, struct delivery *v, const struct answer *a, struct diag *d)
	__attribute__((warn_unused_result));

void deliver_end(struct delivery *v);

#define auto_delivery __attribute__((cleanup(deliver_end))) struct delivery
