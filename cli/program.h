/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running another program of the system, directly and without a shell.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

/* Runs argv[0] (an absolute path) to its end with an empty standard input; up to size - 1 bytes of what
 * it says go into out, with a NUL. Returns its exit status, or ERR_SYSTEM if it could not be run or was
 * killed. */
int program_run(char *const argv[], char *out, size_t size, struct diag *d)
	__attribute__((warn_unused_result));

/* Is systemd this machine's service manager (sd_booted(3))? */
bool program_has_systemd(void);

/* The path of printgated: beside our own binary (a build folder), else where it is installed. */
void program_gated(char *out, size_t size);
