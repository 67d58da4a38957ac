/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clock_gettime(2) cannot fail with these clocks.
 */
#include "common/mono.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

static int64_t ms(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t mono_ms(void)
{
	return ms(CLOCK_MONOTONIC);
}

int64_t mono_boot_ms(void)
{
	return ms(CLOCK_BOOTTIME);
}

int mono_poll(int fd, short events, int timeout_ms)
{
	const int64_t end = mono_ms() + timeout_ms;
	struct pollfd p = {.fd = fd, .events = events};
	int n;

	do {
		int64_t left = timeout_ms < 0 ? -1 : end - mono_ms();

		n = poll(&p, 1, timeout_ms >= 0 && left < 0 ? 0 : (int)left);
	} while (n < 0 && errno == EINTR);
	return n;
}
