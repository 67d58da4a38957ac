/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor: what keeps a phone from its printer, and what to do about it. One table of checks; each
 * looks and tells, none changes anything.
 */
#include "daemon/core/answer.h"

#include <stdio.h>

#include "common/cleanup.h"
#include "daemon/core/firewall.h"
#include "daemon/core/volatile.h"

static void tell(const struct request *r, const char *name, enum check_result result,
		 const char *message, const char *fix)
{
	struct control_check item = {.result = (uint8_t)result};

	(void)snprintf(item.name, sizeof(item.name), "%s", name);
	(void)snprintf(item.message, sizeof(item.message), "%s", message);
	(void)snprintf(item.fix, sizeof(item.fix), "%s", fix);
	request_item(r, CTL_CHECK, &item);
}

static void check_endpoint(const struct request *r)
{
	char text[CONTROL_MESSAGE_BYTES];

	if (!r->core->gateway.endpoint[0]) {
		tell(r, "endpoint", CHECK_FAIL,
		     "No endpoint is configured: phones are not told where to find this gateway. "
		     "Write `endpoint = HOST` under [gateway] in printgate.conf, restart "
		     "printgated, and enroll phones after that.",
		     "");
		return;
	}
	(void)snprintf(text, sizeof(text), "Phones look for this gateway at %s.",
		       r->core->gateway.endpoint);
	tell(r, "endpoint", CHECK_OK, text, "");
}

static void check_lock(const struct request *r)
{
	if (r->core->locked)
		tell(r, "lock", CHECK_FAIL, "The gateway is locked: nobody reaches any printer.",
		     "printgate unlock");
	else
		tell(r, "lock", CHECK_OK, "The gateway is not locked.", "");
}

static void check_printers(const struct request *r)
{
	char text[CONTROL_MESSAGE_BYTES];
	uint32_t n = r->core->printers;

	(void)snprintf(text, sizeof(text), "%u printer%s can be granted.", n, n == 1 ? "" : "s");
	if (n)
		tell(r, "printers", CHECK_OK, text, "");
	else
		tell(r, "printers", CHECK_WARN, "There is no printer yet to reach.",
		     "printgate printer add NAME ADDRESS --preset PRESET");
}

static void check_clock(const struct request *r)
{
	if (clock_now(r->core).trusted)
		tell(r, "clock", CHECK_OK, "This machine knows what time it is.", "");
	else
		tell(r, "clock", CHECK_WARN,
		     "This machine's clock is not set: phones and grants with an end stay shut "
		     "until it is synchronised.",
		     "timedatectl set-ntp true");
}

/* Nothing is said of a folder that keeps what is written. */
static void check_state(const struct request *r)
{
	const char *kind = volatile_state();
	char text[CONTROL_MESSAGE_BYTES];

	if (!kind)
		return;
	(void)snprintf(text, sizeof(text), VOLATILE_STATE_TEXT, kind);
	tell(r, "state", CHECK_WARN, text, "");
}

static void tell_firewall(void *arg, const struct control_check *c)
{
	request_item(arg, CTL_CHECK, c);
}

static void check_firewalls(const struct request *r)
{
	struct request mine = *r;

	firewall_checks(r->core, tell_firewall, &mine);
}

static void (*const checks[])(const struct request *r) = {
	check_endpoint, check_lock, check_printers, check_clock, check_state, check_firewalls,
};

int req_doctor(const struct request *r, const union control_any *msg, struct diag *d)
{
	(void)msg;
	(void)d;
	for (size_t i = 0; i < ARRAY_LEN(checks); i++)
		checks[i](r);
	return 0;
}
