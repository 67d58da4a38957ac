/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests from what people write: see the header.
 */
#include "cli/typed.h"

#include <stdio.h>
#include <string.h>

#include "common/preset.h"

static void preset_names(char *out, size_t room)
{
	size_t used = 0;

	for (unsigned i = 0; i < presets_count && used < room; i++)
		used += (size_t)snprintf(out + used, room - used, "%s%s", i ? ", " : "",
					 presets[i].name);
}

int typed_services(struct control_printer_add *msg, const char *preset, const char *ports,
		   const char *neither, struct diag *d)
{
	const struct preset *p = preset ? preset_find(preset) : NULL;
	char known[256] = "";

	preset_names(known, sizeof(known));
	if (!preset && !ports)
		return diag_set(d, ERR_USAGE, "%s one of: %s", neither, known);
	if (preset && !p)
		return diag_set(d, ERR_BAD_PRESET, "no preset is called %.40s; there are: %s",
				preset, known);
	if (p)
		(void)snprintf(msg->preset, sizeof(msg->preset), "%s", p->name);
	return preset_services(&msg->services, p, ports, d);
}

/* Digits and dots, or a slash: whoever types that means an address. */
static bool is_address(const char *text)
{
	return strchr(text, '/') || strspn(text, "0123456789.") == strlen(text);
}

int typed_address(struct control_printer_add *msg, const char *text, struct diag *d)
{
	int rc;

	if (!strcmp(text, "self")) {
		msg->kind = PRINTER_SELF;
		return 0;
	}
	if (!is_address(text)) {
		msg->kind = PRINTER_HOST;
		msg->address.len = 32;
		return host_parse(&msg->host, text, d);
	}
	rc = prefix4_parse(&msg->address, text, d);
	msg->kind = msg->address.len == 32 ? PRINTER_HOST : PRINTER_SUBNET;
	return rc;
}

int typed_grant(struct control_enroll *msg, const char *name, struct diag *d)
{
	struct wire_names *out = &msg->printers;

	if (out->count == WIRE_NAMES_MAX)
		return diag_set(d, ERR_LIMIT,
				"at most %d printers at once: use --all-printers, or "
				"'printgate allow' for the rest",
				WIRE_NAMES_MAX);
	return name_parse(&out->item[out->count++], name, "printer", d);
}

int typed_end(struct control_enroll *msg, const char *text, struct diag *d)
{
	struct when end = {0};
	const int rc = when_parse(&end, text, d);

	msg->expires_at = end.at;
	msg->expires_after = end.after;
	return rc;
}
