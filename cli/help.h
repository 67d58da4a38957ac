/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Help, written from the verbs' tables.
 */
#pragma once

#include "cli/cli.h"

void help_all(FILE *out, const struct verb *const *verbs, size_t count);
void help_verb(FILE *out, const struct verb *v);
int help_version(struct cli *cli, struct diag *d) __attribute__((warn_unused_result));
