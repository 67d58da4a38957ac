/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A long list of peers as it streams in: written to the answer at once as JSON, or collected for a
 * table. Used by list and status.
 */
#pragma once

#include "cli/answer.h"
#include "cli/table.h"

struct peers {
	struct cli *cli;
	struct peer_stream stream;
	struct table table;
	bool comma; /* an object has been written */
};

void peers_begin(struct peers *p, struct cli *cli);
/* A client_item: takes PEER and GRANT. */
int peers_item(void *peers, uint16_t type, const union control_any *item, struct diag *d)
	__attribute__((warn_unused_result));
/* After the end: the last peer, and the table. */
int peers_end(struct peers *p, struct diag *d) __attribute__((warn_unused_result));
void peers_free(struct peers *p);

#define auto_peers __attribute__((cleanup(peers_free))) struct peers
