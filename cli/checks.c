/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Printing what was checked: see the header.
 */
#include "cli/checks.h"

#include <string.h>

#include "cli/json.h"
#include "cli/text.h"

static const char *const result_names[] = {
	[CHECK_OK] = "ok", [CHECK_WARN] = "warn", [CHECK_FAIL] = "fail"};

static int put_json(struct checks *k, const struct control_check *c, struct diag *d)
{
	json_t *o = json_object();
	char message[CONTROL_MESSAGE_BYTES];

	/* It may tell a file's name, which need not be UTF-8. */
	text_clean(message, sizeof(message), c->message);
	json_object_set_new(o, "name", json_string(c->name));
	json_object_set_new(o, "result", json_string(result_names[c->result]));
	json_object_set_new(o, "message", json_string(message));
	json_object_set_new(o, "fix", json_text(c->fix));
	if (k->any)
		fputc(',', k->cli->out);
	return json_put(k->cli, o, d);
}

/* The command is not wrapped, so that it can be copied: a part of it a line. */
static void put_text(struct checks *k, const struct control_check *c)
{
	static const char also[] = " && ";
	char fix[CONTROL_FIX_BYTES];
	const char *at = fix, *end;

	text_para(k->cli->out, 0, "%s: %s: %s", result_names[c->result], c->name, c->message);
	text_clean(fix, sizeof(fix), c->fix);
	for (; (end = strstr(at, also)); at = end + strlen(also))
		fprintf(k->cli->out, "    %.*s &&\n", (int)(end - at), at);
	if (*at)
		fprintf(k->cli->out, "    %s\n", at);
}

void checks_begin(struct checks *k)
{
	if (k->cli->json)
		fputs("{\"checks\":[", k->cli->out);
}

int checks_put(struct checks *k, const struct control_check *c, struct diag *d)
{
	int rc = 0;

	k->cli->found |= c->result == CHECK_FAIL;
	if (k->cli->json)
		rc = put_json(k, c, d);
	else
		put_text(k, c);
	k->any = true;
	return rc;
}

void checks_end(struct checks *k)
{
	if (k->cli->json)
		fputs("]}\n", k->cli->out);
}
