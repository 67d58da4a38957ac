/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table for people: columns aligned by what a terminal shows, within the window's width. The last
 * column wraps; of the others the widest that may shrink is cut with an ellipsis.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 6

struct table {
	unsigned columns;
	unsigned shrink; /* bit n: column n may be cut */
	char **cells;	 /* ours; the first row is the heading */
	size_t count, cap;
};

/* Appends a cell, row by row. */
void table_add(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Prints all rows, each after `indent` blanks. */
void table_print(const struct table *t, FILE *out, unsigned indent);
void table_free(struct table *t);

#define auto_table __attribute__((cleanup(table_free))) struct table
