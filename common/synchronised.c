/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two ways to learn whether the clock is kept right. Neither changes anything.
 */
#include "common/synchronised.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <time.h>

#include "common/cleanup.h"

/* A read needs no privilege. */
int synchronised_kernel(void)
{
	struct timex tx = {.modes = 0};
	const int r = adjtimex(&tx);

	if (r == -1)
		return errno == EPERM ? -1 : 0;
	return r != TIME_ERROR && !(tx.status & STA_UNSYNC);
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until there is something to be read, or the end. */
static bool await(int fd, int patience_ms)
{
	const int64_t end = now_ms() + patience_ms;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int n;

	do {
		const int64_t left = end - now_ms();

		n = poll(&p, 1, left > 0 ? (int)left : 0);
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

bool synchronised_service(const char *path, int patience_ms)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	char said[2]; /* a longer answer is none */
	auto_close int fd = -1;

	if (strlen(path) >= sizeof(to.sun_path))
		return false;
	memcpy(to.sun_path, path, strlen(path));
	/* Neither a service that does not come nor a queue that is full (EAGAIN) is waited for longer. */
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) ||
	    !await(fd, patience_ms))
		return false;
	return recv(fd, said, sizeof(said), 0) == 1 && said[0] == SYNCHRONISED_YES;
}

bool synchronised(void)
{
	const int kernel = synchronised_kernel();

	return kernel < 0 ? synchronised_service(SYNCHRONISED_SOCKET, SYNCHRONISED_PATIENCE)
			  : kernel == 1;
}
