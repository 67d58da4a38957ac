/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logins and logouts wait in a queue and are asked for one at a time, by a line of their own: a
 * password takes its time, and looks do not wait for it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "common/mono.h"
#include "web/look_own.h"

static void login_pop(struct look *l)
{
	struct login *g = l->first;

	l->first = g->next;
	explicit_bzero(g, sizeof(*g));
	free(g);
}

void look_logins_free(struct look *l)
{
	while (l->first)
		login_pop(l);
}

static void ask(struct look *l, const struct login *g)
{
	if (l->down)
		return;
	if (g->ends)
		look_ask(&l->logins, CTL_WEB_LOGOUT, &g->logout);
	else
		look_ask(&l->logins, CTL_WEB_LOGIN, &g->login);
}

/* Asks for the first that somebody still waits for; who has logged out need not. */
static void next(struct look *l)
{
	while (l->first && l->first->cancelled && !l->first->ends)
		login_pop(l);
	if (l->first)
		ask(l, l->first);
}

static void answered(struct look *l, const struct diag *d)
{
	struct login g = *l->first;

	login_pop(l);
	l->logins.busy = false;
	if (g.ends)
		l->ended = mono_ms();
	if (!g.cancelled)
		g.fn(g.arg, &l->session, d);
	explicit_bzero(&g, sizeof(g));
	explicit_bzero(&l->session, sizeof(l->session));
	next(l);
}

int look_login_take(struct look *l, uint16_t type, const union control_any *m, struct diag *d)
{
	struct diag said = {0};

	if (type == CTL_WEB_SESSION && !l->first->ends) {
		l->session = m->web_session;
		return 0;
	}
	if (type == CTL_ERROR) {
		said.code = m->error.code ? (enum err)m->error.code : ERR_PROTOCOL;
		(void)snprintf(said.text, sizeof(said.text), "%s", m->error.text);
	} else if (type != CTL_END) {
		return diag_set(d, ERR_PROTOCOL, "core answered with message %u", type);
	}
	answered(l, &said);
	return 0;
}

static bool has_room(const struct look *l, const struct endpoint *place)
{
	unsigned all = 0, same = 0;

	for (const struct login *g = l->first; g; g = g->next) {
		all++;
		same += g->place.family == place->family &&
			memcmp(g->place.addr, place->addr, sizeof(place->addr)) == 0;
	}
	return all < LOOK_LOGINS_MAX && same < LOOK_LOGINS_PLACE;
}

/* The answer comes by an event: fn is not called before this has returned. */
static struct login *enqueue(struct look *l, const struct login *what)
{
	struct login *g, **at = &l->first;

	if (!has_room(l, &what->place))
		return NULL;
	while (*at)
		at = &(*at)->next;
	*at = g = mem_zalloc(1, sizeof(*g));
	*g = *what;
	if (g == l->first) /* nobody is before it */
		ask(l, g);
	return g;
}

struct login *look_login(struct look *l, const struct endpoint *place, const struct endpoint *from,
			 const char *password, login_fn fn, void *arg)
{
	struct login what = {.place = *place, .login.from = *from, .fn = fn, .arg = arg};
	struct login *g;

	(void)snprintf(what.login.password, sizeof(what.login.password), "%s", password);
	g = enqueue(l, &what);
	explicit_bzero(&what, sizeof(what));
	return g;
}

struct login *look_logout(struct look *l, const struct endpoint *place, const struct web_secret *id,
			  const struct web_secret *csrf, login_fn fn, void *arg)
{
	struct login what = {
		.place = *place, .logout = {*id, *csrf}, .ends = true, .fn = fn, .arg = arg};
	struct login *g = enqueue(l, &what);

	explicit_bzero(&what, sizeof(what));
	return g;
}

void look_login_cancel(struct login *g)
{
	if (g)
		g->cancelled = true;
}
