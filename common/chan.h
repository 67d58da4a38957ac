/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocking exchange of messages on a SOCK_SEQPACKET socket: used by the CLI, by the web process and
 * on the privilege line. (Core's side of the control sockets is event-driven:
 * daemon/core/client.c.) Buffers that held a message are wiped: any message may carry a secret.
 */
#pragma once

#include "common/wire.h"

/* Connects to a SOCK_SEQPACKET socket by path. Returns a descriptor (close it) or ERR_UNREACHABLE,
 * or ERR_NOT_PERMITTED, with a sentence that names the path. */
int chan_connect(const char *path, struct diag *d) __attribute__((warn_unused_result));

/* Sends one message. ERR_UNREACHABLE if the other side is gone, ERR_PROTOCOL as wire_encode. */
int chan_send(int fd, const struct wire_table *table, uint16_t type, const void *msg,
	      struct diag *d) __attribute__((warn_unused_result));

/* The same without ever waiting: 1 if there is no room for it now. */
int chan_try_send(int fd, const struct wire_table *table, uint16_t type, const void *msg,
		  struct diag *d) __attribute__((warn_unused_result));

/* Receives one message, waiting at most timeout_ms (-1: for ever). ERR_UNREACHABLE on end of file
 * and on time-out, ERR_PROTOCOL as wire_decode. */
int chan_recv(int fd, const struct wire_table *table, uint16_t *type, void *msg, size_t room,
	      int timeout_ms, struct diag *d) __attribute__((warn_unused_result));

/* The same without ever waiting: 1 if there is none. */
int chan_try_recv(int fd, const struct wire_table *table, uint16_t *type, void *msg, size_t room,
		  struct diag *d) __attribute__((warn_unused_result));
