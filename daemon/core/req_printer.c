/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests about printers: list, add, remove. Adding one needs nothing new on any phone: its VPN
 * address lies in the one prefix that phones know already.
 */
#include "daemon/core/answer.h"

#include <stdio.h>

#include "daemon/core/commit.h"
#include "daemon/core/desired.h"
#include "daemon/core/req_named.h"

struct printer_job {
	const struct request *r;
	struct store_printer printer;
	struct grants grants;
};

static void job_cleanup(struct printer_job *j)
{
	grants_free(&j->grants);
}
#define auto_job __attribute__((cleanup(job_cleanup))) struct printer_job

int req_printers(const struct request *r, const union control_any *msg, struct diag *d)
{
	(void)msg;
	return answer_printers(r, d);
}

/* ---- add --------------------------------------------------------------------------------------- */

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

static void printer_fill(struct store_printer *p, const struct control_printer_add *msg,
			 int64_t now)
{
	p->name = msg->name;
	p->kind = msg->kind;
	p->address = msg->kind == PRINTER_SELF ? (struct prefix4){0, 32} : msg->address;
	p->services = msg->services;
	p->created = now;
	p->host = msg->host;
	(void)snprintf(p->preset, sizeof(p->preset), "%s", msg->preset);
}

static int add_store(struct core *c, void *arg, struct diag *d)
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

static void add_kernel(struct core *c, void *arg)
{
	const struct printer_job *j = arg;

	desired_printer_put(c, &j->printer);
}

static int add_undo(struct core *c, void *arg, struct diag *d)
{
	const struct printer_job *j = arg;
	const int e = store_printer_delete(c->store, j->printer.id, d);

	return e ? e
		 : commit_note(c, d, COMMIT_OURSELVES, "printer-remove", &j->printer.name,
			       "the kernel refused it");
}

static int room_check(const struct core *c, struct diag *d)
{
	if (c->printers < CORE_PRINTERS_MAX)
		return 0;
	return diag_set(d, ERR_LIMIT, "a gateway holds at most %d printers", CORE_PRINTERS_MAX);
}

int printer_add(const struct request *r, const struct store_printer *p, struct diag *d)
{
	struct core *c = r->core;
	auto_job j = {.r = r, .printer = *p};
	int e = room_check(c, d);

	if (e == 0)
		e = commit_add(c, add_store, add_kernel, add_undo, &j, d);
	if (e)
		return e;
	c->printers++;
	moving_add(c, &j.printer);
	answer_printer(r, &j.printer);
	return 0;
}

int req_printer_add(const struct request *r, const union control_any *msg, struct diag *d)
{
	struct store_printer p = {0};
	int e = address_check(r->core, &msg->printer_add, d);

	if (e == 0)
		e = room_check(r->core, d);
	if (e)
		return e;
	printer_fill(&p, &msg->printer_add, clock_now(r->core).now);
	return p.host.s[0] ? named_add(r, &p, d) : printer_add(r, &p, d);
}

/* ---- remove ------------------------------------------------------------------------------------ */

static void remove_kernel(struct core *c, void *arg)
{
	const struct printer_job *j = arg;

	for (size_t i = 0; i < j->grants.n; i++)
		desired_grant_del(c, j->grants.item[i].peer_address, j->printer.vpn);
	desired_printer_del(c, &j->printer);
}

static int remove_store(struct core *c, void *arg, struct diag *d)
{
	const struct printer_job *j = arg;
	const int e = store_printer_delete(c->store, j->printer.id, d);

	return e ? e
		 : commit_note(c, d, j->r->actor, "printer-remove", &j->printer.name,
			       "and %zu grant%s with it", j->grants.n, j->grants.n == 1 ? "" : "s");
}

int req_printer_remove(const struct request *r, const union control_any *msg, struct diag *d)
{
	struct core *c = r->core;
	auto_job j = {.r = r};
	int e = answer_find_printer(c, &msg->named.name, &j.printer, d);

	if (e == 0)
		e = grants_of_printer(c, j.printer.id, &j.grants, d);
	if (e)
		return e;
	moving_forget(c, j.printer.id);
	e = commit_remove(c, remove_kernel, remove_store, &j, d);
	if (e) {
		moving_add(c, &j.printer);
		return e;
	}
	c->printers--;
	c->grants -= (uint32_t)j.grants.n;
	answer_printer(r, &j.printer);
	return 0;
}
