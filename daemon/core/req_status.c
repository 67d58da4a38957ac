/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that only look: status, the list of peers, the log, the doctor.
 */
#include "daemon/core/answer.h"

#include "daemon/core/doctor.h"

int req_status(const struct request *r, const union control_any *msg, struct diag *d)
{
	int e;

	(void)msg;
	answer_gateway(r);
	e = answer_printers(r, d);
	return e ? e : answer_peers(r, 0, d);
}

int req_peers(const struct request *r, const union control_any *msg, struct diag *d)
{
	(void)msg;
	return answer_peers(r, 0, d);
}

static int each_event(void *arg, const struct control_event *e)
{
	request_item(arg, CTL_EVENT, e);
	return 0;
}

int req_log(const struct request *r, const union control_any *msg, struct diag *d)
{
	struct request mine = *r;

	return store_event_each(r->core->store, &msg->log.peer, msg->log.limit, each_event, &mine,
				d);
}

static void tell_check(void *arg, const struct control_check *check)
{
	request_item(arg, CTL_CHECK, check);
}

int req_doctor(const struct request *r, const union control_any *msg, struct diag *d)
{
	struct request mine = *r;

	(void)msg;
	(void)d;
	doctor_run(r->core, tell_check, &mine);
	return 0;
}
