/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate lock and unlock: the panic switch.
 */
#include "cli/verbs.h"

#include <string.h>

#include "cli/json.h"
#include "cli/text.h"

enum { OPT_REASON };

static int gateway_item(void *ctx, uint16_t type, const union control_any *item, struct diag *d)
{
	if (type != CTL_GATEWAY)
		return client_unexpected(type, d);
	*(struct control_gateway *)ctx = item->gateway;
	return 0;
}

/* `{"locked":…}`, or what a person wants to know. */
static int lock_answer(struct cli *cli, const struct control_gateway *g, const char *text,
		       struct diag *d)
{
	json_t *o;

	if (!cli->json) {
		text_para(cli->out, 0, "%s", text);
		return 0;
	}
	o = json_object();
	json_object_set_new(o, "locked", json_boolean(g->locked));
	return json_answer(cli, o, d);
}

static int reason_parse(char out[CONTROL_REASON_BYTES], const char *text, struct diag *d)
{
	const size_t n = strlen(text);

	if (n >= CONTROL_REASON_BYTES)
		return diag_set(d, ERR_USAGE, "the reason is too long: at most %d bytes",
				CONTROL_REASON_BYTES - 1);
	if (!utf8_is_line(text, n))
		return diag_set(d, ERR_USAGE,
				"the reason must be one line of text without control characters");
	memcpy(out, text, n + 1);
	return 0;
}

static int run_lock(struct cli *cli, const struct args *args, struct diag *d)
{
	const char *reason = args_value(args, OPT_REASON);
	struct control_lock msg = {0};
	struct control_gateway g = {0};
	int rc = reason ? reason_parse(msg.reason, reason, d) : 0;

	if (!rc)
		rc = client_ask(cli, CTL_LOCK, &msg, gateway_item, &g, d);
	if (rc)
		return rc;
	return lock_answer(
		cli, &g,
		"Locked: nobody reaches any printer, and what was running has been cut. The "
		"gateway's own page stays up and says so. 'printgate unlock' opens again "
		"exactly what is granted.",
		d);
}

static int run_unlock(struct cli *cli, const struct args *args, struct diag *d)
{
	struct control_gateway g = {0};
	int rc = client_ask(cli, CTL_UNLOCK, NULL, gateway_item, &g, d);

	(void)args;
	return rc ? rc : lock_answer(cli, &g, "Open again, exactly as granted.", d);
}

static const struct verb_option options[] = {
	[OPT_REASON] = {"reason", "TEXT", "why, for the log and for status", false},
};

const struct verb verb_lock = {
	.name = "lock",
	.args = "",
	.help = "close every printer to every phone, at once",
	.options = options,
	.option_count = 1,
	.run = run_lock,
};

const struct verb verb_unlock = {
	.name = "unlock",
	.args = "",
	.help = "open again what is granted",
	.run = run_unlock,
};
