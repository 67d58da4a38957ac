/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One question for all who look, its answer to each of them; logins in between, one at a time.
 */
#include "web/look.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "web/look_own.h"

static int64_t mono_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail with this clock */
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void arm(struct look *l, int64_t ms)
{
	const struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	if (event_add(l->timer, &tv) < 0)
		abort(); /* memory only */
}

static void break_line(struct look *l, const struct diag *d)
{
	if (l->down)
		return;
	l->down = true;
	(void)event_del(l->readable);
	(void)event_del(l->timer);
	l->broken(l->broken_arg, d);
}

/* ---- telling ----------------------------------------------------------------------------------- */

static void looker_free(struct looker *k)
{
	*k->at = k->next;
	if (k->next)
		k->next->at = k->at;
	web_secret_wipe(&k->who.secret);
	free(k);
}

/* Tells all that are due. What fn does to other lookers is allowed, so each round begins anew. */
static void tell(struct look *l, const struct snapshot *s)
{
	struct looker *k = l->lookers;

	while (k) {
		const struct control_web_owner *owner = NULL;

		if (!k->due) {
			k = k->next;
			continue;
		}
		k->due = false;
		k->since = mono_ms();
		if (s->reached && k->who.owner)
			owner = snapshot_owner(s, &k->who.secret);
		if (k->lasting) {
			k->fn(k->arg, s, owner);
		} else {
			const look_fn fn = k->fn;
			void *arg = k->arg;

			looker_free(k);
			fn(arg, s, owner);
		}
		k = l->lookers;
	}
}

static void tell_asked(struct look *l, bool reached)
{
	for (struct looker *k = l->lookers; k; k = k->next) {
		k->due = k->asked;
		k->asked = false;
	}
	l->now.reached = reached;
	tell(l, &l->now);
}

/* ---- asking ------------------------------------------------------------------------------------ */

static void add_viewer(struct wire_viewers *v, const struct endpoint *e, bool *room)
{
	struct endpoint who = *e;

	who.port = 0;
	for (unsigned i = 0; i < v->count; i++)
		if (v->item[i].family == who.family &&
		    memcmp(v->item[i].addr, who.addr, sizeof(who.addr)) == 0)
			return;
	*room = v->count < WEB_VIEWERS_MAX;
	if (*room)
		v->item[v->count++] = who;
}

static void add_owner(struct wire_web_secrets *o, const struct web_secret *s, bool *room)
{
	for (unsigned i = 0; i < o->count; i++)
		if (web_secret_equal(&o->item[i], s))
			return;
	*room = o->count < WEB_OWNERS_MAX;
	if (*room)
		o->item[o->count++] = *s;
}

/* Into the question if there is room: both of what it is, or neither. */
static void add_looker(struct look *l, struct looker *k)
{
	struct control_web_look *q = &l->question;
	const struct control_web_look before = *q;
	bool room = true;

	if (k->who.viewer.family)
		add_viewer(&q->viewers, &k->who.viewer, &room);
	if (room && k->who.owner)
		add_owner(&q->owners, &k->who.secret, &room);
	if (room)
		k->asked = true;
	else
		*q = before;
}

/* Pages before streams, which have something to show already; then who has waited for longest. */
static int compare_waiting(const void *a, const void *b)
{
	const struct looker *x = *(const struct looker *const *)a;
	const struct looker *y = *(const struct looker *const *)b;

	if (x->lasting != y->lasting)
		return x->lasting ? 1 : -1;
	return (x->since > y->since) - (x->since < y->since);
}

static int compare_turns(const void *a, const void *b)
{
	const struct looker *x = *(const struct looker *const *)a;
	const struct looker *y = *(const struct looker *const *)b;

	return x->turn != y->turn ? (x->turn > y->turn) - (x->turn < y->turn)
				  : compare_waiting(a, b);
}

static bool same_place(const struct looker *a, const struct looker *b)
{
	return a->who.place.family == b->who.place.family &&
	       memcmp(a->who.place.addr, b->who.place.addr, sizeof(a->who.place.addr)) == 0;
}

/* All who wait, in their order: one of each place, then the second of each … A question has room for
 * few, and whoever invents sessions could fill it for ever. */
