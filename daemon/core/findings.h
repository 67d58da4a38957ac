/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the doctor found, in a line for the owner's page: looked for again at most once a minute, and
 * only while an owner looks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/control.h"

#define FINDINGS_EVERY_MS (60L * 1000)

struct core;
struct event;

struct findings {
	struct event *timer; /* the checks run after the answer, which does not wait for them */
	bool any;
	int64_t at; /* core_ms of the last checks */
	struct control_web_findings last;
};

/* The last result; has new checks made after this answer if that is old. */
const struct control_web_findings *findings_look(struct core *c);
void findings_free(struct core *c);

/* One more check into the sum. */
void findings_add(struct control_web_findings *f, const struct control_check *check);
