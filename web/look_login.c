/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logins and logouts wait in a queue, and go between two looks, one at a time.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "web/look_own.h"

static void login_pop(struct look *l)
{
	struct login *g = l->logins;

	l->logins = g->next;
	explicit_bzero(g, sizeof(*g));
	free(g);
}

void look_logins_free(struct look *l)
{
	while (l->logins)
		login_pop(l);
}

bool look_login_ask(struct look *l)
{
	while (l->logins && l->logins->cancelled)
		login_pop(l);
	if (!l->logins)
		return false;
	if (l->logins->ends)
		look_ask(l, CTL_WEB_LOGOUT, &l->logins->logout, LINE_LOGIN);
	else
		look_ask(l, CTL_WEB_LOGIN, &l->logins->login, LINE_LOGIN);
	return true;
}

void look_login_answered(struct look *l, const struct diag *d)
{
	const struct login g = *l->logins;

	login_pop(l);
	l->line = LINE_FREE;
	if (g.fn && !g.cancelled)
		g.fn(g.arg, &l->session, d);
	explicit_bzero(&l->session, sizeof(l->session));
}

static struct login *login_new(struct look *l)
{
	struct login *g, **at = &l->logins;
	unsigned n = 0;

	for (; *at; at = &(*at)->next)
		n++;
	if (n >= LOOK_LOGINS_MAX)
		return NULL;
	g = mem_zalloc(1, sizeof(*g));
	g->look = l;
	*at = g;
	look_soon(l);
	return g;
}

struct login *look_login(struct look *l, const struct endpoint *from, const char *password,
			 login_fn fn, void *arg)
{
	struct login *g = login_new(l);

	if (!g)
		return NULL;
	g->login.from = *from;
	(void)snprintf(g->login.password, sizeof(g->login.password), "%s", password);
	g->fn = fn;
	g->arg = arg;
	return g;
}

void look_login_cancel(struct login *g)
{
	if (g)
		g->cancelled = true;
}

void look_logout(struct look *l, const struct web_secret *id, const struct web_secret *csrf)
{
	struct login *g = login_new(l);

	if (!g)
		return;
	g->ends = true;
	g->logout = (struct control_web_logout){.id = *id, .csrf = *csrf};
}