static size_t queue_up(const struct look *l, struct looker ***out)
{
	size_t n = 0, all = 0;
	struct looker **list;

	for (const struct looker *k = l->lookers; k; k = k->next)
		all++;
	list = mem_zalloc(all + 1, sizeof(struct looker *));
	for (struct looker *k = l->lookers; k; k = k->next)
		if (!k->asked && !k->due)
			list[n++] = k;
	qsort(list, n, sizeof(struct looker *), compare_waiting);
	for (size_t i = 0; i < n; i++) {
		list[i]->turn = 0;
		for (size_t j = 0; j < i; j++)
			list[i]->turn += same_place(list[i], list[j]);
	}
	qsort(list, n, sizeof(struct looker *), compare_turns);
	*out = list;
	return n;
}

/* Who does not fit waits, and does not keep those behind him from what room there is. */
static void compose(struct look *l)
{
	struct looker **list;
	const size_t n = queue_up(l, &list);

	l->question = (struct control_web_look){0};
	for (size_t i = 0; i < n; i++)
		add_looker(l, list[i]);
	free(list);
}

void look_ask(struct look *l, uint16_t type, const void *msg, enum line_state state)
{
	struct diag d = {0};

	if (chan_send(&l->core, type, msg, &d)) {
		break_line(l, &d);
		return;
	}
	l->line = state;
	l->silent = false;
}

/* Asks what is to be asked, or sets the timer for when that may be. */
static void go_on(struct look *l)
{
	const int64_t left = l->asked + l->pause - mono_ms();

	if (l->down || l->line != LINE_FREE)
		return;
	if (look_login_ask(l) || !l->lookers)
		return;
	if (left > 0) {
		arm(l, left);
		return;
	}
	compose(l);
	l->asked = mono_ms();
	snapshot_clear(&l->next);
	look_ask(l, CTL_WEB_LOOK, &l->question, LINE_LOOK);
	if (!l->down)
		arm(l, LOOK_SILENCE_MS);
}

/* A look that was answered a moment ago need not be asked for: not by a page that is reloaded. */
static bool answered(const struct look *l, const struct looker *k)
{
	const struct control_web_look *q = &l->question;
	bool viewer = !k->who.viewer.family, owner = !k->who.owner;

	if (!l->now.reached || l->line == LINE_LOOK || mono_ms() - l->now.mono >= LOOK_PAUSE_MS)
		return false;
	for (unsigned i = 0; i < q->viewers.count; i++)
		viewer |= q->viewers.item[i].family == k->who.viewer.family &&
			  memcmp(q->viewers.item[i].addr, k->who.viewer.addr,
				 sizeof(k->who.viewer.addr)) == 0;
	for (unsigned i = 0; i < q->owners.count; i++)
		owner |= web_secret_equal(&q->owners.item[i], &k->who.secret);
	return viewer && owner;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct look *l = arg;

	(void)fd;
	(void)what;
	tell(l, &l->now); /* those whom the last answer answers */
	if (l->line == LINE_LOOK && !l->silent) {
		l->silent = true;
		log_warn("look", "core does not answer");
		tell_asked(l, false);
	} else if (l->line == LINE_LOOK) {
		/* Late already: who has come since then is told as well. */
		for (struct looker *k = l->lookers; k; k = k->next)
			k->asked = true;
		tell_asked(l, false);
		if (l->lookers)
			arm(l, LOOK_PAUSE_MS);
	}
	go_on(l);
}

/* ---- answers ----------------------------------------------------------------------------------- */

static int64_t pause_after(int64_t took)
{
	const int64_t pause = took * LOOK_SHARE;

	if (pause < LOOK_PAUSE_MS)
		return LOOK_PAUSE_MS;
	return pause < LOOK_PAUSE_MAX_MS ? pause : LOOK_PAUSE_MAX_MS;
}

static void look_answered(struct look *l)
{
	struct snapshot spare = l->now;
	struct timespec wall;

	(void)clock_gettime(CLOCK_REALTIME, &wall);
	for (size_t i = 0; i < l->next.owners; i++)
		l->next.owner[i].secret = l->question.owners.item[l->next.owner[i].is.index];
	l->next.wall = wall.tv_sec;
	l->next.mono = mono_ms();
	snapshot_end(&l->next, &l->now);
	l->pause = pause_after(l->next.mono - l->asked);
	l->now = l->next;
	l->next = spare;
	l->line = LINE_FREE;
	(void)event_del(l->timer);
	if (l->silent) {
		/* They have been told that there is none; who looks on will be told anew. */
		l->silent = false;
		l->now.reached = true;
		return;
	}
	tell_asked(l, true);
}

