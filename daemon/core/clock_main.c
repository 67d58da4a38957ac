/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The copy of printgate-core that answers one question and ends: printgate-clock@.service starts it
 * for each connection, shut off from all but the call that answers it.
 */
#include "daemon/core/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/synchronised.h"

const char clock_verb[] = "clock";

int clock_main(void)
{
	const char answer = synchronised_kernel() == 1 ? SYNCHRONISED_YES : SYNCHRONISED_NO;

	/* Who has not waited for it is no failure of ours. */
	if (send(STDIN_FILENO, &answer, 1, MSG_NOSIGNAL) == 1 || errno == EPIPE)
		return EXIT_SUCCESS;
	return EXIT_FAILURE;
}
