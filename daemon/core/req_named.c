/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printer add with a host name, and printer confirm. Both believe the owner, once: the machine that
 * the name leads to now is the printer, and by its hardware address it is known from then on.
 */
#include "daemon/core/req_named.h"

#include <stdlib.h>

#include "common/mem.h"
#include "daemon/core/answer.h"
#include "daemon/core/look.h"
#include "daemon/core/printer.h"

struct named_job {
	struct named_job *next; /* core::named */
	struct request r;
	struct store_printer printer;
	struct look *look;
	int (*finish)(struct named_job *j, const struct look_result *found, struct diag *d);
};

static void job_free(struct named_job *j)
{
	struct named_job **at = &j->r.core->named;

	while (*at && *at != j)
		at = &(*at)->next;
	if (*at)
		*at = j->next;
	look_cancel(j->look);
	free(j);
}

void named_free(struct core *c)
{
	while (c->named)
		job_free(c->named);
}

/* An identity, or the certainty that there can be none: behind a router every machine looks alike. */
static int usable(const struct store_printer *p, const struct look_result *f, struct diag *d)
{
	char address[IP4_TEXT_BYTES];

	ip4_format(address, f->address);
	if (f->code)
		return diag_set(d, f->code, "%s", f->why.text);
	if (f->state == NEIGHBOUR_LOCAL)
		return diag_set(d, ERR_BAD_ADDRESS,
				"%.255s is %s, this machine itself: give 'self' instead", p->host.s,
				address);
	if (f->state == NEIGHBOUR_ASKED)
		return diag_set(d, ERR_NOT_FOUND,
				"%.255s is %s, and no machine answers there: switch the printer on "
				"and try again",
				p->host.s, address);
	return 0;
}

static void on_found(void *arg, const struct look_result *f)
{
	struct named_job *j = arg;
	struct request r = j->r;
	struct diag d = {0};
	int e;

	j->look = NULL;
	e = j->finish(j, f, &d);
	job_free(j);
	request_end(&r, e, &d);
}

static int job_start(const struct request *r, const struct store_printer *p,
		     int (*finish)(struct named_job *, const struct look_result *, struct diag *),
		     struct diag *d)
{
	struct named_job *j = mem_zalloc(1, sizeof(*j));
	int e;

	*j = (struct named_job){.next = r->core->named, .r = *r, .printer = *p, .finish = finish};
	r->core->named = j;
	e = look_start(r->core, &p->host, 0, on_found, j, &j->look, d);
	if (e) {
		job_free(j);
		return e;
	}
	request_later(r);
	return REQUEST_LATER;
}

/* ---- add --------------------------------------------------------------------------------------- */

static int add_finish(struct named_job *j, const struct look_result *f, struct diag *d)
{
	const int e = usable(&j->printer, f, d);

	if (e)
		return e;
	j->printer.address.addr = f->address;
	j->printer.hardware = f->hardware;
	return printer_add(&j->r, &j->printer, d);
}

int named_add(const struct request *r, const struct store_printer *p, struct diag *d)
{
	struct store_printer same;
	const int e = store_printer_by_name(r->core->store, &p->name, &same, d);

	if (e == 0)
		return diag_set(d, ERR_NAME_TAKEN,
				"a printer called \"%s\" exists already (names do not differ by "
				"case)",
				same.name.s);
	return e == ERR_NOT_FOUND ? job_start(r, p, add_finish, d) : e;
}

/* ---- confirm ----------------------------------------------------------------------------------- */

static int confirm_open(struct named_job *j, const struct look_result *f, struct diag *d)
{
	struct store_printer p;
	int e = store_printer_by_id(j->r.core->store, j->printer.id, &p, d);

	if (e)
		return e;
	moving_forget(j->r.core, p.id);
	/* Unless it came back by itself meanwhile. */
	e = p.moved ? usable(&p, f, d) : 0;
	if (e == 0 && p.moved)
		e = moving_settle(j->r.core, &p, f->address, &f->hardware, j->r.actor, d);
	moving_add(j->r.core, &p);
	if (e)
		return e;
	answer_printer(&j->r, &p);
	return 0;
}

/* What answers at the printer's old address is seen only when its pin is gone: it is closed first. */
int req_printer_confirm(const struct request *r, const union control_any *msg, struct diag *d)
{
	struct core *c = r->core;
	struct store_printer p;
	int e = answer_find_printer(c, &msg->named.name, &p, d);

	if (e)
		return e;
	if (!p.host.s[0])
		return diag_set(d, ERR_CONFLICT,
				"\"%s\" was added by its address, not by a host name: there is "
				"nothing to confirm",
				p.name.s);
	moving_forget(c, p.id);
	if (!p.moved)
		e = moving_close(c, &p, r->actor, "it is to be known anew", d);
	if (e == 0)
		e = job_start(r, &p, confirm_open, d);
	if (e != REQUEST_LATER)
		moving_add(c, &p);
	return e;
}
