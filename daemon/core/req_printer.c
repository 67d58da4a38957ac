/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests about printers: list, add, remove. Adding one needs nothing new on any phone: its VPN
 * address lies in the one prefix that phones know already.
 */
#include "daemon/core/answer.h"

#include "daemon/core/commit.h"
#include "daemon/core/desired.h"
#include "daemon/core/printer.h"
#include "daemon/core/req_named.h"

struct remove_job {
	const struct request *r;
	struct store_printer printer;
	struct grants grants;
};

static void job_cleanup(struct remove_job *j)
{
	grants_free(&j->grants);
}
#define auto_job __attribute__((cleanup(job_cleanup))) struct remove_job

int req_printers(const struct request *r, const union control_any *msg, struct diag *d)
{
	(void)msg;
	return answer_printers(r, d);
}

int req_printer_add(const struct request *r, const union control_any *msg, struct diag *d)
{
	struct store_printer p;
	const int e = printer_fill(r->core, &p, &msg->printer_add, d);

	if (e)
		return e;
	return p.host.s[0] ? named_add(r, &p, d) : printer_add(r, &p, d);
}

/* ---- remove ------------------------------------------------------------------------------------ */

static void remove_kernel(struct core *c, void *arg)
{
	const struct remove_job *j = arg;

	for (size_t i = 0; i < j->grants.n; i++)
		desired_grant_del(c, j->grants.item[i].peer_address, j->printer.vpn);
	desired_printer_del(c, &j->printer);
}

static int remove_store(struct core *c, void *arg, struct diag *d)
{
	const struct remove_job *j = arg;
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
