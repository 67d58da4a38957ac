/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two ways to learn whether the clock is kept right. Neither changes anything.
 */
#include "common/synchronised.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <sys/un.h>

#include "common/cleanup.h"
#include "common/mono.h"

/* A read needs no privilege. */
int synchronised_kernel(void)
{
	struct timex tx = {.modes = 0};
	const int r = adjtimex(&tx);

	if (r == -1)
		return errno == EPERM ? -1 : 0;
	return r != TIME_ERROR && !(tx.status & STA_UNSYNC);
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
	    mono_poll(fd, POLLIN, patience_ms) <= 0)
		return false;
	return recv(fd, said, sizeof(said), 0) == 1 && said[0] == SYNCHRONISED_YES;
}

bool synchronised(void)
{
	const int kernel = synchronised_kernel();

	return kernel < 0 ? synchronised_service(SYNCHRONISED_SOCKET, SYNCHRONISED_PATIENCE)
			  : kernel == 1;
}
