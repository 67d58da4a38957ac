/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One question for all who look, its answer to each of them.
 */
#include "web/look.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/mono.h"
#include "web/look_own.h"

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
	(void)event_del(l->looks.readable);
	(void)event_del(l->logins.readable);
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

void look_ask(struct look_line *line, uint16_t type, const void *msg)
{
	struct diag d = {0};

	line->busy = true;
	if (chan_send(&line->chan, type, msg, &d))
		break_line(line->look, &d);
}

/* Asks what is to be asked, or sets the timer for when that may be. */
static void go_on(struct look *l)
{
	const int64_t left = l->asked + l->pause - mono_ms();

	if (l->down || l->looks.busy || !l->lookers)
		return;
	if (left > 0) {
		arm(l, left);
		return;
	}
	compose(l);
	l->asked = mono_ms();
	snapshot_clear(&l->next);
	l->silent = false;
	look_ask(&l->looks, CTL_WEB_LOOK, &l->question);
	if (!l->down)
		arm(l, LOOK_SILENCE_MS);
}

/* A look that was answered a moment ago need not be asked for: not by a page that is reloaded. One of
 * before a logout may tell of a session that has ended. */
static bool answered(const struct look *l, const struct looker *k)
{
	const struct control_web_look *q = &l->question;
	bool viewer = !k->who.viewer.family, owner = !k->who.owner;

	if (!l->now.reached || l->looks.busy || l->asked <= l->ended ||
	    mono_ms() - l->now.mono >= LOOK_PAUSE_MS)
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
	if (l->looks.busy && !l->silent) {
		l->silent = true;
		log_warn("look", "core does not answer");
		tell_asked(l, false);
	} else if (l->looks.busy) {
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
	l->looks.busy = false;
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
	log_warn("look", "core answers: %s", d.text);
	l->looks.busy = false;
	l->pause = LOOK_PAUSE_MS;
	(void)event_del(l->timer);
	tell_asked(l, false);
}

static int take(struct look *l, uint16_t type, const union control_any *m, struct diag *d)
{
	if (type == CTL_ERROR) {
		refused(l, &m->error);
	} else if (type == CTL_END) {
		look_answered(l);
	} else {
		if (!l->silent)
			arm(l, LOOK_SILENCE_MS);
		return snapshot_item(&l->next, type, m, d);
	}
	return 0;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct look_line *line = arg;
	struct look *l = line->look;
	union control_any m;
	struct diag d = {0};
	uint16_t type = 0;
	int r;

	(void)fd;
	(void)what;
	for (;;) {
		r = chan_try_recv(&line->chan, &type, &m, sizeof(m), &d);
		if (r > 0)
			break;
		if (r == 0)
			r = line->busy ? line->take(l, type, &m, &d)
				       : diag_set(&d, ERR_PROTOCOL, "core speaks unasked");
		if (r < 0) {
			break_line(l, &d);
			return;
		}
	}
	explicit_bzero(&m, sizeof(m));
	go_on(l);
}

/* ---- from outside ------------------------------------------------------------------------------ */

static void line_open(struct look *l, struct look_line *line, int fd)
{
	line->look = l;
	chan_open(&line->chan, fd, &control_table, &control_table);
	line->readable = event_new(l->base, fd, EV_READ | EV_PERSIST, on_readable, line);
	if (!line->readable || event_add(line->readable, NULL) < 0)
		abort();
}

static void line_close(struct look_line *line)
{
	event_free(line->readable);
	(void)close(line->chan.fd);
	chan_close(&line->chan);
}

struct look *look_new(struct event_base *base, int looks, int logins,
		      void (*broken)(void *arg, const struct diag *d), void *arg)
{
	struct look *l = mem_zalloc(1, sizeof(*l));

	l->base = base;
	l->broken = broken;
	l->broken_arg = arg;
	l->pause = 0;
	l->looks.take = take;
	l->logins.take = look_login_take;
	line_open(l, &l->looks, looks);
	line_open(l, &l->logins, logins);
	l->timer = event_new(base, -1, 0, on_timer, l);
	if (!l->timer)
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
	event_free(l->timer);
	line_close(&l->looks);
	line_close(&l->logins);
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
	if (!l->down && (k->due || !l->looks.busy || l->silent))
		arm(l, 0);
	return k;
}

void look_end(struct looker *k)
{
	if (k)
		looker_free(k);
}
