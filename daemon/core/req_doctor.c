/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor: what keeps a phone from its printer, and what to do about it. One table of checks; each
 * looks and tells, none changes anything.
 */
#include "daemon/core/answer.h"

#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "daemon/core/firewall.h"

static int tell(const struct request *r, const char *name, enum check_result result,
		const char *message, const char *fix)
{
	struct control_check item = {.result = (uint8_t)result};

	(void)snprintf(item.name, sizeof(item.name), "%s", name);
	(void)snprintf(item.message, sizeof(item.message), "%s", message);
	(void)snprintf(item.fix, sizeof(item.fix), "%s", fix);
	request_item(r, CTL_CHECK, &item);
	return 0;
}

static int check_endpoint(const struct request *r, struct diag *d)
{
	char text[DIAG_TEXT_BYTES];

	(void)d;
	if (!r->core->gateway.endpoint[0])
		return tell(r, "endpoint", CHECK_FAIL,
			    "No endpoint is configured: phones are not told where to find this "
			    "gateway. Write `endpoint = HOST` under [gateway] in printgate.conf, "
			    "restart printgated, and enroll phones after that.",
			    "");
	(void)snprintf(text, sizeof(text), "Phones find this gateway at %s.",
		       r->core->gateway.endpoint);
	return tell(r, "endpoint", CHECK_OK, text, "");
}

static int check_printers(const struct request *r, struct diag *d)
{
	char text[DIAG_TEXT_BYTES];
	uint32_t n = r->core->printers;

	(void)d;
	if (!n)
		return tell(r, "printers", CHECK_WARN, "There is no printer yet to reach.",
			    "printgate printer add NAME ADDRESS --preset PRESET");
	(void)snprintf(text, sizeof(text), "%u printer%s can be granted.", n, n == 1 ? "" : "s");
	return tell(r, "printers", CHECK_OK, text, "");
}

static int check_clock(const struct request *r, struct diag *d)
{
	(void)d;
	if (clock_now(r->core).trusted)
		return tell(r, "clock", CHECK_OK, "This machine knows what time it is.", "");
	return tell(
		r, "clock", CHECK_WARN,
		"This machine's clock is not set: phones and grants with an end stay shut until "
		"it is synchronised.",
		"timedatectl set-ntp true");
}

static void tell_firewall(void *arg, const struct control_check *c)
{
	request_item(arg, CTL_CHECK, c);
}

static int check_firewalls(const struct request *r, struct diag *d)
{
	struct request mine = *r;

	return firewall_checks(r->core, tell_firewall, &mine, d);
}

static int (*const checks[])(const struct request *r, struct diag *d) = {
	check_endpoint,
	check_printers,
	check_clock,
	check_firewalls,
};

int req_doctor(const struct request *r, const union control_any *msg, struct diag *d)
{
	int rc = 0;

	(void)msg;
	for (size_t i = 0; i < ARRAY_LEN(checks) && !rc; i++)
		rc = checks[i](r, d);
	return rc;
}