static void refused(struct look *l, const struct control_error *e)
{
	struct diag d = {.code = e->code ? (enum err)e->code : ERR_PROTOCOL};

	(void)snprintf(d.text, sizeof(d.text), "%s", e->text);
	if (l->line == LINE_LOGIN) {
		look_login_answered(l, &d);
		return;
	}
	log_warn("look", "core answers: %s", d.text);
	l->line = LINE_FREE;
	l->pause = LOOK_PAUSE_MS;
	(void)event_del(l->timer);
	tell_asked(l, false);
}

/* Returns an error that ends the line. */
static int take(struct look *l, uint16_t type, const union control_any *m, struct diag *d)
{
	static const struct diag fine = {0};

	if (l->line == LINE_FREE)
		return diag_set(d, ERR_PROTOCOL, "core speaks unasked");
	if (type == CTL_ERROR) {
		refused(l, &m->error);
	} else if (type == CTL_END) {
		if (l->line == LINE_LOGIN)
			look_login_answered(l, &fine);
		else
			look_answered(l);
	} else if (l->line == LINE_LOOK) {
		if (!l->silent)
			arm(l, LOOK_SILENCE_MS);
		return snapshot_item(&l->next, type, m, d);
	} else if (type == CTL_WEB_SESSION) {
		l->session = m->web_session;
	} else {
		return diag_set(d, ERR_PROTOCOL, "core answered with message %u", type);
	}
	return 0;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct look *l = arg;
	union control_any m;
	struct diag d = {0};
	uint16_t type = 0;
	int r;

	(void)fd;
	(void)what;
	for (;;) {
		r = chan_try_recv(&l->core, &type, &m, sizeof(m), &d);
		if (r > 0)
			break;
		if (r == 0)
			r = take(l, type, &m, &d);
		if (r < 0) {
			break_line(l, &d);
			return;
		}
	}
	explicit_bzero(&m, sizeof(m));
	go_on(l);
}

void look_soon(struct look *l)
{
	if (l->line == LINE_FREE && !l->down)
		arm(l, 0);
}

/* ---- from outside ------------------------------------------------------------------------------ */

struct look *look_new(struct event_base *base, int core,
		      void (*broken)(void *arg, const struct diag *d), void *arg)
{
	struct look *l = mem_zalloc(1, sizeof(*l));

	l->base = base;
	l->broken = broken;
	l->broken_arg = arg;
	l->pause = 0;
	chan_open(&l->core, core, &control_table, &control_table);
	l->readable = event_new(base, core, EV_READ | EV_PERSIST, on_readable, l);
	l->timer = event_new(base, -1, 0, on_timer, l);
	if (!l->readable || !l->timer || event_add(l->readable, NULL) < 0)
		abort();
	return l;
}

void look_free(struct look *l)
{
	if (!l)
		return;
	while (l->lookers) {
		struct looker *k = l->lookers;

		l->lookers = k->next;
		free(k);
	}
	look_logins_free(l);
	event_free(l->readable);
	event_free(l->timer);
	(void)close(l->core.fd);
	chan_close(&l->core);
	snapshot_free(&l->now);
	snapshot_free(&l->next);
	explicit_bzero(l, sizeof(*l));
	free(l);
}

struct looker *look_begin(struct look *l, const struct who *who, bool lasting, look_fn fn,
			  void *arg)
{
	struct looker *k = mem_zalloc(1, sizeof(*k));

	k->look = l;
	k->who = *who;
	k->since = mono_ms();
	k->lasting = lasting;
	k->fn = fn;
	k->arg = arg;
	k->due = answered(l, k);
	k->next = l->lookers;
	k->at = &l->lookers;
	if (k->next)
		k->next->at = &k->next;
	l->lookers = k;
	/* Late, or from the timer: never before this function has returned. */
	if (!l->down && (k->due || l->line == LINE_FREE || l->silent))
		arm(l, 0);
	return k;
}

void look_end(struct looker *k)
{
	if (k)
		looker_free(k);
}
