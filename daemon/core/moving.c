/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who moved? One look at a time, made of events: a connection is tried, then the name is looked up,
 * then the machine is known or not. Requests make us forget a printer before they change it.
 */
#include "daemon/core/moving.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/mono.h"
#include "daemon/core/check.h"
#include "daemon/core/commit.h"
#include "daemon/core/core.h"
#include "daemon/core/desired.h"
#include "daemon/core/look.h"

#define PORT_ANY 80 /* of a printer without a TCP service: that it refuses is answer enough */

struct mover {
	int64_t id;
	int64_t due; /* CLOCK_MONOTONIC, milliseconds */
	unsigned misses;
	unsigned pause;
};

struct attempt {
	struct core *core;
	struct store_printer printer; /* as it was when it began */
	struct check *check;
	struct look *look;
	bool out; /* the printer was taken out of the kernel to see who else has its address */
};

unsigned moving_pause(unsigned last)
{
	if (last == 0)
		return 1;
	return 2 * last > MOVING_PAUSE_MAX ? MOVING_PAUSE_MAX : 2 * last;
}

static struct mover *find(struct core *c, int64_t id)
{
	for (size_t i = 0; i < c->moving.n; i++)
		if (c->moving.item[i].id == id)
			return &c->moving.item[i];
	return NULL;
}

static struct mover *first_due(struct core *c)
{
	struct mover *first = NULL;

	for (size_t i = 0; i < c->moving.n; i++)
		if (!first || c->moving.item[i].due < first->due)
			first = &c->moving.item[i];
	return first;
}

static void arm(struct core *c)
{
	const struct mover *m = first_due(c);
	struct timeval wait;
	int64_t left;

	if (!m || c->moving.attempt) {
		(void)evtimer_del(c->moving.timer);
		return;
	}
	left = m->due - mono_ms();
	left = left < 1 ? 1 : left;
	wait = (struct timeval){.tv_sec = left / 1000, .tv_usec = left % 1000 * 1000};
	(void)evtimer_add(c->moving.timer, &wait);
}

static void wait_periods(struct core *c, struct mover *m, unsigned periods)
{
	m->due = mono_ms() + (int64_t)periods * c->gateway.check_seconds * 1000;
}

/* A closed one without an identity cannot come back by itself. */
static bool comes_back(const struct store_printer *p)
{
	return !p->moved || hardware_known(&p->hardware);
}

/* ---- the end of a look ------------------------------------------------------------------------- */

static void put_back(struct core *c, void *arg)
{
	desired_printer_put(c, arg);
}

static void take_out(struct core *c, void *arg)
{
	desired_printer_del(c, arg);
}

static void attempt_free(struct attempt *a)
{
	struct core *c = a->core;
	struct diag d = {0};

	check_cancel(a->check);
	look_cancel(a->look);
	if (a->out && commit_kernel(c, put_back, &a->printer, &d))
		log_warn("core", "%s", d.text);
	c->moving.attempt = NULL;
	free(a);
}

/* It answers, or is open where it is now. */
static void settled(struct attempt *a)
{
	struct core *c = a->core;
	struct mover *m = find(c, a->printer.id);

	if (m) {
		m->misses = m->pause = 0;
		wait_periods(c, m, 1);
	}
	attempt_free(a);
	arm(c);
}

/* Nothing was found: the next look-up comes later than this one did. */
static void in_vain(struct attempt *a)
{
	struct core *c = a->core;
	struct mover *m = find(c, a->printer.id);

	if (m) {
		m->pause = moving_pause(m->pause);
		wait_periods(c, m, m->pause);
	}
	attempt_free(a);
	arm(c);
}

/* ---- judging ----------------------------------------------------------------------------------- */

static void describe(char why[DIAG_TEXT_BYTES], const struct store_printer *p,
		     const struct look_result *r)
{
	char address[IP4_TEXT_BYTES], hardware[HARDWARE_TEXT_BYTES];
	char who[DIAG_TEXT_BYTES / 2] = "where nobody answers";

	ip4_format(address, r->address);
	hardware_format(hardware, &r->hardware);
	if (r->state == NEIGHBOUR_KNOWN && hardware_known(&p->hardware))
		(void)snprintf(who, sizeof(who), "and another machine (%s) is there", hardware);
	else if (r->state == NEIGHBOUR_LOCAL)
		(void)snprintf(who, sizeof(who), "which is this machine");
	else if (r->state != NEIGHBOUR_ASKED)
		(void)snprintf(who, sizeof(who),
			       "and nothing tells whether that is the same machine");
	(void)snprintf(why, DIAG_TEXT_BYTES,
		       "its name leads to %s now, %s; if it is right, say so with 'printgate "
		       "printer confirm'",
		       address, who);
}

static bool is_it(const struct store_printer *p, const struct look_result *r)
{
	return r->code == 0 && r->state == NEIGHBOUR_KNOWN && hardware_known(&p->hardware) &&
	       hardware_same(&p->hardware, &r->hardware);
}

static void follow(struct attempt *a, const struct look_result *r)
{
	struct store_printer p = a->printer;
	struct diag d = {0};

	if (moving_settle(a->core, &p, r->address, &p.hardware, COMMIT_OURSELVES, &d)) {
		log_warn("core", "%s", d.text);
		in_vain(a);
		return;
	}
	settled(a);
}

