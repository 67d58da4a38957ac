/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands in for printgate-core where a test plays a core that is broken into: hands every datagram
 * of the privilege line (3) to whoever connects to the control socket (4), and back.
 */
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FD_PRIV = 3, FD_CONTROL = 4, ROOM = 65536 };

static void pass_on(int from, int to)
{
	static char datagram[ROOM];
	ssize_t n = recv(from, datagram, sizeof(datagram), 0);

	if (n <= 0 || send(to, datagram, (size_t)n, MSG_NOSIGNAL) < 0)
		exit(EXIT_SUCCESS);
}

int main(void)
{
	struct pollfd listening = {.fd = FD_CONTROL, .events = POLLIN};
	int test;

	if (poll(&listening, 1, -1) < 0)
		return EXIT_FAILURE;
	test = accept(FD_CONTROL, NULL, NULL);
	if (test < 0)
		return EXIT_FAILURE;
	for (;;) {
		struct pollfd ends[] = {{.fd = FD_PRIV, .events = POLLIN},
					{.fd = test, .events = POLLIN}};

		if (poll(ends, 2, -1) < 0)
			return EXIT_FAILURE;
		if (ends[0].revents)
			pass_on(FD_PRIV, test);
		if (ends[1].revents)
			pass_on(test, FD_PRIV);
	}
}
