/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Aligned columns. Cells are cleaned when they are added, so nothing in a table can harm a
 * terminal.
 */
#include "cli/table.h"

#include <stdarg.h>
#include <stdlib.h>

#include "cli/text.h"
#include "common/mem.h"

#define GAP	     2
#define SHRINK_LEAST 8
#define LAST_LEAST   14

void table_add(struct table *t, const char *fmt, ...)
{
	char raw[TEXT_BYTES], text[TEXT_BYTES];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	text_clean(text, sizeof(text), raw);
	t->cells = mem_grow(t->cells, &t->cap, t->count + 1, sizeof(*t->cells));
	t->cells[t->count++] = mem_strdup(text);
}

static void measure(const struct table *t, unsigned *width)
{
	for (size_t i = 0; i < t->count; i++) {
		unsigned w = text_width(t->cells[i]);

		if (w > width[i % t->columns])
			width[i % t->columns] = w;
	}
}

/* The widest column that may shrink further, or the number of columns if there is none. */
static unsigned widest(const struct table *t, const unsigned *width)
{
	unsigned best = t->columns;

	for (unsigned c = 0; c + 1 < t->columns; c++) {
		if (!(t->shrink & 1U << c) || width[c] <= SHRINK_LEAST)
			continue;
		if (best == t->columns || width[c] > width[best])
			best = c;
	}
	return best;
}

static void squeeze(const struct table *t, unsigned *width, unsigned room)
{
	unsigned last = t->columns - 1, fixed, c;
	unsigned want = width[last] < LAST_LEAST ? width[last] : LAST_LEAST;

	for (;;) {
		fixed = 0;
		for (c = 0; c < last; c++)
			fixed += width[c] + GAP;
		if (fixed + want <= room)
			break;
		c = widest(t, width);
		if (c == t->columns)
			break;
		width[c]--;
	}
	width[last] = fixed + want <= room ? room - fixed : want;
}

/* A cell, cut if it must be, and the blanks up to the next column. */
static void put_cell(FILE *out, const char *s, unsigned width)
{
	unsigned w = text_width(s);
	char cut[TEXT_BYTES];

	if (w > width) {
		(void)snprintf(cut, sizeof(cut), "%.*s…", (int)text_fit(s, width - 1), s);
		s = cut;
		w = text_width(s);
	}
	fprintf(out, "%s%*s", s, (int)(width - w) + GAP, "");
}

static void put_row(const struct table *t, FILE *out, size_t row, const unsigned *width,
		    unsigned indent)
{
	unsigned last = t->columns - 1, before = indent;
	const char *s = t->cells[row * t->columns + last];

	fprintf(out, "%*s", (int)indent, "");
	for (unsigned c = 0; c < last; c++) {
		put_cell(out, t->cells[row * t->columns + c], width[c]);
		before += width[c] + GAP;
	}
	for (;;) {
		size_t n = text_line(s, width[last]);

		fprintf(out, "%.*s\n", (int)n, s);
		s += n;
		while (*s == ' ')
			s++;
		if (!*s)
			return;
		fprintf(out, "%*s", (int)before, "");
	}
}

void table_print(const struct table *t, FILE *out, unsigned indent)
{
	unsigned width[TABLE_COLUMNS_MAX] = {0};

	measure(t, width);
	squeeze(t, width, text_columns() - indent);
	for (size_t row = 0; row < t->count / t->columns; row++)
		put_row(t, out, row, width, indent);
}

void table_free(struct table *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->cells[i]);
	free(t->cells);
	*t = (struct table){0};
}
