/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clock and the ends of peers. The timer is a timerfd on CLOCK_REALTIME with
 * TFD_TIMER_CANCEL_ON_SET: it tells of an end and when somebody sets the clock, and otherwise once a
 * month. The kernel drops grants with an end by itself; what is done here is to write down that it
 * was so late, or a machine without a battery clock would open them again after a power cut.
 */
#include "daemon/core/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/mono.h"
#include "common/synchronised.h"
#include "common/when.h"
#include "daemon/core/commit.h"
#include "daemon/core/core.h"
#include "daemon/core/desired.h"

#define MARK_KEY   "clock_mark"
#define MARK_BYTES 48 /* two numbers of 64 bits */
#define TOLD_MS	   1000
#define TOLD_TIMES 10

struct clock_view clock_judge(int64_t wall, int64_t mark, int64_t ahead, bool synchronised)
{
	struct clock_view v = {.wall = wall, .now = wall, .trusted = true};

	if (wall >= mark)
		return v;
	v.now = synchronised && wall + ahead > mark ? wall + ahead : mark;
	v.trusted = synchronised;
	return v;
}

int64_t clock_ahead(const struct clock_view *v, int64_t ahead)
{
	const int64_t by = v->now - v->wall;

	if (!v->trusted)
		return ahead;
	return by >= CLOCK_AHEAD_MIN || (by && ahead) ? by : 0;
}

bool clock_ended(const struct clock_view *v, int64_t end)
{
	return end != 0 && (!v->trusted || end <= v->now);
}

int64_t clock_earlier(int64_t a, int64_t b)
{
	if (a == 0 || b == 0)
		return a ? a : b;
	return a < b ? a : b;
}

uint32_t clock_left(const struct clock_view *v, int64_t end)
{
	int64_t left;

	if (end == 0)
		return 0;
	left = end - v->now;
	if (left < 1)
		return 1;
	return left > WHEN_DURATION_MAX ? (uint32_t)WHEN_DURATION_MAX : (uint32_t)left;
}

int64_t clock_alarm(const struct clock_view *v, int64_t next)
{
	const int64_t latest = v->wall + CLOCK_ALARM_MAX;

	if (next && v->trusted)
		next -= v->now - v->wall; /* the timer goes by the machine's clock */
	return next && next < latest ? next : latest;
}

static int clock_behind(const struct clock_view *v, struct diag *d)
{
	char wall[WHEN_TEXT_BYTES], mark[WHEN_TEXT_BYTES];

	when_format(wall, v->wall);
	when_format(mark, v->now);
	return diag_set(d, ERR_BAD_TIME,
			"this machine's clock says %s, but it was %s before: an end cannot be "
			"counted until the clock is synchronised (timedatectl tells)",
			wall, mark);
}

int clock_end(const struct clock_view *v, int64_t at, uint32_t after, int64_t *end, struct diag *d)
{
	char text[WHEN_TEXT_BYTES];
	int64_t e;

	if (at && after)
		return diag_set(d, ERR_BAD_TIME, "give either a point in time or a duration");
	if (!at && !after) {
		*end = 0;
		return 0;
	}
	if (!v->trusted)
		return clock_behind(v, d);
	e = at ? at : v->now + after;
	if (e <= v->now) {
		when_format(text, e);
		return diag_set(d, ERR_BAD_TIME, "%s has passed already", text);
	}
	if (e - v->now > WHEN_DURATION_MAX)
		return diag_set(d, ERR_BAD_TIME, "an end can be at most ten years away");
	*end = e;
	return 0;
}

/* The kernel is asked each time. The service is a program that has to be started, while all else here
 * waits: it gets a tenth of the time at most. */
static bool kept_right(struct clock *k)
{
	const int kernel = synchronised_kernel();
	const int64_t before = mono_ms();

	if (kernel >= 0)
		return kernel;
	if (before >= k->told_until) {
		k->told = synchronised_service(SYNCHRONISED_SOCKET, SYNCHRONISED_PATIENCE);
		k->told_until = before + TOLD_MS + (mono_ms() - before) * TOLD_TIMES;
	}
	return k->told;
}

struct clock_view clock_now(struct core *c)
{
	const int64_t wall = time(NULL);
	const struct clock_view v = clock_judge(wall, c->clock.mark, c->clock.ahead,
						wall < c->clock.mark && kept_right(&c->clock));

	c->clock.mark = v.now;
	c->clock.ahead = clock_ahead(&v, c->clock.ahead);
	return v;
}

int clock_note(struct core *c, struct diag *d)
{
	char text[MARK_BYTES];
	int r;

	(void)clock_now(c);
	if (c->clock.mark <= c->clock.written)
		return 0;
	(void)snprintf(text, sizeof(text), c->clock.ahead ? "%" PRId64 " %" PRId64 : "%" PRId64,
		       c->clock.mark, c->clock.ahead);
	r = store_meta_set(c->store, MARK_KEY, text, d);
	if (r == 0)
		c->clock.written = c->clock.mark;
	return r;
}

/* The mark, and if there is a second number, by how much it is ahead. False: something else. */
static bool mark_parse(struct clock *c, const char *text)
{
	char *end = NULL;

	errno = 0;
	c->mark = strtoll(text, &end, 10);
	if (errno || end == text || c->mark < 0)
		return false;
	if (!*end)
		return true;
	text = end;
	c->ahead = strtoll(text, &end, 10);
	return !errno && *text == ' ' && end != text && !*end && c->ahead >= 0 &&
	       c->ahead <= c->mark;
}

