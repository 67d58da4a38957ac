/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What gate.c and gate_target.c (the ways to printers, and pins) share.
 */
#pragma once

#include "daemon/priv/gate.h"

/* May this be a printer's address: private, or on this machine's own network? */
int gate_target_ours(struct gate *g, struct prefix4 target, bool *ours, struct diag *d)
	__attribute__((warn_unused_result));
/* Pins the printers of a change. Before the table leads anybody to them. */
int gate_pins_raise(struct gate *g, const struct change *c, struct diag *d)
	__attribute__((warn_unused_result));
/* Makes routes and pins equal to the printers; a printer whose pin does not hold, or whose public address
 * is not on our own network now, has no way. */
int gate_targets_sync(struct gate *g, struct diag *d) __attribute__((warn_unused_result));
