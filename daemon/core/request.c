/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dispatch table. Rights come from the socket: the web process's takes only what is marked for
 * it, everybody else's only what is not.
 */
#include "daemon/core/request.h"

#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "daemon/core/client.h"
#include "daemon/core/core.h"

struct row {
	uint16_t type;
	bool web;     /* may be asked by the web process, and by nobody else */
	bool changes; /* the timers are set anew afterwards */
	request_fn run;
};

static const struct row rows[] = {
	{CTL_STATUS, false, false, req_status},
	{CTL_PEERS, false, false, req_peers},
	{CTL_PEER_SHOW, false, false, req_peer_show},
	{CTL_PRINTERS, false, false, req_printers},
	{CTL_PRINTER_ADD, false, true, req_printer_add},
	{CTL_PRINTER_REMOVE, false, true, req_printer_remove},
	{CTL_ENROLL, false, true, req_enroll},
	{CTL_QR, false, true, req_qr},
	{CTL_REKEY, false, true, req_rekey},
	{CTL_RENAME, false, true, req_rename},
	{CTL_ALLOW, false, true, req_allow},
	{CTL_DENY, false, true, req_deny},
	{CTL_DISABLE, false, true, req_disable},
	{CTL_ENABLE, false, true, req_enable},
	{CTL_REVOKE, false, true, req_revoke},
	{CTL_PRINTER_CONFIRM, false, true, req_printer_confirm},
	{CTL_LOG, false, false, req_log},
	{CTL_LOCK, false, false, req_lock},
	{CTL_UNLOCK, false, false, req_unlock},
	{CTL_DOCTOR, false, false, req_doctor},
	{CTL_PAGE, false, false, req_page},
	{CTL_PAGE_PASSWORD, false, false, req_page_password},
	{CTL_PAGE_TOKEN, false, false, req_page_token},
	{CTL_PROVISION_BEGIN, false, false, req_provision_begin},
	{CTL_PROVISION_PRINTER, false, false, req_provision_printer},
	{CTL_PROVISION_PEER, false, false, req_provision_peer},
	{CTL_PROVISION_COMMIT, false, true, req_provision_commit},
	{CTL_PROVISION_CODES, false, false, req_provision_codes},
	{CTL_PROVISION_DONE, false, true, req_provision_done},
	{CTL_WEB_LOOK, true, false, req_web_look},
	{CTL_WEB_LOGIN, true, false, req_web_login},
	{CTL_WEB_LOGOUT, true, false, req_web_logout},
};

static const struct row *find(uint16_t type, bool web)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].type == type && rows[i].web == web)
			return &rows[i];
	return NULL;
}

void request_item(const struct request *r, uint16_t type, const void *msg)
{
	client_send(r->client, type, msg);
}

/* A sentence that was cut may end in the middle of a character: the rest of it goes. */
static void cut_whole(char *text)
{
	size_t n = strlen(text), start = n;
	unsigned cp;

	while (start > 0 && n - start < 4 && ((unsigned char)text[start - 1] & 0x80))
		start--;
	while (start < n) {
		const int len = utf8_decode(text + start, n - start, &cp);

		if (len == 0)
			text[n = start] = '\0';
		else
			start += (size_t)len;
	}
}

static void answer_error(const struct request *r, const struct diag *d)
{
	struct control_error e = {.code = d->code ? d->code : ERR_INTERNAL};

	(void)snprintf(e.text, sizeof(e.text), "%s", d->text);
	cut_whole(e.text);
	request_item(r, CTL_ERROR, &e);
}

static void answer_end(const struct request *r, int code, const struct diag *d)
{
	if (code)
		answer_error(r, d);
	else
		request_item(r, CTL_END, NULL);
}

void request_later(const struct request *r)
{
	client_hold(r->client);
}

void request_end(const struct request *r, int code, const struct diag *d)
{
	answer_end(r, code, d);
	client_resume(r->client);
}

void request_run(struct core *c, struct client *cl, uint16_t type, const union control_any *msg)
{
	const struct request r = {.core = c, .client = cl, .actor = client_actor(cl)};
	const struct row *row = find(type, client_is_web(cl));
	struct diag d = {0};
	int code;

	if (!row) {
		(void)diag_set(&d, ERR_NOT_PERMITTED, "this cannot be asked on this socket");
		answer_error(&r, &d);
		return;
	}
	code = row->run(&r, msg, &d);
	if (code != REQUEST_LATER)
		answer_end(&r, code, &d);
	if (row->changes) {
		clock_arm(c);
		live_arm(c);
	}
}
