/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telling who started us that we are ready: the service manager by sd_notify(3)'s protocol (a
 * datagram to $NOTIFY_SOCKET), a script by a line feed on the descriptor of --ready-fd.
 */
#pragma once

#include "common/err.h"

struct notify {
	int manager;  /* connected to $NOTIFY_SOCKET, or -1 */
	int ready_fd; /* or -1; closed once told */
};

/* Opens both while still root: the manager's socket may be out of reach later. `ready_fd` -1: none.
 * ERR_USAGE: it is not an open descriptor. */
int notify_open(struct notify *n, int ready_fd, struct diag *d) __attribute__((warn_unused_result));
void notify_ready(struct notify *n);
