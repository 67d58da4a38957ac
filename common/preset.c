/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The presets: one row and one golden file (tests/golden/preset_NAME.txt) each. A row says where its
 * ports are from, so that the next one to doubt a port knows where to look.
 */
#include "common/preset.h"

#include <string.h>

#include "common/cleanup.h"

const struct preset presets[] = {
	{
		.name = "octoprint",
		.title = "OctoPrint",
		.ports = "tcp/80,tcp/443,tcp/5000",
		.source = "OctoPrint's documentation (5000); OctoPi's haproxy.cfg (80, 443)",
		.evidence = PRESET_SOURCE,
	},
	{
		.name = "moonraker",
		.title = "Klipper with Moonraker (Mainsail, Fluidd)",
		.ports = "tcp/80,tcp/443,tcp/7125,tcp/7130",
		.source = "Moonraker's configuration reference (7125, 7130); Mainsail's guide (80)",
		.evidence = PRESET_SOURCE,
	},
	{
		.name = "bambu",
		.title = "Bambu Lab in LAN mode",
		.ports = "tcp/322,tcp/990,tcp/3000,tcp/3002,tcp/6000,tcp/8883",
		.movable = "tcp/50000-50100",
		.source = "reports of users and programs of others (Bambuddy, bambu-farm): MQTT "
			  "8883, "
			  "FTPS 990, camera 322 or 6000, binding 3000 and 3002",
		.evidence = PRESET_OBSERVATION,
	},
	{
		.name = "prusalink",
		.title = "PrusaLink",
		.ports = "tcp/80,tcp/8080",
		.source = "Prusa-Link's start script (8080, with 80 redirected to it)",
		.evidence = PRESET_SOURCE,
	},
	{
		.name = "elegoo",
		.title = "Elegoo with SDCP",
		.ports = "tcp/3030,tcp/3031,udp/3000",
		.source = "traffic of Elegoo's slicer and of programs by others: WebSocket 3030, "
			  "camera "
			  "3031, discovery udp/3000",
		.evidence = PRESET_OBSERVATION,
	},
	{
		.name = "creality",
		.title = "Creality K1, K2, Ender-3 V3",
		.ports = "tcp/80,tcp/9999",
		.source = "listening sockets listed on a K1C; captured traffic of Creality Print "
			  "(9999)",
		.evidence = PRESET_OBSERVATION,
	},
	{
		.name = "ipp",
		.title = "Network printer (IPP, raw)",
		.ports = "tcp/631,tcp/9100",
		.source = "RFC 8010, RFC 8011 (631); IANA's register of ports (9100)",
		.evidence = PRESET_SOURCE,
	},
	{
		.name = "web",
		.title = "Any web interface",
		.ports = "tcp/80,tcp/443",
		.source = "RFC 9110 (80, 443)",
		.evidence = PRESET_SOURCE,
	},
};

const unsigned presets_count = ARRAY_LEN(presets);

const struct preset *preset_find(const char *name)
{
	for (unsigned i = 0; i < presets_count; i++)
		if (strcmp(presets[i].name, name) == 0)
			return &presets[i];
	return NULL;
}

/* Does the owner's list name a range of the movable one's protocol? */
static bool is_moved(const struct services *typed, struct service movable)
{
	for (unsigned i = 0; i < typed->count; i++)
		if (typed->item[i].protocol == movable.protocol &&
		    typed->item[i].first != typed->item[i].last)
			return true;
	return false;
}

static int add_preset(struct services *list, const struct preset *p, const struct services *typed,
		      struct diag *d)
{
	struct services movable = {0};
	int err = services_parse(list, p->ports, d);

	if (!err && p->movable)
		err = services_parse(&movable, p->movable, d);
	if (err || movable.count == 0 || is_moved(typed, movable.item[0]))
		return err;
	return services_add(list, movable.item[0], d);
}

int preset_services(struct services *out, const struct preset *p, const char *ports, struct diag *d)
{
	struct services typed = {0}, list = {0};
	int err = 0;

	if (!p && !ports)
		return diag_set(d, ERR_BAD_SERVICE,
				"which services? Name a preset (--preset octoprint) or ports "
				"(--port tcp/80)");
	if (ports)
		err = services_parse(&typed, ports, d);
	if (!err && p)
		err = add_preset(&list, p, &typed, d);
	for (unsigned i = 0; !err && i < typed.count; i++)
		err = services_add(&list, typed.item[i], d);
	if (!err)
		*out = list;
	return err;
}
