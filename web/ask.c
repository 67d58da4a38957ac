/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks core for views and keeps them for a second, so that a page that is loaded a thousand times a
 * second costs core one question. The question blocks, but never longer than ASK_TIMEOUT_MS; an
 * answer that comes later is read away before the next question is put.
 */
#include "web/ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "common/chan.h"
#include "common/mem.h"

#define ASK_ITEMS_MAX 8192 /* of one answer; core sends fewer than 2 per printer */

struct kept {
	struct endpoint viewer;
	int64_t asked; /* monotonic, ms; 0: empty */
	int err;       /* how it ended */
	struct view view;
};

struct ask {
	struct chan core;
	bool behind; /* an answer that timed out is still on its way */
	struct kept kept[ASK_KEPT];
};

struct ask *ask_new(int core)
{
	struct ask *a = mem_zalloc(1, sizeof(*a));

	chan_open(&a->core, core, &control_table, &control_table);
	return a;
}

void ask_free(struct ask *a)
{
	free(a);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail with this clock */
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* A grant names its printer; printer and grant may come in either order, so each finds or makes
 * the printer's place by name. NULL: no place left. */
static struct view_printer *view_place(struct view *v, const struct name *name)
{
	struct view_printer *p;

	for (size_t i = 0; i < v->count; i++)
		if (strcmp(v->printer[i].printer.name.s, name->s) == 0)
			return &v->printer[i];
	if (v->count == VIEW_PRINTERS_MAX)
		return NULL;
	p = &v->printer[v->count++];
	p->printer.name = *name;
	return p;
}

static void view_grant(struct view *v, const struct control_grant *g)
{
	struct view_printer *p = view_place(v, &g->printer);

	if (!p) {
		v->omitted++;
		return;
	}
	p->granted = true;
	p->expires = g->expires;
}

static void view_printer(struct view *v, const struct control_printer *printer)
{
	struct view_printer *p = view_place(v, &printer->name);

	if (p)
		p->printer = *printer;
}

/* One item of an answer into the view. Returns 1 at its end, 0 to go on, or an error. */
static int view_item(struct view *v, uint16_t type, const union control_any *m, struct diag *d)
{
	switch (type) {
	case CTL_GATEWAY:
		v->gateway = m->gateway;
		return 0;
	case CTL_COUNTS:
		v->counts = m->counts;
		return 0;
	case CTL_PEER:
		v->peer = m->peer;
		v->known = true;
		return 0;
	case CTL_GRANT:
		view_grant(v, &m->grant);
		return 0;
	case CTL_PRINTER:
		view_printer(v, &m->printer);
		return 0;
	case CTL_END:
		return 1;
	case CTL_ERROR:
		return diag_set(d, m->error.code ? m->error.code : ERR_PROTOCOL, "%s",
				m->error.text);
	default:
		return diag_set(d, ERR_PROTOCOL, "core answered with message %u", type);
	}
}

/* Waits until `deadline` for the next message. ERR_UNREACHABLE when it has passed. */
static int receive(struct ask *a, uint16_t *type, union control_any *m, int64_t deadline,
		   struct diag *d)
{
	int64_t left = deadline - now_ms();

	return chan_recv(&a->core, type, m, sizeof(*m), left > 0 ? (int)left : 0, d);
}

static bool ends(uint16_t type)
{
	return type == CTL_END || type == CTL_ERROR;
}

/* Reads the rest of an answer, as far as it has come. */
static int catch_up(struct ask *a, struct diag *d)
{
	union control_any m;
	uint16_t type = 0;
	int r;

	while (a->behind) {
		r = receive(a, &type, &m, 0, d);
		if (r < 0)
			return r;
		a->behind = !ends(type);
	}
	return 0;
}

static int fetch(struct ask *a, const struct endpoint *viewer, struct view *v, struct diag *d)
{
	struct control_web_view question = {.viewer = *viewer};
	int64_t deadline = now_ms() + ASK_TIMEOUT_MS;
	union control_any m;
	uint16_t type = 0;
	int r = catch_up(a, d);

	if (r < 0)
		return r;
	r = chan_send(&a->core, CTL_WEB_VIEW, &question, d);
	if (r < 0)
		return r;
	memset(v, 0, sizeof(*v));
	a->behind = true;
	for (unsigned n = 0; n < ASK_ITEMS_MAX; n++) {
		r = receive(a, &type, &m, deadline, d);
		if (r < 0)
			return r;
		a->behind = !ends(type);
		r = view_item(v, type, &m, d);
		if (r)
			return r < 0 ? r : 0;
	}
	return diag_set(d, ERR_PROTOCOL, "core's answer does not end");
}

static bool same_viewer(const struct endpoint *a, const struct endpoint *b)
{
	return a->family == b->family && memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

/* The viewer's place, or else the one that was asked for longest ago. */
static struct kept *kept_place(struct ask *a, const struct endpoint *viewer)
{
	struct kept *oldest = &a->kept[0];

	for (size_t i = 0; i < ASK_KEPT; i++) {
		struct kept *k = &a->kept[i];

		if (k->asked && same_viewer(&k->viewer, viewer))
			return k;
		if (k->asked < oldest->asked)
			oldest = k;
	}
	oldest->asked = 0;
	return oldest;
}

int ask_view(struct ask *a, const struct endpoint *viewer, const struct view **out, struct diag *d)
{
	struct endpoint who = *viewer;
	struct kept *k;

	who.port = 0;
	k = kept_place(a, &who);
	if (!k->asked || now_ms() - k->asked >= ASK_KEEP_MS) {
		k->viewer = who;
		k->err = fetch(a, &who, &k->view, d);
		k->asked = now_ms();
	} else if (k->err) {
		return diag_set(d, k->err, "core did not answer a moment ago");
	}
	if (k->err == 0)
		*out = &k->view;
	return k->err;
}

int ask_idle(struct ask *a, struct diag *d)
{
	char byte;
	ssize_t n = recv(a->core.fd, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : diag_errno(d, "core's socket");
	if (n == 0)
		return diag_set(d, ERR_UNREACHABLE, "core has gone");
	if (!a->behind)
		return diag_set(d, ERR_PROTOCOL, "core speaks unasked");
	if (catch_up(a, d) == ERR_PROTOCOL)
		return ERR_PROTOCOL;
	return 0; /* nothing more has come yet; an end of file makes the socket readable again */
}
