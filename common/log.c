/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log lines to standard error. A line is one write(2), so that lines of several processes which
 * share a standard error do not mix. Called by programs, never by library code.
 */
#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/name.h"

#define LOG_LINE_BYTES 1024

static const char *log_program = "printgate";
static bool log_priority; /* lines begin with <N> */
static bool log_all;	  /* debug lines too */

void log_open(const char *program)
{
	const char *debug = getenv("PRINTGATE_DEBUG");

	log_program = program;
	log_priority = getenv("JOURNAL_STREAM") != NULL;
	log_all = debug && strcmp(debug, "1") == 0;
}

void log_line(enum log_level level, const char *subsystem, const char *fmt, ...)
{
	char line[LOG_LINE_BYTES];
	const size_t room = sizeof(line) - 1; /* the last byte is for the line feed */
	int error = errno;
	size_t n = 0;
	va_list ap;

	if (level == LOG_LEVEL_DEBUG && !log_all)
		return;
	line[0] = '\0';
	if (log_priority)
		(void)snprintf(line, room, "<%d>", (int)level);
	n = strlen(line);
	(void)snprintf(line + n, room - n, "%s: %s: ", log_program, subsystem);
	n = strlen(line);
	va_start(ap, fmt);
	(void)vsnprintf(line + n, room - n, fmt, ap);
	va_end(ap);
	utf8_clean(line, 0);
	n = strlen(line);
	line[n++] = '\n';
	(void)!write(STDERR_FILENO, line, n);
	errno = error;
}
