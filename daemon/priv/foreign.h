/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other firewalls on this machine: who they are, and whether they let our traffic pass. An accept in
 * our table cannot override a drop in theirs. Only reads; coexist.c is the one that may add something.
 */
#pragma once

#include <libmnl/libmnl.h>
#include <stddef.h>

#include "common/privmsg.h"
#include "daemon/priv/flow.h"

typedef void (*foreign_fn)(void *arg, const struct privmsg_finding *f);

/* Sends each flow in thought through all chains that it would meet and calls fn for what was found:
 * one finding for each tool and way. legacy: of foreign_legacy_open. ERR_KERNEL, ERR_LIMIT. */
int foreign_check(struct mnl_socket *socket, int legacy, const struct flow *flows, size_t count,
		  foreign_fn fn, void *arg, struct diag *d) __attribute__((warn_unused_result));
