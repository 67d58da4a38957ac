/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two things every file of printgate-core may need besides its neighbours: the way out, and the
 * time since the start.
 */
#include "daemon/core/core.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/log.h"
#include "common/mono.h"

void core_fatal(const char *fmt, ...)
{
	char text[2 * DIAG_TEXT_BYTES];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_error("core", "%s", text);
	exit(EXIT_FAILURE);
}

uint64_t core_uptime(const struct core *c)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)(ts.tv_sec - c->started);
}

int64_t core_ms(void)
{
	return mono_boot_ms();
}
