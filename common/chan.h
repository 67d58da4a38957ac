/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exchange of messages on a SOCK_SEQPACKET socket: used by the CLI, by the web process and on the
 * privilege line. (Core's side of the control sockets is event-driven: daemon/core/client.c.)
 *
 * A datagram is one or more records, nothing in between and nothing left over; a record is the
 * length of a message (two bytes, little-endian) and the message (wire.h). Long answers are tens of
 * thousands of messages of some fifty bytes each, and what a datagram costs is the kernel's work per
 * datagram: so many travel together. Whoever waits for an answer flushes first.
 *
 * Buffers that held a message are wiped: any message may carry a secret.
 */
#pragma once

#include <stdbool.h>

#include "common/wire.h"

#define CHAN_LENGTH_BYTES 2
/* Longest datagram: some hundred messages of a list, and a twelfth of the default socket buffer
 * (net.core.wmem_default, 212,992 bytes). A message of WIRE_BYTES_MAX fits. */
#define CHAN_BYTES_MAX 16384

/* One end of a line. Set fd and the tables (chan_open); the rest is chan.c's. */
struct chan {
	int fd;
	const struct wire_table *in, *out;
	size_t in_at, in_end; /* the records that have come and are not read yet */
	size_t out_end;	      /* the records that have not been sent yet */
	uint8_t in_bytes[CHAN_BYTES_MAX], out_bytes[CHAN_BYTES_MAX];
};

/* Connects to a SOCK_SEQPACKET socket by path. Returns a descriptor (close it) or ERR_UNREACHABLE,
 * or ERR_NOT_PERMITTED, with a sentence that names the path. */
int chan_connect(const char *path, struct diag *d) __attribute__((warn_unused_result));

/* The line of a connected socket, which stays the caller's; in and out are the tables of what is
 * read and of what is sent. */
void chan_open(struct chan *c, int fd, const struct wire_table *in, const struct wire_table *out);
/* Wipes what has not been read or sent, and forgets the descriptor without closing it. */
void chan_close(struct chan *c);

/* Adds one message to the datagram that is to be sent, and sends what was there before if there is
 * no room beside it. ERR_UNREACHABLE if the other side is gone, ERR_PROTOCOL as wire_encode. */
int chan_put(struct chan *c, uint16_t type, const void *msg, struct diag *d)
	__attribute__((warn_unused_result));
/* Sends what was put, waiting for room if need be. */
int chan_flush(struct chan *c, struct diag *d) __attribute__((warn_unused_result));
/* Both: one message, and all that was put before it. */
int chan_send(struct chan *c, uint16_t type, const void *msg, struct diag *d)
	__attribute__((warn_unused_result));

/* chan_put and chan_flush without ever waiting: 1 if the socket has no room now; then nothing has
 * been added, and what was put before is kept. */
int chan_try_put(struct chan *c, uint16_t type, const void *msg, struct diag *d)
	__attribute__((warn_unused_result));
int chan_try_flush(struct chan *c, struct diag *d) __attribute__((warn_unused_result));

/* Receives one message, waiting at most timeout_ms (-1: for ever). ERR_UNREACHABLE on end of file
 * and on time-out, ERR_PROTOCOL as wire_decode, and for a datagram that is not made of records. */
int chan_recv(struct chan *c, uint16_t *type, void *msg, size_t room, int timeout_ms,
	      struct diag *d) __attribute__((warn_unused_result));
/* The same without ever waiting: 1 if there is none. */
int chan_try_recv(struct chan *c, uint16_t *type, void *msg, size_t room, struct diag *d)
	__attribute__((warn_unused_result));
/* Has more come than has been read? Then chan_recv does not wait, and poll(2) knows nothing of it. */
bool chan_pending(const struct chan *c);

/* One record from `in`, which has n bytes: its message's length, or ERR_PROTOCOL if it is not whole.
 * The message begins CHAN_LENGTH_BYTES further. */
int chan_record(const uint8_t *in, size_t n, struct diag *d) __attribute__((warn_unused_result));
/* Writes the length that stands before a message of n bytes. */
void chan_record_begin(uint8_t out[CHAN_LENGTH_BYTES], size_t n);
