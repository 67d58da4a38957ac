/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A secret that a person types, or a script hands over on standard input.
 */
#pragma once

#include <stddef.h>

#include "common/err.h"

/* Asks on the terminal that standard input is, without showing what is typed, whatever happens
 * meanwhile: a signal that ends the program ends it after the terminal is as it was. out gets one
 * line, without its end; wipe it. ERR_USAGE: standard input is no terminal, the line does not fit or
 * has a NUL in it, or there is none. ERR_SYSTEM. */
int secret_ask(const char *prompt, char *out, size_t size, struct diag *d)
	__attribute__((warn_unused_result));
/* The same line from standard input, whatever that is, without a prompt. */
int secret_read(char *out, size_t size, struct diag *d) __attribute__((warn_unused_result));
