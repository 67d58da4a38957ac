/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The codec: header, then the fields of the message's row, each by its kind (wire_kind.c). Nothing
 * here allocates, logs or knows a message; any bytes may come in.
 */
#include "common/wire.h"

#include <string.h>

#include "common/wire_kind.h"

const struct wire_row *wire_row(const struct wire_table *table, uint16_t type)
{
	for (unsigned i = 0; i < table->count; i++)
		if (table->rows[i].type == type)
			return &table->rows[i];
	return NULL;
}

int wire_encode(const struct wire_table *table, uint16_t type, const void *msg,
		uint8_t out[WIRE_BYTES_MAX])
{
	struct wire_writer w = {out, WIRE_BYTES_MAX};
	const struct wire_row *row = wire_row(table, type);

	if (!row || (row->count > 0 && !msg))
		return ERR_PROTOCOL;
	if (!wire_put_int(&w, WIRE_VERSION, 2) || !wire_put_int(&w, type, 2))
		return ERR_PROTOCOL;
	for (unsigned i = 0; i < row->count; i++) {
		const struct wire_field *f = &row->fields[i];
		const char *m = (const char *)msg + f->offset;

		if (!wire_kinds[f->kind].valid(f, m) || !wire_kinds[f->kind].put(&w, f, m))
			return ERR_PROTOCOL;
	}
	return (int)(WIRE_BYTES_MAX - w.left);
}

/* Version and type; returns the type's row. */
static const struct wire_row *header_get(const struct wire_table *table, struct wire_reader *r,
					 struct diag *d)
{
	const struct wire_row *row;
	uint64_t version, type;

	if (!wire_get_int(r, &version, 2) || !wire_get_int(r, &type, 2)) {
		(void)diag_set(d, ERR_PROTOCOL, "a message is too short to have a header");
		return NULL;
	}
	if (version != WIRE_VERSION) {
		(void)diag_set(
			d, ERR_PROTOCOL,
			"the other side speaks version %u of the protocol, this program speaks "
			"%d: both must be of the same release",
			(unsigned)version, WIRE_VERSION);
		return NULL;
	}
	row = wire_row(table, (uint16_t)type);
	if (!row)
		(void)diag_set(d, ERR_PROTOCOL, "a message of type %u does not belong here",
			       (unsigned)type);
	return row;
}

static int fields_get(const struct wire_row *row, struct wire_reader *r, void *msg, struct diag *d)
{
	for (unsigned i = 0; i < row->count; i++) {
		const struct wire_field *f = &row->fields[i];
		char *m = (char *)msg + f->offset;

		if (!wire_kinds[f->kind].get(r, f, m) || !wire_kinds[f->kind].valid(f, m))
			return diag_set(d, ERR_PROTOCOL, "%s: field %u is missing or not valid",
					row->name, i + 1);
	}
	if (r->left > 0)
		return diag_set(d, ERR_PROTOCOL, "%s: %zu bytes too many", row->name, r->left);
	return 0;
}

int wire_decode(const struct wire_table *table, const uint8_t *in, size_t n, uint16_t *type,
		void *msg, size_t room, struct diag *d)
{
	struct wire_reader r = {in, n};
	const struct wire_row *row = header_get(table, &r, d);
	int err;

	if (!row)
		return ERR_PROTOCOL;
	if (row->size > room)
		return diag_set(d, ERR_PROTOCOL, "%s: no room for it here", row->name);
	if (room > 0)
		memset(msg, 0, room);
	err = fields_get(row, &r, msg, d);
	if (err) {
		if (room > 0)
			memset(msg, 0,
			       room); /* nothing half read is left to be taken for a message */
		return err;
	}
	*type = row->type;
	return 0;
}
