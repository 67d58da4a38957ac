/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pieces are written into one stream in memory; what a viewer has is known by their hashes.
 */
#include "web/piece.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

void pieces_open(struct pieces *p)
{
	*p = (struct pieces){0};
	p->out = open_memstream(&p->text, &p->n);
	if (!p->out)
		abort();
}

static void end_last(struct pieces *p)
{
	if (fflush(p->out) != 0)
		abort(); /* memory only */
	if (p->count)
		p->item[p->count - 1].n = p->n - p->item[p->count - 1].at;
}

FILE *pieces_begin(struct pieces *p, char box, const char *id)
{
	struct piece *one;

	end_last(p);
	p->item = mem_grow(p->item, &p->cap, p->count + 1, sizeof(*p->item));
	one = &p->item[p->count++];
	*one = (struct piece){.box = box, .at = p->n};
	(void)snprintf(one->id, sizeof(one->id), "%s", id);
	return p->out;
}

/* FNV-1a, 64 bits: a change that it misses is one piece that is late by a change. */
static uint64_t hash_of(const char *text, size_t n)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3;
	return hash;
}

void pieces_close(struct pieces *p)
{
	end_last(p);
	if (fclose(p->out) != 0)
		abort();
	p->out = NULL;
	for (size_t i = 0; i < p->count; i++)
		p->item[i].hash = hash_of(p->text + p->item[i].at, p->item[i].n);
}

void pieces_free(struct pieces *p)
{
	if (p->out)
		(void)fclose(p->out);
	free(p->text);
	free(p->item);
	*p = (struct pieces){0};
}

void pieces_put_box(FILE *out, const struct pieces *p, char box)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->item[i].box == box)
			(void)fwrite(p->text + p->item[i].at, 1, p->item[i].n, out);
}

/* ---- changes ----------------------------------------------------------------------------------- */

/* Mostly at the same place as before, or one further. */
static const struct piece *find(const struct pieces_known *known, const char *id, size_t near)
{
	for (size_t tried = 0; tried < known->count; tried++) {
		const struct piece *one = &known->item[(near + tried) % known->count];

		if (strcmp(one->id, id) == 0)
			return one;
	}
	return NULL;
}

static bool same_order(const struct pieces *p, const struct pieces_known *known)
{
	if (p->count != known->count)
		return false;
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->item[i].id, known->item[i].id) != 0)
			return false;
	return true;
}

bool pieces_changes(FILE *out, const struct pieces *p, struct pieces_known *known)
{
	bool any = false, order = !same_order(p, known);

	for (size_t i = 0; i < p->count; i++) {
		const struct piece *one = &p->item[i], *was = find(known, one->id, i);

		if (was && was->hash == one->hash)
			continue;
		fprintf(out, "event: %c\ndata: ", one->box);
		(void)fwrite(p->text + one->at, 1, one->n, out);
		fputs("\n\n", out);
		any = true;
	}
	if (order) {
		fputs("event: order\ndata:", out);
		for (size_t i = 0; i < p->count; i++)
			fprintf(out, " %s", p->item[i].id);
		fputs("\n\n", out);
	}
	pieces_keep(known, p);
	return any || order;
}

void pieces_keep(struct pieces_known *known, const struct pieces *p)
{
	pieces_forget(known);
	known->item = mem_zalloc(p->count + 1, sizeof(*known->item));
	if (p->count)
		memcpy(known->item, p->item, p->count * sizeof(*p->item));
	known->count = p->count;
}

void pieces_forget(struct pieces_known *known)
{
	free(known->item);
	*known = (struct pieces_known){0};
}
