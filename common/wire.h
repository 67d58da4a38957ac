/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one encoder and the one decoder. A message is a struct plus one row of a field table; on the
 * wire it is a header of four bytes (WIRE_VERSION, message type) and the fields in their table's
 * order, integers little-endian, nothing in between and nothing left over. Decoding validates: what
 * wire_decode lets through is within each field's type, so nobody checks again.
 *
 * control.h and privmsg.h hold the tables; chan.h says how messages travel.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/hardware.h"
#include "common/host.h"
#include "common/inet.h"
#include "common/name.h"
#include "common/web.h"

#define WIRE_VERSION	1
#define WIRE_BYTES_MAX	8192 /* longest message */
#define WIRE_TEXT_BYTES 2048 /* longest text field with its NUL */

enum wire_kind {
	WIRE_U8,	  /* uint8_t */
	WIRE_U16,	  /* uint16_t */
	WIRE_U32,	  /* uint32_t */
	WIRE_U64,	  /* uint64_t */
	WIRE_TIME,	  /* int64_t, 0 or later: seconds since the epoch, 0 for none */
	WIRE_ERR,	  /* int32_t: 0 or an enum err */
	WIRE_BOOL,	  /* bool */
	WIRE_KEY,	  /* struct wg_key */
	WIRE_SECRET,	  /* struct wg_secret */
	WIRE_IP4,	  /* uint32_t, host order */
	WIRE_PREFIX4,	  /* struct prefix4: length 0..32, no host bits */
	WIRE_PREFIX6,	  /* struct prefix6: none, or length 1..128, no host bits */
	WIRE_ENDPOINT,	  /* struct endpoint */
	WIRE_HARDWARE,	  /* struct hardware, may be unknown; no group address */
	WIRE_SERVICE,	  /* struct service */
	WIRE_SERVICES,	  /* struct services: sorted, without overlap */
	WIRE_NAME,	  /* struct name */
	WIRE_NAME_OPT,	  /* struct name, may be "" */
	WIRE_NAMES,	  /* struct wire_names */
	WIRE_HOST_OPT,	  /* struct host, may be "" */
	WIRE_VIEWERS,	  /* struct wire_viewers: each of them known */
	WIRE_WEB_SECRET,  /* struct web_secret */
	WIRE_WEB_SECRETS, /* struct wire_web_secrets */
	WIRE_TOKEN, /* char[max]: [A-Za-z0-9._:-]*, for words such as an interface or a preset */
	WIRE_TEXT,  /* char[max]: UTF-8, no control characters but line feed */
};

#define WIRE_NAMES_MAX 32

struct wire_names {
	uint8_t count;
	struct name item[WIRE_NAMES_MAX];
};

struct wire_viewers {
	uint8_t count;
	struct endpoint item[WEB_VIEWERS_MAX];
};

struct wire_web_secrets {
	uint8_t count;
	struct web_secret item[WEB_OWNERS_MAX];
};

struct wire_field {
	enum wire_kind kind;
	uint16_t offset;   /* in the struct */
	uint32_t min, max; /* integers: range; TOKEN and TEXT: size of the array in max */
};

struct wire_row {
	uint16_t type;
	const char *name; /* for logs */
	size_t size;	  /* of the struct */
	const struct wire_field *fields;
	unsigned count;
};

struct wire_table {
	const struct wire_row *rows;
	unsigned count;
};

