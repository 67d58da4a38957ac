/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A page is made of pieces: HTML elements with an id, each in a box (the element whose id is the box's
 * letter). A page has them all; a stream sends those that have changed, and the order if that has.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PIECE_ID_BYTES 12

struct piece {
	char box;
	char id[PIECE_ID_BYTES];
	uint64_t hash; /* of its text */
	size_t at, n;  /* its text, in the pieces' */
};

struct pieces {
	struct piece *item;
	size_t count, cap;
	char *text; /* complete after pieces_close; without line feeds */
	size_t n;
	FILE *out;
};

void pieces_open(struct pieces *p);
/* Begins the next piece, which ends the one before: write one element with that id to the stream. */
FILE *pieces_begin(struct pieces *p, char box, const char *id);
void pieces_close(struct pieces *p);
void pieces_free(struct pieces *p); /* also of zeroes */
/* The text of all pieces in one box, in their order. */
void pieces_put_box(FILE *out, const struct pieces *p, char box);

/* What a viewer already has: ids and hashes, in order. */
struct pieces_known {
	struct piece *item;
	size_t count;
};

/* Writes events that turn `known` into p, and makes `known` equal to p. Returns whether there were
 * any. */
bool pieces_changes(FILE *out, const struct pieces *p, struct pieces_known *known);
void pieces_keep(struct pieces_known *known, const struct pieces *p);
void pieces_forget(struct pieces_known *known);
