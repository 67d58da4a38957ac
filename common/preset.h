/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Presets: named lists of services of well-known printers and printer hosts. Adding one is one row
 * in preset.c and one golden file.
 */
#pragma once

#include "common/service.h"

#define PRESET_NAME_BYTES 16

enum preset_evidence {
	PRESET_SOURCE,	    /* read in the program's own source or the vendor's documentation */
	PRESET_OBSERVATION, /* seen on the wire or reported by users */
};

struct preset {
	const char *name;  /* [a-z0-9]{1,15} */
	const char *title; /* for a person: "OctoPrint" */
	const char *ports; /* services_parse syntax */
	/* A range that the printer's own settings can move (passive FTP); a range of the same protocol
	 * given with --port takes its place. NULL if none. */
	const char *movable;
	const char *source; /* where the ports are from */
	enum preset_evidence evidence;
};

extern const struct preset presets[];
extern const unsigned presets_count;

const struct preset *preset_find(const char *name); /* NULL if unknown */
/* The services of a printer from its preset (NULL: none) and the --port text (NULL: none):
 * ERR_BAD_SERVICE if both are missing or the text is bad. */
int preset_services(struct services *out, const struct preset *p, const char *ports, struct diag *d)
	__attribute__((warn_unused_result));
