/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What core has told in answer to one question, and what of the traffic has been seen since somebody
 * looks. Pages are rendered from it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/control.h"

#define RATE_SAMPLES 30 /* what a sparkline shows: half a minute */

/* Bytes per second in both directions, the newest last; the n last ones are known. */
struct rate {
	uint8_t n;
	uint32_t sample[RATE_SAMPLES];
};

struct seen_grant {
	uint32_t printer; /* index */
	int64_t expires;
};

struct seen_peer {
	struct control_peer peer;
	struct rate rate;
	size_t first, grants; /* its grants: from there, so many */
};

struct seen_owner {
	struct web_secret secret;
	struct control_web_owner is;
};

struct snapshot {
	bool reached; /* false: core does not answer; the rest is of before, or empty */
	int64_t wall; /* the machine's clock when it was complete */
	int64_t mono; /* the same by CLOCK_MONOTONIC, ms */
	struct control_gateway gateway;
	struct control_counts counts;
	struct control_web_findings findings;
	struct seen_owner owner[WEB_OWNERS_MAX];
	size_t owners;
	struct control_printer *printer;
	size_t printers, printers_cap;
	struct seen_peer *peer;
	size_t peers, peers_cap;
	struct seen_grant *grant;
	size_t grants, grants_cap;
	size_t *by_name; /* printers' indices, made when the first grant comes */
};

void snapshot_clear(struct snapshot *s); /* keeps the memory */
void snapshot_free(struct snapshot *s);	 /* what it points to */

/* One item of an answer. ERR_PROTOCOL for one that has no place. */
int snapshot_item(struct snapshot *s, uint16_t type, const union control_any *m, struct diag *d)
	__attribute__((warn_unused_result));
/* After the last: what came since `before` was complete becomes a sample for each peer. */
void snapshot_end(struct snapshot *s, const struct snapshot *before);

/* The peer with this address in the tunnel; NULL: there is none. */
const struct seen_peer *snapshot_peer(const struct snapshot *s, const struct endpoint *e);
/* NULL: it is not (any more) an owner's. */
const struct control_web_owner *snapshot_owner(const struct snapshot *s,
					       const struct web_secret *secret);
/* Is it the gateway's own address in the tunnel, of either family? */
bool snapshot_is_gateway(const struct snapshot *s, const struct endpoint *e);
