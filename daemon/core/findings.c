/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs the doctor between two answers and keeps what is worst.
 */
#include "daemon/core/findings.h"

#include <stdio.h>

#include "daemon/core/core.h"
#include "daemon/core/desired.h"
#include "daemon/core/doctor.h"

void findings_add(struct control_web_findings *f, const struct control_check *check)
{
	f->warnings += check->result == CHECK_WARN;
	f->failures += check->result == CHECK_FAIL;
	if (check->result <= f->worst)
		return;
	f->worst = check->result;
	(void)snprintf(f->message, sizeof(f->message), "%s", check->message);
}

static void each_check(void *arg, const struct control_check *check)
{
	findings_add(arg, check);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct core *c = arg;
	struct control_web_findings found = {.worst = CHECK_OK};

	(void)fd;
	(void)what;
	doctor_run(c, each_check, &found);
	c->findings.last = found;
	c->findings.any = true;
	c->findings.at = core_ms();
	desired_resync(c);
	presence_news(c);
}

const struct control_web_findings *findings_look(struct core *c)
{
	static const struct timeval at_once = {0};
	struct findings *f = &c->findings;

	if (!f->timer)
		f->timer = evtimer_new(c->base, on_timer, c);
	if (f->timer && (!f->any || core_ms() - f->at >= FINDINGS_EVERY_MS) &&
	    !evtimer_pending(f->timer, NULL))
		(void)evtimer_add(f->timer, &at_once);
	return &f->last;
}

void findings_free(struct core *c)
{
	if (c->findings.timer)
		event_free(c->findings.timer);
}
