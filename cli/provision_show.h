/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The codes of peers that a file enrolled on a machine without a screen of ours: on its consoles, and as
 * pictures on the boot partition, until the phone's first handshake or the time given.
 */
#pragma once

#include "cli/cli.h"
#include "cli/place.h"

/* Shows what core says is to be shown, and stays until there is nothing more. */
int provision_show(struct cli *cli, const struct place *boot, struct diag *d)
	__attribute__((warn_unused_result));
