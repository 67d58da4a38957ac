/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate presets: the presets built into this version. No daemon is asked.
 */
#include "cli/verbs.h"

#include "cli/json.h"
#include "cli/table.h"
#include "cli/text.h"
#include "common/preset.h"

static json_t *json_preset(const struct preset *p, const struct services *services)
{
	const char *verified = p->evidence == PRESET_SOURCE ? "source" : "observation";
	json_t *o = json_object();

	json_object_set_new(o, "name", json_string(p->name));
	json_object_set_new(o, "title", json_string(p->title));
	json_object_set_new(o, "services", json_services(services));
	json_object_set_new(o, "source", json_text(p->source));
	json_object_set_new(o, "verified", json_string(verified));
	return o;
}

static int put_json(struct cli *cli, struct diag *d)
{
	int rc = 0;

	fputs("{\"presets\":[", cli->out);
	for (unsigned i = 0; i < presets_count && !rc; i++) {
		struct services services = {0};

		if (i)
			fputc(',', cli->out);
		rc = preset_services(&services, &presets[i], NULL, d);
		if (!rc)
			rc = json_put(cli, json_preset(&presets[i], &services), d);
	}
	fputs("]}\n", cli->out);
	return rc;
}

/* Three lines a preset: title, services, where they are from. */
static int put_rows(struct table *t, const struct preset *p, struct diag *d)
{
	struct services services = {0};
	char text[TEXT_SERVICES_BYTES];
	int rc = preset_services(&services, p, NULL, d);

	if (rc)
		return rc;
	table_add(t, "%s", p->name);
	table_add(t, "%s", p->title);
	table_add(t, "%s", "");
	table_add(t, "%s", text_services(text, &services));
	table_add(t, "%s", "");
	table_add(t, "%s: %s", p->evidence == PRESET_SOURCE ? "from" : "observed", p->source);
	return 0;
}

static int run(struct cli *cli, const struct args *args, struct diag *d)
{
	auto_table t = {.columns = 2};
	int rc = 0;

	(void)args;
	if (cli->json)
		return put_json(cli, d);
	for (unsigned i = 0; i < presets_count && !rc; i++)
		rc = put_rows(&t, &presets[i], d);
	if (rc)
		return rc;
	table_print(&t, cli->out, 0);
	text_para(cli->out, 0,
		  "Use one with 'printgate printer add NAME ADDRESS --preset PRESET'; "
		  "--port adds more services.");
	return 0;
}

const struct verb verb_presets = {
	.name = "presets",
	.args = "",
	.help = "the kinds of printers printgate knows, with their ports",
	.run = run,
};
