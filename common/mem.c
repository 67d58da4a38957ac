/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Allocation that ends the program when there is no memory.
 */
#include "common/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void __attribute__((noreturn)) mem_out(void)
{
	static const char text[] = "out of memory\n";

	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	abort();
}

void *mem_zalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		mem_out();
	return p;
}

void *mem_grow(void *array, size_t *cap, size_t need, size_t size)
{
	size_t grown = *cap ? *cap : 8;
	char *p;

	if (array && need <= *cap)
		return array;
	while (grown < need) {
		if (grown > SIZE_MAX / 2)
			mem_out();
		grown *= 2;
	}
	p = reallocarray(array, grown, size);
	if (!p)
		mem_out();
	memset(p + *cap * size, 0, (grown - *cap) * size);
	*cap = grown;
	return p;
}

char *mem_strdup(const char *s)
{
	char *copy = strdup(s);

	if (!copy)
		mem_out();
	return copy;
}
