/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Services (protocol and port range) and lists of them, as typed after --port and as kept.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

#define SERVICES_MAX	   32 /* per printer, after normalising */
#define SERVICE_TEXT_BYTES 16 /* "tcp/50000-50100" */

struct service {
	uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	uint16_t first;	  /* 1..65535 */
	uint16_t last;	  /* first..65535 */
};

struct services {
	uint8_t count; /* 0..SERVICES_MAX */
	struct service item[SERVICES_MAX];
};

/* Parses "tcp/80,udp/3000-3010" and adds to *list. ERR_BAD_SERVICE, naming the bad part; *list is
 * untouched on failure. */
int services_parse(struct services *list, const char *text, struct diag *d)
	__attribute__((warn_unused_result));
/* Adds one and keeps the list sorted by protocol and port, overlapping and adjoining ranges merged
 * only where they overlap (tcp/80 and tcp/81 stay two exact services: those are hash look-ups).
 * ERR_LIMIT when SERVICES_MAX is exceeded. */
int services_add(struct services *list, struct service s, struct diag *d)
	__attribute__((warn_unused_result));
/* Sorted, no overlap, each valid: what a decoder insists on. */
bool services_valid(const struct services *list);
void service_format(char out[SERVICE_TEXT_BYTES], struct service s);
const char *protocol_name(uint8_t protocol); /* "tcp", "udp" */
