/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests about printers that are given by name: the answer comes when the name has been looked up,
 * and other clients are served meanwhile.
 */
#pragma once

#include "daemon/core/request.h"
#include "db/store.h"

/* Finds the printer's address and hardware address, then adds it; REQUEST_LATER, or an error. */
int named_add(const struct request *r, const struct store_printer *p, struct diag *d)
	__attribute__((warn_unused_result));
void named_free(struct core *c); /* those that still wait are forgotten */
