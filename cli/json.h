/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The objects of --json. Their keys are a contract: scripts rely on them.
 */
#pragma once

#include <jansson.h>

#include "cli/answer.h"

json_t *json_peer(const struct peer_view *v);
json_t *json_printer(const struct control_printer *p);
json_t *json_printers(const struct printer_list *l);
json_t *json_gateway(const struct control_gateway *g);
json_t *json_services(const struct services *list);
json_t *json_time(int64_t at);	  /* null for 0 */
json_t *json_text(const char *s); /* null for "" */

/* Writes one object without a line feed and drops it. */
int json_put(struct cli *cli, json_t *object, struct diag *d) __attribute__((warn_unused_result));
/* The same with a line feed: a whole answer. */
int json_answer(struct cli *cli, json_t *object, struct diag *d)
	__attribute__((warn_unused_result));
