/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What several verbs say to a person about peers and printers.
 */
#pragma once

#include "cli/answer.h"
#include "cli/table.h"

/* All about one peer, with the addresses of its printers. */
void report_peer(FILE *out, const struct peer_view *v, const struct printer_list *printers);

/* What a peer may reach and where to open it; how to grant when that is nothing. */
void report_reach(FILE *out, const struct peer_view *v, const struct printer_list *printers);

/* Rows of the peers' table, heading first, for report_peers_end. */
void report_peers_begin(struct table *t);
void report_peers_row(struct table *t, const struct peer_view *v);

/* The printers' table; says how to add one when there is none. */
void report_printers(FILE *out, const struct printer_list *printers);

/* Prints the peers' table; says how to enroll when there is none. */
void report_peers(FILE *out, const struct table *t);
