/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Datagrams that wait for a socket to have room. Any of them may hold a secret, so memory is wiped
 * before it is given back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct queue {
	uint8_t *bytes; /* records: length (two bytes), datagram */
	size_t head, end, cap;
};

bool queue_empty(const struct queue *q);
/* n is at most UINT16_MAX. False, and nothing is added, if the queue would hold more than max. */
bool queue_put(struct queue *q, const uint8_t *datagram, size_t n, size_t max);
/* The oldest ones, at most max of them, which stay valid until the queue is touched; how many. */
unsigned queue_peek(const struct queue *q, struct iovec *out, unsigned max);
void queue_drop(struct queue *q, unsigned n);
void queue_clear(struct queue *q); /* wipes and frees */
