/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking a host name up, as the machine is set up to (getaddrinfo(3): DNS, /etc/hosts, mDNS). That
 * blocks, and runs the machine's plug-ins on answers of strangers. So a fresh copy of this program
 * does it: without our memory, which holds keys, without our descriptors, and for so long only.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/host.h"

#define RESOLVE_SECONDS	      10 /* resolv.conf(5): two attempts of five seconds */
#define RESOLVE_ADDRESSES_MAX 16
#define RESOLVE_AT_ONCE	      8 /* look-ups at a time */

extern const char resolve_verb[]; /* argv[1] of the copy; argv[2] is the name */

struct core;
struct resolve;

/* n IPv4 addresses, in the resolver's order; 0 if there is none, or no answer in time. */
typedef void (*resolve_fn)(void *arg, const uint32_t *addresses, size_t n);

/* Begins; fn is called once, later, unless it is cancelled before. ERR_LIMIT, ERR_SYSTEM. */
int resolve_start(struct core *c, const struct host *host, resolve_fn fn, void *arg,
		  struct resolve **out, struct diag *d) __attribute__((warn_unused_result));
void resolve_cancel(struct resolve *r); /* NULL is allowed */

/* The whole life of the copy: looks the name up, writes the answer to COPY_FD. Its exit status. */
int resolve_main(const char *name);
