/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate presets: the presets built into this version. No daemon is asked.
 */
#include "cli/verbs.h"

#include "cli/json.h"
#include "cli/table.h"
#include "cli/text.h"
#include "common/preset.h"

static int put_json(struct cli *cli, struct diag *d)
{
	json_t *o = json_object(), *list = json_array();

	for (unsigned i = 0; i < presets_count; i++) {
		const struct preset *p = &presets[i];
		struct services services = {0};
		json_t *item = json_object();
		int rc = preset_services(&services, p, NULL, d);

		if (rc)
			return rc; /* the table is wrong: a unit test of presets finds it */
		json_object_set_new(item, "name", json_string(p->name));
		json_object_set_new(item, "title", json_string(p->title));
		json_object_set_new(item, "services", json_services(&services));
		json_object_set_new(item, "source", json_text(p->source));
		json_object_set_new(
			item, "verified",
			json_string(p->evidence == PRESET_SOURCE ? "source" : "observation"));
		json_array_append_new(list, item);
	}
	json_object_set_new(o, "presets", list);
	return json_answer(cli, o, d);
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
