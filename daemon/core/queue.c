/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An out-queue in one piece of memory: a list of 10,000 peers is some 100,000 small datagrams, each
 * of which would otherwise be an allocation of its own.
 */
#include "daemon/core/queue.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

#define LENGTH_BYTES sizeof(uint16_t)
#define FIRST_BYTES  4096

bool queue_empty(const struct queue *q)
{
	return q->head == q->end;
}

/* Not realloc(), which would leave the old copy as it is. */
static void queue_move(struct queue *q, size_t cap)
{
	uint8_t *bytes = mem_zalloc(cap, 1);
	const size_t n = q->end - q->head;

	if (n > 0)
		memcpy(bytes, q->bytes + q->head, n);
	queue_clear(q);
	*q = (struct queue){.bytes = bytes, .end = n, .cap = cap};
}

bool queue_put(struct queue *q, const uint8_t *datagram, size_t n, size_t max)
{
	const size_t need = LENGTH_BYTES + n;
	const uint16_t length = (uint16_t)n;
	size_t cap = q->cap ? q->cap : FIRST_BYTES;

	if (n > UINT16_MAX || q->end - q->head + need > max)
		return false;
	while (cap < q->end + need)
		cap *= 2;
	if (cap != q->cap)
		queue_move(q, cap);
	memcpy(q->bytes + q->end, &length, LENGTH_BYTES);
	memcpy(q->bytes + q->end + LENGTH_BYTES, datagram, n);
	q->end += need;
	return true;
}

static size_t length_at(const struct queue *q, size_t at)
{
	uint16_t length;

	memcpy(&length, q->bytes + at, LENGTH_BYTES);
	return length;
}

unsigned queue_peek(const struct queue *q, struct iovec *out, unsigned max)
{
	size_t at = q->head;
	unsigned n;

	for (n = 0; n < max && at < q->end; n++) {
		out[n] = (struct iovec){q->bytes + at + LENGTH_BYTES, length_at(q, at)};
		at += LENGTH_BYTES + out[n].iov_len;
	}
	return n;
}

void queue_drop(struct queue *q, unsigned n)
{
	const size_t from = q->head;

	while (n-- > 0 && !queue_empty(q))
		q->head += LENGTH_BYTES + length_at(q, q->head);
	if (queue_empty(q))
		queue_clear(q);
	else
		explicit_bzero(q->bytes + from, q->head - from);
}

void queue_clear(struct queue *q)
{
	if (q->bytes)
		explicit_bzero(q->bytes, q->cap);
	free(q->bytes);
	*q = (struct queue){0};
}