static void shut(struct attempt *a, const struct look_result *r)
{
	struct core *c = a->core;
	struct store_printer p = a->printer;
	char why[DIAG_TEXT_BYTES];
	struct diag d = {0};

	describe(why, &p, r);
	if (moving_close(c, &p, COMMIT_OURSELVES, why, &d))
		log_error("core", "%s", d.text);
	in_vain(a);
	if (comes_back(&p))
		return;
	moving_forget(c, p.id);
}

static void on_verified(void *arg, const struct look_result *r)
{
	struct attempt *a = arg;
	struct diag d = {0};
	bool other = r->state == NEIGHBOUR_KNOWN && !is_it(&a->printer, r);

	a->look = NULL;
	if (!other) {
		in_vain(a);
		return;
	}
	/* As the store says, for a moment: its pin comes before it and goes after it. */
	a->out = false;
	if (commit_kernel(a->core, put_back, &a->printer, &d))
		log_warn("core", "%s", d.text);
	shut(a, r);
}

/* The name still leads to the same address, or nowhere. Whether another machine answers there cannot
 * be seen through the pin, so the printer is taken out, and with it its pin, until that is known.
 * Nobody is disturbed: it does not answer anyway. */
static void verify(struct attempt *a)
{
	static const struct host none;
	struct diag d = {0};

	if (commit_kernel(a->core, take_out, &a->printer, &d)) {
		log_warn("core", "%s", d.text);
		in_vain(a);
		return;
	}
	a->out = true;
	if (look_start(a->core, &none, a->printer.address.addr, on_verified, a, &a->look, &d)) {
		log_warn("core", "%s", d.text);
		in_vain(a);
	}
}

static void on_found(void *arg, const struct look_result *r)
{
	struct attempt *a = arg;
	const struct store_printer *p = &a->printer;
	bool elsewhere = r->code == 0 && r->address != p->address.addr;

	a->look = NULL;
	if (is_it(p, r) && (p->moved || elsewhere))
		follow(a, r);
	else if (!p->moved && elsewhere)
		shut(a, r);
	else if (!p->moved && hardware_known(&p->hardware))
		verify(a);
	else
		in_vain(a);
}

/* ---- looking ----------------------------------------------------------------------------------- */

static void look_up(struct attempt *a)
{
	struct diag d = {0};

	if (look_start(a->core, &a->printer.host, a->printer.address.addr, on_found, a, &a->look,
		       &d)) {
		log_warn("core", "%s", d.text);
		in_vain(a);
	}
}

static void on_checked(void *arg, bool answers)
{
	struct attempt *a = arg;
	struct core *c = a->core;
	struct mover *m = find(c, a->printer.id);
	char address[IP4_TEXT_BYTES];

	a->check = NULL;
	if (answers || !m) {
		settled(a);
		return;
	}
	ip4_format(address, a->printer.address.addr);
	if (++m->misses == MOVING_MISSES)
		log_info("core", "the printer \"%s\" does not answer at %s", a->printer.name.s,
			 address);
	if (m->misses >= MOVING_MISSES) {
		look_up(a);
		return;
	}
	wait_periods(c, m, 1);
	attempt_free(a);
	arm(c);
}

static uint16_t port_of(const struct services *list)
{
	for (unsigned i = 0; i < list->count; i++)
		if (list->item[i].protocol == IPPROTO_TCP)
			return list->item[i].first;
	return PORT_ANY;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct core *c = arg;
	const struct mover *m = first_due(c);
	struct attempt *a;
	struct diag d = {0};

	(void)fd;
	(void)what;
	if (!m || m->due > mono_ms() || c->moving.attempt) {
		arm(c);
		return;
	}
	a = mem_zalloc(1, sizeof(*a));
	a->core = c;
	if (store_printer_by_id(c->store, m->id, &a->printer, &d))
		core_fatal("%s", d.text);
	c->moving.attempt = a;
	if (a->printer.moved) {
		look_up(a);
	} else if (check_start(c, a->printer.address.addr, port_of(&a->printer.services),
			       on_checked, a, &a->check, &d)) {
		log_warn("core", "%s", d.text);
		in_vain(a);
	}
}

/* ---- which there are --------------------------------------------------------------------------- */

void moving_add(struct core *c, const struct store_printer *p)
{
	struct moving *all = &c->moving;
	struct mover m = {.id = p->id};

	moving_forget(c, p->id);
	if (!p->host.s[0] || !comes_back(p))
		return;
	wait_periods(c, &m, 1);
	all->item = mem_grow(all->item, &all->cap, all->n + 1, sizeof(*all->item));
	all->item[all->n++] = m;
	arm(c);
}

void moving_forget(struct core *c, int64_t id)
{
	struct mover *m = find(c, id);

	if (m)
		*m = c->moving.item[--c->moving.n];
	if (c->moving.attempt && c->moving.attempt->printer.id == id)
		attempt_free(c->moving.attempt);
	arm(c);
}

static int each(void *arg, const struct store_printer *p)
{
	moving_add(arg, p);
	return 0;
}

int moving_open(struct core *c, struct diag *d)
{
	c->moving.timer = evtimer_new(c->base, on_timer, c);
	return c->moving.timer ? 0 : diag_set(d, ERR_SYSTEM, "cannot make a timer");
}

int moving_begin(struct core *c, struct diag *d)
{
	return store_printer_each(c->store, each, c, d);
}

void moving_free(struct core *c)
{
	struct attempt *a = c->moving.attempt;

	if (a) {
		a->out = false; /* the line is gone, perhaps; the next start makes it equal */
		attempt_free(a);
	}
	if (c->moving.timer)
		event_free(c->moving.timer);
	free(c->moving.item);
}
