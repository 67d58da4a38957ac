/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds of fields, for wire.c alone: what is valid, how it is written, how it is read. Both
 * directions ask the same valid function, so nothing can be sent that would not be accepted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire.h"

struct wire_writer {
	uint8_t *at;
	size_t left;
};

struct wire_reader {
	const uint8_t *at;
	size_t left;
};

/* `m` is the field's member in the message's struct. put and get return false when there are not
 * enough bytes; get into zeroed memory, and what it got is not valid before valid says so. */
struct wire_kind_ops {
	bool (*valid)(const struct wire_field *f, const void *m);
	bool (*put)(struct wire_writer *w, const struct wire_field *f, const void *m);
	bool (*get)(struct wire_reader *r, const struct wire_field *f, void *m);
};

extern const struct wire_kind_ops wire_kinds[]; /* by enum wire_kind */

/* Integers of n bytes, little-endian: for the header. */
bool wire_put_int(struct wire_writer *w, uint64_t v, size_t n) __attribute__((warn_unused_result));
bool wire_get_int(struct wire_reader *r, uint64_t *v, size_t n) __attribute__((warn_unused_result));