/* A mark that is not a number is a damaged store: going on would reopen what has ended. */
static int mark_read(struct core *c, struct diag *d)
{
	char text[MARK_BYTES];
	int r = store_meta_get(c->store, MARK_KEY, text, sizeof(text), d);

	if (r == ERR_NOT_FOUND)
		return 0;
	if (r)
		return r;
	if (!mark_parse(&c->clock, text))
		return diag_set(d, ERR_STORE, "the store's mark of time is damaged");
	c->clock.written = c->clock.mark;
	return 0;
}

void clock_grant(struct core *c, const struct clock_view *v, int64_t end)
{
	if (end && v->trusted && end > v->now)
		c->clock.grant_end = clock_earlier(c->clock.grant_end, end);
}

void clock_arm(struct core *c)
{
	struct itimerspec when = {0};
	const struct clock_view v = clock_now(c);
	struct diag d = {0};
	int64_t next = 0;

	/* Counted from what was carried out, not from now: an end may be due this very moment. */
	if (!v.trusted)
		next = v.now; /* the moment at which the clock reaches the mark */
	else if (store_peer_next_expiry(c->store, c->clock.checked, &next, &d))
		core_fatal("cannot tell whose time ends next: %s", d.text);
	else
		next = clock_earlier(next, c->clock.grant_end);
	/* Without any end it still tells when the clock is set. */
	when.it_value.tv_sec = clock_alarm(&v, next);
	if (timerfd_settime(c->clock.fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when,
			    NULL) == 0)
		return;
	if (errno != ECANCELED)
		core_fatal("cannot set the timer: %s", strerror(errno));
	/* It is set, but the clock was too since it was last read (timerfd_create(2), NOTES), and
	 * nobody will be told again. */
	c->clock.was_set = true;
	event_active(c->clock.event, EV_READ, 0);
}

/* ---- peers whose time has ended ---------------------------------------------------------------- */

struct ended {
	struct clock_view view;
	int64_t since;
	struct store_peer *peer;
	size_t n, cap;
};

static int collect(void *arg, const struct store_peer *p)
{
	struct ended *e = arg;

	if (p->expires == 0 || p->expires <= e->since || p->expires > e->view.now || p->disabled)
		return 0;
	e->peer = mem_grow(e->peer, &e->cap, e->n + 1, sizeof(*e->peer));
	e->peer[e->n] = *p;
	key_wipe(&e->peer[e->n].preshared, sizeof(e->peer[e->n].preshared));
	e->n++;
	return 0;
}

/* Their grants have ended in the kernel by themselves: each carries the peer's end, too. */
static void ended_kernel(struct core *c, void *arg)
{
	const struct ended *e = arg;

	for (size_t i = 0; i < e->n; i++)
		desired_peer_del(c, &e->peer[i]);
}

static int ended_store(struct core *c, void *arg, struct diag *d)
{
	const struct ended *e = arg;
	int r = 0;

	for (size_t i = 0; r == 0 && i < e->n; i++)
		r = commit_note(c, d, COMMIT_OURSELVES, "expire", &e->peer[i].name,
				"its time has ended");
	return r;
}

static int clock_carry_out(struct core *c, struct diag *d)
{
	struct ended e = {.view = clock_now(c), .since = c->clock.checked};
	int r = store_peer_each(c->store, collect, &e, d);

	/* That the store cannot note it does not let anybody in: by now the kernel is as it should be. */
	if (r == 0 && e.n > 0 && commit_remove(c, ended_kernel, ended_store, &e, d))
		log_warn("core", "the end of a peer's time is not in the log: %s", d->text);
	free(e.peer);
	if (r == 0)
		c->clock.checked = e.view.now;
	return r;
}

static int each_grant(void *arg, const struct store_grant *g)
{
	struct core *c = arg;
	const struct clock_view v = {.now = c->clock.mark, .trusted = true};

	clock_grant(c, &v, g->expires);
	return 0;
}

static int only_the_mark(struct core *c, void *arg, struct diag *d)
{
	(void)c;
	(void)arg;
	(void)d;
	return 0;
}

/* Every change writes the mark down, so does this one of nothing. */
static void grants_ended(struct core *c)
{
	struct diag d = {0};

	if (!c->clock.grant_end || c->clock.grant_end > clock_now(c).now)
		return;
	c->clock.grant_end = 0;
	if (store_grant_each(c->store, each_grant, c, &d))
		core_fatal("cannot tell which grant ends next: %s", d.text);
	if (commit_store(c, only_the_mark, NULL, &d))
		log_warn("core", "that a grant has ended is not noted: %s", d.text);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct core *c = arg;
	struct diag d = {0};
	uint64_t count;
	const bool set =
		(read(fd, &count, sizeof(count)) < 0 && errno == ECANCELED) || c->clock.was_set;

	(void)what;
	c->clock.was_set = false;
	if (set)
		c->clock.told_until = 0;
	if (clock_carry_out(c, &d))
		core_fatal("cannot carry out the end of a peer's time: %s", d.text);
	grants_ended(c);
	if ((set || clock_now(c).trusted != c->clock.trusted) && desired_sync(c, &d))
		core_fatal("the clock was set, and then: %s", d.text);
	clock_arm(c);
	desired_resync(c);
}

int clock_open(struct core *c, struct diag *d)
{
	const int r = mark_read(c, d);

	if (r)
		return r;
	c->clock.fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (c->clock.fd < 0)
		return diag_errno(d, "timerfd_create");
	c->clock.event = event_new(c->base, c->clock.fd, EV_READ | EV_PERSIST, on_timer, c);
	if (!c->clock.event || event_add(c->clock.event, NULL))
		return diag_set(d, ERR_SYSTEM, "cannot watch the timer");
	c->clock.checked = clock_now(c).now;
	return 0;
}

void clock_free(struct core *c)
{
	if (c->clock.event)
		event_free(c->clock.event);
	if (c->clock.fd > 0)
		(void)close(c->clock.fd);
}
