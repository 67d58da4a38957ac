/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two changes that happen to a printer with a host name: it is closed, or it is open at an
 * address. Called by moving.c and by the requests (req_named.c).
 */
#include "daemon/core/moving.h"

#include <stdio.h>

#include "common/log.h"
#include "daemon/core/commit.h"
#include "daemon/core/core.h"
#include "daemon/core/desired.h"

struct move {
	struct store_printer from, to;
	const char *actor, *why;
};

static int put(struct core *c, const struct store_printer *p, struct diag *d)
{
	return store_printer_move(c->store, p->id, p->address.addr, &p->hardware, p->moved, d);
}

/* ---- closed ------------------------------------------------------------------------------------ */

static void close_kernel(struct core *c, void *arg)
{
	const struct move *m = arg;

	desired_printer_del(c, &m->from);
}

static int close_store(struct core *c, void *arg, struct diag *d)
{
	const struct move *m = arg;
	const int e = put(c, &m->to, d);

	return e ? e : commit_note(c, d, m->actor, "printer-closed", &m->to.name, "%.300s", m->why);
}

int moving_close(struct core *c, struct store_printer *p, const char *actor, const char *why,
		 struct diag *d)
{
	struct move m = {.from = *p, .to = *p, .actor = actor, .why = why};
	int e;

	m.to.moved = true;
	e = commit_remove(c, close_kernel, close_store, &m, d);
	if (e)
		return e;
	log_warn("core", "the printer \"%s\" is closed: %s", p->name.s, why);
	*p = m.to;
	return 0;
}

/* ---- open -------------------------------------------------------------------------------------- */

static int settle_store(struct core *c, void *arg, struct diag *d)
{
	const struct move *m = arg;
	char address[IP4_TEXT_BYTES], hardware[HARDWARE_TEXT_BYTES];
	const int e = put(c, &m->to, d);

	ip4_format(address, m->to.address.addr);
	hardware_format(hardware, &m->to.hardware);
	return e ? e
		 : commit_note(c, d, m->actor, m->from.moved ? "printer-opened" : "printer-moved",
			       &m->to.name, "now at %s, %s%s", address,
			       hardware_known(&m->to.hardware) ? "known as " : "behind a router",
			       hardware_known(&m->to.hardware) ? hardware : "");
}

static void settle_kernel(struct core *c, void *arg)
{
	const struct move *m = arg;

	if (m->from.moved)
		desired_printer_put(c, &m->to);
	else
		desired_printer_move(c, &m->from, &m->to);
}

static int settle_undo(struct core *c, void *arg, struct diag *d)
{
	const struct move *m = arg;
	const int e = put(c, &m->from, d);

	return e ? e
		 : commit_note(c, d, COMMIT_OURSELVES, "printer-closed", &m->from.name,
			       "the kernel refused it at its new address");
}

int moving_settle(struct core *c, struct store_printer *p, uint32_t address,
		  const struct hardware *hardware, const char *actor, struct diag *d)
{
	struct move m = {.from = *p, .to = *p, .actor = actor};
	char text[IP4_TEXT_BYTES];
	int e;

	m.to.address.addr = address;
	m.to.hardware = *hardware;
	m.to.moved = false;
	e = commit_add(c, settle_store, settle_kernel, settle_undo, &m, d);
	if (e)
		return e;
	ip4_format(text, address);
	log_info("core", "the printer \"%s\" is at %s now", p->name.s, text);
	*p = m.to;
	return 0;
}
