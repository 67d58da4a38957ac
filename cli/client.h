/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking core over the control socket: one request, its items one by one, and the end.
 */
#pragma once

#include "cli/cli.h"
#include "common/control.h"

/* Called for each item; a non-zero return ends the exchange with that error. */
typedef int client_item(void *ctx, uint16_t type, const union control_any *item, struct diag *d);

/* Sends a request and hands each item of the answer to fn. An ERROR from core comes back as its
 * code and sentence. The connection is opened at need and kept for the next request. */
int client_ask(struct cli *cli, uint16_t type, const void *msg, client_item *fn, void *ctx,
	       struct diag *d) __attribute__((warn_unused_result));

/* The answer of an honest core never gets here. */
int client_unexpected(uint16_t type, struct diag *d);

void client_close(struct cli *cli);
