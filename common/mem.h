/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Allocation that cannot fail: out of memory is fatal (sizes from outside are bounded by a named
 * constant before they get here), so no caller carries an error path that is never exercised.
 */
#pragma once

#include <stddef.h>

/* Zeroed memory for n elements; aborts with a message when there is none. Free with free(). */
void *mem_zalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1, 2)));

/* Grows an array so that index `need - 1` exists, doubling; *cap is the capacity in elements.
 * New elements are zeroed. Returns the possibly moved array. */
void *mem_grow(void *array, size_t *cap, size_t need, size_t size) __attribute__((returns_nonnull));

/* Copy of a string; aborts when there is no memory. Free with free(). */
char *mem_strdup(const char *s) __attribute__((malloc, returns_nonnull));
