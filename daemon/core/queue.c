/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An out-queue in one piece of memory: a list of 10,000 peers is some 20,000 small messages, each of
 * which would otherwise be an allocation and a datagram of its own.
 */
#include "daemon/core/queue.h"

#include <stdlib.h>
#include <string.h>

#include "common/chan.h"
#include "common/mem.h"

#define FIRST_BYTES 4096

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

bool queue_put(struct queue *q, const uint8_t *message, size_t n, size_t max)
{
	const size_t need = CHAN_LENGTH_BYTES + n;
	size_t cap = q->cap ? q->cap : FIRST_BYTES;

	if (n > WIRE_BYTES_MAX || q->end - q->head + need > max)
		return false;
	while (cap < q->end + need)
		cap *= 2;
	if (cap != q->cap)
		queue_move(q, cap);
	chan_record_begin(q->bytes + q->end, n);
	memcpy(q->bytes + q->end + CHAN_LENGTH_BYTES, message, n);
	q->end += need;
	return true;
}

/* How far the datagram goes that begins at `at`. */
static size_t datagram_end(const struct queue *q, size_t at)
{
	const size_t most = at + CHAN_BYTES_MAX;

	while (at < q->end) {
		const size_t next = at + CHAN_LENGTH_BYTES +
				    (size_t)chan_record(q->bytes + at, q->end - at, NULL);

		if (next > most)
			break;
		at = next;
	}
	return at;
}

unsigned queue_peek(const struct queue *q, struct iovec *out, unsigned max)
{
	size_t at = q->head;
	unsigned n;

	for (n = 0; n < max && at < q->end; n++) {
		const size_t end = datagram_end(q, at);

		out[n] = (struct iovec){q->bytes + at, end - at};
		at = end;
	}
	return n;
}

void queue_drop(struct queue *q, size_t n)
{
	explicit_bzero(q->bytes + q->head, n);
	q->head += n;
	if (queue_empty(q))
		queue_clear(q);
}

void queue_clear(struct queue *q)
{
	if (q->bytes)
		explicit_bzero(q->bytes, q->cap);
	free(q->bytes);
	*q = (struct queue){0};
}
