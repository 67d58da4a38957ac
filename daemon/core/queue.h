/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages that wait for a socket to have room, as the records of chan.h and in one piece of memory,
 * so that many of them go out as one datagram without being copied. Any of them may hold a secret,
 * so memory is wiped before it is given back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct queue {
	uint8_t *bytes;
	size_t head, end, cap;
};

bool queue_empty(const struct queue *q);
/* A message of n bytes, WIRE_BYTES_MAX at most. False, and nothing is added, if the queue would hold
 * more than max. */
bool queue_put(struct queue *q, const uint8_t *message, size_t n, size_t max);
/* The oldest datagrams, each of as many records as there is room for, at most max of them, which stay
 * valid until the queue is touched; how many. */
unsigned queue_peek(const struct queue *q, struct iovec *out, unsigned max);
/* Drops what has been sent: n bytes, whole records. */
void queue_drop(struct queue *q, size_t n);
void queue_clear(struct queue *q); /* wipes and frees */
