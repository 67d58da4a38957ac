/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What core asks with CHECK: do other firewalls on this machine let printgate's traffic pass?
 */
#pragma once

#include "daemon/priv/foreign.h"
#include "daemon/priv/gate.h"

/* Calls fn for each finding. legacy: of foreign_legacy_open. ERR_KERNEL, ERR_LIMIT. */
int check_run(struct gate *g, int legacy, foreign_fn fn, void *arg, struct diag *d)
	__attribute__((warn_unused_result));
