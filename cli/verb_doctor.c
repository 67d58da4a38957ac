/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate doctor: what keeps a phone from its printer, with the command that helps.
 */
#include "cli/verbs.h"

#include <string.h>

#include "cli/json.h"
#include "cli/text.h"

struct doctor {
	struct cli *cli;
	bool any, failed;
};

static const char *const result_names[] = {
	[CHECK_OK] = "ok", [CHECK_WARN] = "warn", [CHECK_FAIL] = "fail"};

static int put_json(struct doctor *doc, const struct control_check *c, struct diag *d)
{
	json_t *o = json_object();

	json_object_set_new(o, "name", json_string(c->name));
	json_object_set_new(o, "result", json_string(result_names[c->result]));
	json_object_set_new(o, "message", json_string(c->message));
	json_object_set_new(o, "fix", json_text(c->fix));
	if (doc->any)
		fputc(',', doc->cli->out);
	return json_put(doc->cli, o, d);
}

/* The command is not wrapped, so that it can be copied: a part of it a line. */
static void put_text(struct doctor *doc, const struct control_check *c)
{
	static const char also[] = " && ";
	char fix[CONTROL_FIX_BYTES];
	const char *at = fix, *end;

	text_para(doc->cli->out, 0, "%s: %s: %s", result_names[c->result], c->name, c->message);
	text_clean(fix, sizeof(fix), c->fix);
	for (; (end = strstr(at, also)); at = end + strlen(also))
		fprintf(doc->cli->out, "    %.*s &&\n", (int)(end - at), at);
	if (*at)
		fprintf(doc->cli->out, "    %s\n", at);
}

static int check_item(void *ctx, uint16_t type, const union control_any *item, struct diag *d)
{
	struct doctor *doc = ctx;
	int rc = 0;

	if (type != CTL_CHECK)
		return client_unexpected(type, d);
	doc->failed |= item->check.result == CHECK_FAIL;
	if (doc->cli->json)
		rc = put_json(doc, &item->check, d);
	else
		put_text(doc, &item->check);
	doc->any = true;
	return rc;
}

static int run(struct cli *cli, const struct args *args, struct diag *d)
{
	struct doctor doc = {.cli = cli};
	int rc;

	(void)args;
	if (cli->json)
		fputs("{\"checks\":[", cli->out);
	rc = client_ask(cli, CTL_DOCTOR, NULL, check_item, &doc, d);
	if (rc)
		return rc;
	if (cli->json)
		fputs("]}\n", cli->out);
	cli->found = doc.failed;
	return 0;
}

const struct verb verb_doctor = {
	.name = "doctor",
	.args = "",
	.help = "what keeps a phone from its printer, and the command that helps",
	.run = run,
};
