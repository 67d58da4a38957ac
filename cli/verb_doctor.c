/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate doctor: what keeps a phone from its printer, with the command that helps.
 */
#include "cli/verbs.h"

#include "cli/checks.h"

static int check_item(void *ctx, uint16_t type, const union control_any *item, struct diag *d)
{
	return type == CTL_CHECK ? checks_put(ctx, &item->check, d) : client_unexpected(type, d);
}

static int run(struct cli *cli, const struct args *args, struct diag *d)
{
	struct checks k = {.cli = cli};
	int rc;

	(void)args;
	checks_begin(&k);
	rc = client_ask(cli, CTL_DOCTOR, NULL, check_item, &k, d);
	if (!rc)
		checks_end(&k);
	return rc;
}

const struct verb verb_doctor = {
	.name = "doctor",
	.args = "",
	.help = "what keeps a phone from its printer, and the command that helps",
	.run = run,
};
