/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Printers and their services in the store. Of a printer that has a host
 * name, the address can change; nothing else ever does.
 */
#include "db/store_internal.h"

#include <string.h>

static int services_read(struct store *s, int64_t id, struct services *out, struct diag *d)
{
	auto_query q = query_open(s, Q_SERVICE_EACH);
	int got;

	memset(out, 0, sizeof(*out));
	query_int(&q, id);
	while ((got = query_row(&q, d)) == 1 && out->count < SERVICES_MAX)
		out->item[out->count++] = (struct service){
			.protocol = (uint8_t)query_get_int(&q, 0),
			.first = (uint16_t)query_get_int(&q, 1),
			.last = (uint16_t)query_get_int(&q, 2),
		};
	if (got < 0)
		return got;
	if (got == 1 || out->count == 0 || !services_valid(out))
		return diag_set(d, ERR_STORE, "%s: the services of a printer are damaged", s->path);
	return 0;
}

static int printer_read(struct query *q, struct store_printer *out, struct diag *d)
{
	memset(out, 0, sizeof(*out));
	out->id = query_get_int(q, 0);
	query_get_text(q, 1, out->name.s, sizeof(out->name.s));
	out->kind = (uint8_t)query_get_int(q, 2);
	out->address.addr = (uint32_t)query_get_int(q, 3);
	out->address.len = (uint8_t)query_get_int(q, 4);
	out->vpn.addr = (uint32_t)query_get_int(q, 5);
	out->vpn.len = (uint8_t)query_get_int(q, 6);
	query_get_text(q, 7, out->preset, sizeof(out->preset));
	out->created = query_get_int(q, 8);
	query_get_text(q, 9, out->host.s, sizeof(out->host.s));
	query_get_blob(q, 10, out->hardware.b, sizeof(out->hardware.b));
	out->moved = query_get_int(q, 11) != 0;
	int err = query_good(q, d);

	return err ? err : services_read(q->s, out->id, &out->services, d);
}

static int printer_conflict(struct query *q, const struct store_printer *p, struct diag *d)
{
	const char *why = sqlite3_errmsg(q->s->db);
	char vpn[PREFIX4_TEXT_BYTES];

	if (strstr(why, "printer.folded"))
		return diag_set(d, ERR_NAME_TAKEN,
				"a printer called \"%s\" exists already (names do not differ by "
				"case)",
				p->name.s);
	if (!strstr(why, "printer.vpn"))
		return ERR_CONFLICT;
	prefix4_format(vpn, p->vpn);
	return diag_set(d, ERR_CONFLICT, "another printer has %s or a part of it", vpn);
}

static int row_insert(struct store *s, struct store_printer *p, struct diag *d)
{
	auto_query q = query_open(s, Q_PRINTER_INSERT);
	char folded[FOLD_BYTES];
	int err = fold_name(folded, p->name.s, d);

	if (err)
		return err;
	query_text(&q, p->name.s);
	query_text(&q, folded);
	query_int(&q, p->kind);
	query_int(&q, p->address.addr);
	query_int(&q, p->address.len);
	query_int(&q, p->vpn.addr);
	query_int(&q, p->vpn.len);
	query_text(&q, p->preset);
	query_int(&q, p->created);
	query_text(&q, p->host.s);
	query_blob(&q, p->hardware.b, sizeof(p->hardware.b));
	query_int(&q, p->moved);
	err = query_run(&q, d);
	if (err == ERR_CONFLICT)
		return printer_conflict(&q, p, d);
	if (!err)
		p->id = sqlite3_last_insert_rowid(s->db);
	return err;
}

static int service_insert(struct store *s, int64_t id, struct service service, struct diag *d)
{
	auto_query q = query_open(s, Q_SERVICE_INSERT);

	query_int(&q, id);
	query_int(&q, service.protocol);
	query_int(&q, service.first);
	query_int(&q, service.last);
	return query_run(&q, d);
}

int store_printer_insert(struct store *s, struct store_printer *p, struct diag *d)
{
	if (p->services.count == 0 || !services_valid(&p->services))
		return diag_set(d, ERR_BAD_SERVICE, "a printer needs valid services");
	int err = store_part_begin(s, d);

	if (err)
		return err;
	err = row_insert(s, p, d);
	for (unsigned i = 0; i < p->services.count && !err; i++)
		err = service_insert(s, p->id, p->services.item[i], d);
	return store_part_end(s, err, d);
}

int store_printer_by_name(struct store *s, const struct name *name, struct store_printer *out,
			  struct diag *d)
{
	auto_query q = query_open(s, Q_PRINTER_BY_NAME);
	char folded[FOLD_BYTES];
	int got = fold_name(folded, name->s, d);

	if (got)
		return got;
	query_text(&q, folded);
	got = query_row(&q, d);
	if (got == 0)
		return diag_set(d, ERR_NOT_FOUND, "there is no printer called \"%s\"", name->s);
	return got < 0 ? got : printer_read(&q, out, d);
}

int store_printer_by_id(struct store *s, int64_t id, struct store_printer *out, struct diag *d)
{
	auto_query q = query_open(s, Q_PRINTER_BY_ID);
	int got;

	query_int(&q, id);
	got = query_row(&q, d);
	if (got == 0)
		return diag_set(d, ERR_NOT_FOUND, "the printer is not there any more");
	return got < 0 ? got : printer_read(&q, out, d);
}

int store_printer_move(struct store *s, int64_t id, uint32_t address,
		       const struct hardware *hardware, bool moved, struct diag *d)
{
	auto_query q = query_open(s, Q_PRINTER_MOVE);

	query_int(&q, id);
	query_int(&q, address);
	query_blob(&q, hardware->b, sizeof(hardware->b));
	query_int(&q, moved);
	return query_change(&q, "printer with a host name", d);
}

int store_printer_delete(struct store *s, int64_t id, struct diag *d)
{
	auto_query q = query_open(s, Q_PRINTER_DELETE);

	query_int(&q, id);
	return query_change(&q, "printer", d);
}

int store_printer_each(struct store *s, store_printer_fn fn, void *arg, struct diag *d)
{
	auto_query q = query_open(s, Q_PRINTER_EACH);
	struct store_printer p;
	int got;

	while ((got = query_row(&q, d)) == 1) {
		got = printer_read(&q, &p, d);
		if (!got)
			got = fn(arg, &p);
		if (got)
			break;
	}
	return got;
}