/* The member's type that goes with each kind. */
#define WIRE_TYPE_WIRE_U8	   uint8_t
#define WIRE_TYPE_WIRE_U16	   uint16_t
#define WIRE_TYPE_WIRE_U32	   uint32_t
#define WIRE_TYPE_WIRE_U64	   uint64_t
#define WIRE_TYPE_WIRE_TIME	   int64_t
#define WIRE_TYPE_WIRE_ERR	   int32_t
#define WIRE_TYPE_WIRE_BOOL	   bool
#define WIRE_TYPE_WIRE_KEY	   struct wg_key
#define WIRE_TYPE_WIRE_SECRET	   struct wg_secret
#define WIRE_TYPE_WIRE_IP4	   uint32_t
#define WIRE_TYPE_WIRE_PREFIX4	   struct prefix4
#define WIRE_TYPE_WIRE_PREFIX6	   struct prefix6
#define WIRE_TYPE_WIRE_ENDPOINT	   struct endpoint
#define WIRE_TYPE_WIRE_SERVICE	   struct service
#define WIRE_TYPE_WIRE_SERVICES	   struct services
#define WIRE_TYPE_WIRE_NAME	   struct name
#define WIRE_TYPE_WIRE_NAME_OPT	   struct name
#define WIRE_TYPE_WIRE_NAMES	   struct wire_names
#define WIRE_TYPE_WIRE_HOST_OPT	   struct host
#define WIRE_TYPE_WIRE_HARDWARE	   struct hardware
#define WIRE_TYPE_WIRE_VIEWERS	   struct wire_viewers
#define WIRE_TYPE_WIRE_WEB_SECRET  struct web_secret
#define WIRE_TYPE_WIRE_WEB_SECRETS struct wire_web_secrets

#define WIRE_MEMBER(st, member) (((struct st *)0)->member)
#define WIRE_IS(st, member, t)	__builtin_types_compatible_p(__typeof__(WIRE_MEMBER(st, member)), t)
/* The member's offset; does not compile if `ok` is false. */
#define WIRE_OFFSET(st, member, ok) (offsetof(struct st, member) + 0 * sizeof(char[(ok) ? 1 : -1]))

/* Rows are declared with these: the compiler checks that kind and member agree in type. */
#define WIRE_RANGE(st, member, k, lo, hi)                                                          \
	{                                                                                          \
		.kind = (k),                                                                       \
		.offset = WIRE_OFFSET(st, member, WIRE_IS(st, member, WIRE_TYPE_##k)),             \
		.min = (lo), .max = (hi)                                                           \
	}
#define WIRE_FIELD(st, member, k) WIRE_RANGE(st, member, k, 0, UINT32_MAX)
#define WIRE_CHARS(st, member, k)                                                                  \
	{                                                                                          \
		.kind = (k),                                                                       \
		.offset = WIRE_OFFSET(st, member,                                                  \
				      WIRE_IS(st, member, char[sizeof(WIRE_MEMBER(st, member))])), \
		.min = 0, .max = sizeof(WIRE_MEMBER(st, member))                                   \
	}
#define WIRE_ROW(t, st, f)                                                                         \
	{                                                                                          \
		.type = (t), .name = #t, .size = sizeof(struct st), .fields = (f),                 \
		.count = sizeof(f) / sizeof((f)[0])                                                \
	}
#define WIRE_EMPTY(t)                                                                              \
	{                                                                                          \
		.type = (t), .name = #t, .size = 0, .fields = NULL, .count = 0                     \
	}

const struct wire_row *wire_row(const struct wire_table *table, uint16_t type); /* NULL: unknown */

/* Encodes *msg (the row's struct; NULL for an empty one) into out. Returns the length in bytes, or
 * ERR_PROTOCOL if a field is outside its type (a bug of the caller's). */
int wire_encode(const struct wire_table *table, uint16_t type, const void *msg,
		uint8_t out[WIRE_BYTES_MAX]) __attribute__((warn_unused_result));

/* Decodes a message into *msg, which has room for the table's largest struct (`room` bytes); bytes
 * of the struct that no field covers are zero. *type is set. ERR_PROTOCOL with a sentence for:
 * another version, unknown type, too short, left-over bytes, any field outside its type. */
int wire_decode(const struct wire_table *table, const uint8_t *in, size_t n, uint16_t *type,
		void *msg, size_t room, struct diag *d) __attribute__((warn_unused_result));
