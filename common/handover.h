/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How printgate-tls hands a connection to printgate-web: one datagram on a SOCK_SEQPACKET line, with
 * one connected stream socket (SCM_RIGHTS) and the two addresses of the connection behind it: the
 * page answers to the address that was asked for, and counts connections by who asks.
 */
#pragma once

#include "common/inet.h"

struct handover {
	struct endpoint from, to; /* the client's address, and ours */
};

/* Sends `fd`, which stays the caller's. ERR_UNREACHABLE if the other side is gone, or has no room. */
int handover_send(int line, int fd, const struct handover *ends, struct diag *d)
	__attribute__((warn_unused_result));
/* Receives without waiting: the descriptor (close-on-exec, non-blocking; the caller's) or
 * ERR_LIMIT if there is none now, ERR_UNREACHABLE at the end of the line, ERR_PROTOCOL. */
int handover_recv(int line, struct handover *ends, struct diag *d)
	__attribute__((warn_unused_result));
