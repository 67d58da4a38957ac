/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log lines to standard error, for programs only: library code returns an error and a diag.
 * Under a service manager that reads standard error into the journal (JOURNAL_STREAM is set,
 * systemd.exec(5)) each line begins with <N>, the syslog priority (sd-daemon(3)).
 */
#pragma once

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARN = 4, LOG_LEVEL_INFO = 6, LOG_LEVEL_DEBUG = 7 };

/* Names the program in every line; `program` must stay valid. PRINTGATE_DEBUG=1 in the environment
 * lets debug lines through. */
void log_open(const char *program);

/* One line: "program: subsystem: text". Control characters in the text are replaced by '?'. */
void log_line(enum log_level level, const char *subsystem, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)
