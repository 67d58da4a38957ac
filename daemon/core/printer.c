/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A new printer: what is asked for is checked here and nowhere else.
 */
#include "daemon/core/printer.h"

#include <stdio.h>

#include "daemon/core/commit.h"
#include "daemon/core/desired.h"

static int address_check(const struct core *c, const struct control_printer_add *msg,
			 struct diag *d)
{
	if (msg->host.s[0] && (msg->kind != PRINTER_HOST || msg->address.addr))
		return diag_set(d, ERR_BAD_ADDRESS, "a printer has a host name or an address");
	if (msg->kind == PRINTER_SELF || msg->host.s[0])
		return 0;
	if ((msg->kind == PRINTER_HOST) != (msg->address.len == 32))
		return diag_set(d, ERR_BAD_ADDRESS,
				"a printer is one address, a printer subnet is more than one");
	return target_check(c->gateway.tunnel, msg->address, d);
}

static void take(struct store_printer *p, const struct control_printer_add *msg, int64_t now)
{
	*p = (struct store_printer){0};
	p->name = msg->name;
	p->kind = msg->kind;
	p->address = msg->kind == PRINTER_SELF ? (struct prefix4){0, 32} : msg->address;
	p->services = msg->services;
	p->created = now;
	p->host = msg->host;
	(void)snprintf(p->preset, sizeof(p->preset), "%s", msg->preset);
}

static int room_check(const struct core *c, struct diag *d)
{
	if (c->printers < CORE_PRINTERS_MAX)
		return 0;
	return diag_set(d, ERR_LIMIT, "a gateway holds at most %d printers", CORE_PRINTERS_MAX);
}

int printer_fill(struct core *c, struct store_printer *p, const struct control_printer_add *msg,
		 struct diag *d)
{
	const int e = address_check(c, msg, d);

	take(p, msg, clock_now(c).now);
	return e ? e : room_check(c, d);
}

int printer_store(struct core *c, void *arg, struct diag *d)
{
	struct printer_job *j = arg;
	struct store_printer *p = &j->printer;
	char vpn[PREFIX4_TEXT_BYTES];
	int e = store_vpn_free(c->store, c->gateway.tunnel, p->address.len, &p->vpn, d);

	if (e == 0)
		e = store_printer_insert(c->store, p, d);
	if (e)
		return e;
	prefix4_format(vpn, p->vpn);
	return commit_note(c, d, j->r->actor, "printer-add", &p->name, "reached at %s", vpn);
}

void printer_kernel(struct core *c, void *arg)
{
	const struct printer_job *j = arg;

	desired_printer_put(c, &j->printer);
}

int printer_undo(struct core *c, void *arg, struct diag *d)
{
	const struct printer_job *j = arg;
	const int e = store_printer_delete(c->store, j->printer.id, d);

	return e ? e
		 : commit_note(c, d, COMMIT_OURSELVES, "printer-remove", &j->printer.name,
			       "the kernel refused it");
}

int printer_add(const struct request *r, const struct store_printer *p, struct diag *d)
{
	struct core *c = r->core;
	struct printer_job j = {.r = r, .printer = *p};
	int e = room_check(c, d);

	if (e == 0)
		e = commit_add(c, printer_store, printer_kernel, printer_undo, &j, d);
	if (e)
		return e;
	c->printers++;
	moving_add(c, &j.printer);
	answer_printer(r, &j.printer);
	return 0;
}
