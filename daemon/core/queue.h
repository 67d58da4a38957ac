/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Datagrams that wait for a socket to have room. Any of them may hold a secret, so memory is wiped
 * before it is given back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue {
	uint8_t *bytes; /* records: length (two bytes), datagram */
	size_t head, end, cap;
};

bool queue_empty(const struct queue *q);
/* n is at most UINT16_MAX. False, and nothing is added, if the queue would hold more than max. */
bool queue_put(struct queue *q, const uint8_t *datagram, size_t n, size_t max);
/* The oldest one, which stays valid until the queue is touched; n is 0 if there is none. */
const uint8_t *queue_first(const struct queue *q, size_t *n);
void queue_drop_first(struct queue *q);
void queue_clear(struct queue *q); /* wipes and frees */
