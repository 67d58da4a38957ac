/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Help texts: what a verb's own table says, laid out in 80 columns.
 */
#include "cli/help.h"

#include <string.h>

#include "cli/json.h"
#include "cli/table.h"
#include "common/version.h"

void help_all(FILE *out, const struct verb *const *verbs, size_t count)
{
	auto_table t = {.columns = 2};

	fputs("usage: printgate [--socket PATH] [--json] VERB …\n\n", out);
	for (size_t i = 0; i < count; i++) {
		table_add(&t, "%s%s%s", verbs[i]->name, verbs[i]->args[0] ? " " : "",
			  verbs[i]->args);
		table_add(&t, "%s", verbs[i]->help);
	}
	table_print(&t, out, 2);
	fputs("\n'printgate help VERB' tells a verb's options; all of it is in printgate(1).\n",
	      out);
}

static void add_option(struct table *t, const struct verb_option *o)
{
	table_add(t, "--%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
	table_add(t, "%s", o->help);
}

void help_verb(FILE *out, const struct verb *v)
{
	static const struct verb_option globals[] = {
		{"socket", "PATH", "the control socket (or PRINTGATE_SOCKET)", false},
		{"json", NULL, "answer with one JSON object", false},
	};
	auto_table t = {.columns = 2};

	fprintf(out, "usage: printgate %s%s%s%s\n%s\n\n", v->name, v->args[0] ? " " : "", v->args,
		v->option_count ? " [OPTION]…" : "", v->help);
	for (unsigned i = 0; i < v->option_count; i++)
		add_option(&t, &v->options[i]);
	add_option(&t, &globals[0]);
	add_option(&t, &globals[1]);
	table_print(&t, out, 2);
}

int help_version(struct cli *cli, struct diag *d)
{
	json_t *o;

	if (!cli->json) {
		fputs("printgate " PRINTGATE_VERSION "\n", cli->out);
		return 0;
	}
	o = json_object();
	json_object_set_new(o, "version", json_string(PRINTGATE_VERSION));
	return json_answer(cli, o, d);
}
