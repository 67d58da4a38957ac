/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one place that talks to core. It knows which message ends an answer and says where to look
 * when nobody answers; what the items mean is the verbs' part.
 */
#include "cli/client.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/chan.h"
#include "common/key.h"

/* Core answers in milliseconds; the longest wait is a start with thousands of peers. */
#define ANSWER_TIMEOUT_MS 30000

static int explain_connect(const struct cli *cli, int rc, struct diag *d)
{
	char link;

	if (rc == ERR_NOT_PERMITTED)
		return diag_set(d, rc,
				"you may not use %s: run printgate as root (sudo), or join the "
				"group printgate",
				cli->socket);
	if (rc != ERR_UNREACHABLE)
		return rc;
	if (!strcmp(cli->socket, CLI_SOCKET) && access(CLI_CONFIG_IN_STATE, F_OK) &&
	    access(CLI_CONFIG, F_OK) && errno == ENOENT)
		return diag_set(d, rc,
				"printgated is not running (no socket at %s) and not configured "
				"yet: begin with 'printgate init'",
				cli->socket);
	/* The package's link to where a service's core makes it. */
	if (readlink(cli->socket, &link, 1) == 1)
		return diag_set(d, rc,
				"printgate.service is not running, or about to start: 'systemctl "
				"status printgate' tells");
	return diag_set(d, rc,
			"printgated is not running (no socket at %s): start it with 'sudo "
			"printgated'",
			cli->socket);
}

static int connect_once(struct cli *cli, struct diag *d)
{
	int fd;

	if (cli->core.fd >= 0)
		return 0;
	fd = chan_connect(cli->socket, d);
	if (fd < 0)
		return explain_connect(cli, fd, d);
	chan_open(&cli->core, fd, &control_table, &control_table);
	return 0;
}

int client_unexpected(uint16_t type, struct diag *d)
{
	return diag_set(d, ERR_PROTOCOL,
			"unexpected message %u from printgated: are both programs of the same "
			"version?",
			type);
}

static int core_error(const struct control_error *e, struct diag *d)
{
	int code = e->code < 0 ? e->code : ERR_INTERNAL;

	return diag_set(d, code, "%s", e->text[0] ? e->text : err_name(code));
}

/* Reads items until the answer ends. Sets *ended when core and we still agree where we are. */
static int read_answer(struct cli *cli, client_item *fn, void *ctx, bool *ended, struct diag *d)
{
	union control_any item;
	uint16_t type;
	int rc;

	for (;;) {
		rc = chan_recv(&cli->core, &type, &item, sizeof(item), ANSWER_TIMEOUT_MS, d);
		if (rc)
			break;
		*ended = type == CTL_END || type == CTL_ERROR;
		if (type == CTL_ERROR)
			rc = core_error(&item.error, d);
		else if (type != CTL_END)
			rc = fn(ctx, type, &item, d);
		if (rc || *ended)
			break;
	}
	key_wipe(&item, sizeof(item));
	return rc;
}

int client_ask(struct cli *cli, uint16_t type, const void *msg, client_item *fn, void *ctx,
	       struct diag *d)
{
	bool ended = false;
	int rc;

	rc = connect_once(cli, d);
	if (rc)
		return rc;
	rc = chan_send(&cli->core, type, msg, d);
	if (!rc)
		rc = read_answer(cli, fn, ctx, &ended, d);
	if (!ended)
		client_close(cli);
	return rc;
}

void client_close(struct cli *cli)
{
	if (cli->core.fd < 0)
		return;
	(void)close(cli->core.fd);
	chan_close(&cli->core);
}
