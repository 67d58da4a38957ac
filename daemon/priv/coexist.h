/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `coexist = auto`: two rules in DOCKER-USER, the chain that Docker leaves to others, by which what
 * comes from or goes to our interface passes. Nothing else of another tool is ever touched.
 */
#pragma once

#include <libmnl/libmnl.h>
#include <stdbool.h>

#include "common/err.h"

#define COEXIST_TABLE "filter"
#define COEXIST_CHAIN "DOCKER-USER"

/* Makes our rules be there once in each DOCKER-USER (IPv4, IPv6) that exists; interface NULL: makes
 * them be gone. No chain is no error. *changed: whether there was anything to do. ERR_KERNEL. */
int coexist_sync(struct mnl_socket *socket, const char *interface, bool *changed, struct diag *d)
	__attribute__((warn_unused_result));
