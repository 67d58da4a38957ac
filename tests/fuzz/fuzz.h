/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fuzz drivers share. A driver is one file fuzz_X.c with its corpus in corpus/X; it is built
 * twice: with libFuzzer (make fuzz), and with replay.c as a plain program that reads the corpus
 * (make fuzz-replay, a part of the tests).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define fuzz_assert(what)                                                                          \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			(void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what);   \
			abort();                                                                   \
		}                                                                                  \
	} while (0)
