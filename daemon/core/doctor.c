/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor: what keeps a phone from its printer, and what to do about it. One table of checks; each
 * looks and tells, none changes anything.
 */
#include "daemon/core/doctor.h"

#include <stdio.h>

#include "common/cleanup.h"
#include "daemon/core/core.h"
#include "daemon/core/firewall.h"
#include "daemon/core/volatile.h"

struct doctor {
	struct core *core;
	doctor_fn fn;
	void *arg;
};

static void tell(const struct doctor *x, const char *name, enum check_result result,
		 const char *message, const char *fix)
{
	struct control_check item = {.result = (uint8_t)result};

	(void)snprintf(item.name, sizeof(item.name), "%s", name);
	(void)snprintf(item.message, sizeof(item.message), "%s", message);
	(void)snprintf(item.fix, sizeof(item.fix), "%s", fix);
	x->fn(x->arg, &item);
}

static void check_endpoint(const struct doctor *x)
{
	char text[CONTROL_MESSAGE_BYTES];

	if (!x->core->gateway.endpoint[0]) {
		tell(x, "endpoint", CHECK_FAIL,
		     "No endpoint is configured: phones are not told where to find this gateway. "
		     "Write `endpoint = HOST` under [gateway] in printgate.conf, restart "
		     "printgated, and enroll phones after that.",
		     "");
		return;
	}
	(void)snprintf(text, sizeof(text), "Phones look for this gateway at %s.",
		       x->core->gateway.endpoint);
	tell(x, "endpoint", CHECK_OK, text, "");
}

static void check_lock(const struct doctor *x)
{
	if (x->core->locked)
		tell(x, "lock", CHECK_FAIL, "The gateway is locked: nobody reaches any printer.",
		     "printgate unlock");
	else
		tell(x, "lock", CHECK_OK, "The gateway is not locked.", "");
}

static void check_printers(const struct doctor *x)
{
	char text[CONTROL_MESSAGE_BYTES];
	uint32_t n = x->core->printers;

	(void)snprintf(text, sizeof(text), "%u printer%s can be granted.", n, n == 1 ? "" : "s");
	if (n)
		tell(x, "printers", CHECK_OK, text, "");
	else
		tell(x, "printers", CHECK_WARN, "There is no printer yet to reach.",
		     "printgate printer add NAME ADDRESS --preset PRESET");
}

static void check_clock(const struct doctor *x)
{
	if (clock_now(x->core).trusted)
		tell(x, "clock", CHECK_OK, "This machine knows what time it is.", "");
	else
		tell(x, "clock", CHECK_WARN,
		     "This machine's clock is not set: phones and grants with an end stay shut "
		     "until it is synchronised.",
		     "timedatectl set-ntp true");
}

/* Nothing is said of a folder that keeps what is written. */
static void check_state(const struct doctor *x)
{
	const char *kind = volatile_state();
	char text[CONTROL_MESSAGE_BYTES];

	if (!kind)
		return;
	(void)snprintf(text, sizeof(text), VOLATILE_STATE_TEXT, kind);
	tell(x, "state", CHECK_WARN, text, "");
}

static void check_firewalls(const struct doctor *x)
{
	firewall_checks(x->core, x->fn, x->arg);
}

static void (*const checks[])(const struct doctor *x) = {
	check_endpoint, check_lock, check_printers, check_clock, check_state, check_firewalls,
};

void doctor_run(struct core *c, doctor_fn fn, void *arg)
{
	const struct doctor x = {.core = c, .fn = fn, .arg = arg};

	for (size_t i = 0; i < ARRAY_LEN(checks); i++)
		checks[i](&x);
}
