/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads byte by byte into the caller's memory: stdio would keep a copy of its own.
 */
#include "cli/secret.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "common/cleanup.h"

static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
	caught = number;
}

/* The next byte. Signals that are blocked but for `mask` are let in while it is waited for, and at no
 * other time: one that came just before the wait ends it, too. */
static ssize_t read_byte(char *c, const sigset_t *mask)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};

	if (mask && ppoll(&in, 1, NULL, mask) < 0)
		return -1;
	return read(STDIN_FILENO, c, 1);
}

/* Up to the line's end or the end of all. The rest of a line that is too long is read away. */
static int read_line(char *out, size_t size, const sigset_t *mask, struct diag *d)
{
	size_t n = 0;
	char c = '\0';
	ssize_t got;

	while ((got = read_byte(&c, mask)) == 1 && c != '\n') {
		if (n < size)
			out[n] = c;
		n++;
	}
	if (got < 0)
		return diag_errno(d, "cannot read the password");
	if (got == 0 && n == 0)
		return diag_set(d, ERR_USAGE, "no password was given");
	if (n >= size)
		return diag_set(d, ERR_USAGE, "the password is too long: at most %zu bytes",
				size - 1);
	out[n] = '\0';
	if (strlen(out) != n)
		return diag_set(d, ERR_USAGE,
				"the password must be text without control characters");
	return 0;
}

static int read_or_wipe(char *out, size_t size, const sigset_t *mask, struct diag *d)
{
	const int rc = read_line(out, size, mask, d);

	if (rc)
		explicit_bzero(out, size);
	return rc;
}

int secret_read(char *out, size_t size, struct diag *d)
{
	return read_or_wipe(out, size, NULL, d);
}

/* With echo off. A signal interrupts the reading. */
static int read_hidden(char *out, size_t size, const sigset_t *mask, struct diag *d)
{
	struct termios shown, hidden;
	int rc;

	if (tcgetattr(STDIN_FILENO, &shown))
		return diag_errno(d, "the terminal");
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	hidden.c_lflag |= ECHONL;
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden))
		return diag_errno(d, "the terminal");
	rc = read_or_wipe(out, size, mask, d);
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown) && !rc)
		rc = diag_errno(d, "the terminal");
	return rc;
}

int secret_ask(const char *prompt, char *out, size_t size, struct diag *d)
{
	const struct sigaction ours = {.sa_handler = on_signal};
	struct sigaction before[ARRAY_LEN(signals)];
	sigset_t all, mask;
	int rc;

	if (!isatty(STDIN_FILENO))
		return diag_set(d, ERR_USAGE,
				"standard input is no terminal: to hand over a password from a "
				"script, give --stdin");
	(void)sigemptyset(&all);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		(void)sigaddset(&all, signals[i]);
	(void)sigprocmask(SIG_BLOCK, &all, &mask);
	caught = 0;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		(void)sigaction(signals[i], &ours, &before[i]);
	fprintf(stderr, "%s: ", prompt);
	rc = read_hidden(out, size, &mask, d);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		(void)sigaction(signals[i], &before[i], NULL);
	(void)sigprocmask(SIG_SETMASK, &mask, NULL);
	if (caught) {
		explicit_bzero(out, size);
		fputc('\n', stderr);
		(void)raise(caught);
	}
	return rc;
}
