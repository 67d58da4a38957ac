/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every kind of field, good and bad, one byte string at a time, over a table made for it.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "common/inet.h"
#include "common/inet6.h"
#include "common/key.h"
#include "common/service.h"
#include "common/wire.h"

struct every {
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	int64_t time;
	int32_t err;
	bool yes;
	struct prefix4 prefix;
	struct prefix6 prefix6;
	struct endpoint endpoint;
	struct service service;
	struct services services;
	struct name name;
	struct name name_opt;
	struct wire_names names;
	struct host host;
	struct hardware hardware;
	struct wire_viewers viewers;
	struct web_secret secret;
	struct wire_web_secrets secrets;
	char token[8];
	char text[8];
};

#define ONE(member, k)                                                                             \
	static const struct wire_field one_##member[] = {WIRE_FIELD(every, member, k)}
#define ONE_RANGE(member, k, lo, hi)                                                               \
	static const struct wire_field one_##member[] = {WIRE_RANGE(every, member, k, lo, hi)}
#define ONE_CHARS(member, k)                                                                       \
	static const struct wire_field one_##member[] = {WIRE_CHARS(every, member, k)}

ONE_RANGE(u8, WIRE_U8, 3, 5);
ONE_RANGE(u16, WIRE_U16, 300, 500);
ONE_RANGE(u32, WIRE_U32, 70000, 80000);
ONE(time, WIRE_TIME);
ONE(err, WIRE_ERR);
ONE(yes, WIRE_BOOL);
ONE(prefix, WIRE_PREFIX4);
ONE(prefix6, WIRE_PREFIX6);
ONE(endpoint, WIRE_ENDPOINT);
ONE(service, WIRE_SERVICE);
ONE_RANGE(services, WIRE_SERVICES, 1, 2);
ONE(name, WIRE_NAME);
ONE(name_opt, WIRE_NAME_OPT);
ONE(names, WIRE_NAMES);
ONE(host, WIRE_HOST_OPT);
ONE(hardware, WIRE_HARDWARE);
ONE(viewers, WIRE_VIEWERS);
ONE(secret, WIRE_WEB_SECRET);
ONE(secrets, WIRE_WEB_SECRETS);
ONE_CHARS(token, WIRE_TOKEN);
ONE_CHARS(text, WIRE_TEXT);

enum {
	U8 = 1,
	U16,
	U32,
	TIME,
	ERR,
	YES,
	PREFIX,
	PREFIX6,
	ENDPOINT,
	SERVICE,
	SERVICES,
	NAME,
	NAME_OPT,
	NAMES,
	TOKEN,
	TEXT,
	HOST,
	HARDWARE,
	VIEWERS,
	WEB_SECRET,
	WEB_SECRETS
};

static const struct wire_row every_rows[] = {
	WIRE_ROW(U8, every, one_u8),
	WIRE_ROW(U16, every, one_u16),
	WIRE_ROW(U32, every, one_u32),
	WIRE_ROW(TIME, every, one_time),
	WIRE_ROW(ERR, every, one_err),
	WIRE_ROW(YES, every, one_yes),
	WIRE_ROW(PREFIX, every, one_prefix),
	WIRE_ROW(PREFIX6, every, one_prefix6),
	WIRE_ROW(ENDPOINT, every, one_endpoint),
	WIRE_ROW(SERVICE, every, one_service),
	WIRE_ROW(SERVICES, every, one_services),
	WIRE_ROW(NAME, every, one_name),
	WIRE_ROW(NAME_OPT, every, one_name_opt),
	WIRE_ROW(NAMES, every, one_names),
	WIRE_ROW(TOKEN, every, one_token),
	WIRE_ROW(TEXT, every, one_text),
	WIRE_ROW(HOST, every, one_host),
	WIRE_ROW(HARDWARE, every, one_hardware),
	WIRE_ROW(VIEWERS, every, one_viewers),
	WIRE_ROW(WEB_SECRET, every, one_secret),
	WIRE_ROW(WEB_SECRETS, every, one_secrets),
};
static const struct wire_table every_table = {every_rows, ARRAY_LEN(every_rows)};

struct payload {
	uint16_t type;
	bool good;
	uint8_t n;
	const char *bytes;
};

#define GOOD(t, s)                                                                                 \
	{                                                                                          \
		(t), true, sizeof(s) - 1, (s)                                                      \
	}
#define BAD(t, s)                                                                                  \
	{                                                                                          \
		(t), false, sizeof(s) - 1, (s)                                                     \
	}

/* NOLINTBEGIN(misc-misleading-bidirectional): one of them must be refused */
static const struct payload payloads[] = {
	GOOD(U8, "\3"),
	GOOD(U8, "\5"),
	BAD(U8, "\2"),
	BAD(U8, "\6"),
	GOOD(U16, "\x2c\x01"),
	BAD(U16, "\x2b\x01"),
	BAD(U16, "\xf5\x01"),
	GOOD(U32, "\x70\x11\x01\0"),
	BAD(U32, "\x6f\x11\x01\0"),
	BAD(U32, "\xff\xff\xff\xff"),
	GOOD(TIME, "\0\0\0\0\0\0\0\0"),
	BAD(TIME, "\xff\xff\xff\xff\xff\xff\xff\xff"), /* -1 */
	BAD(TIME, "\xff\xff\xff\xff\xff\xff\xff\x7f"), /* after the year 9999 */
	GOOD(ERR, "\0\0\0\0"),
	GOOD(ERR, "\xff\xff\xff\xff"),
	BAD(ERR, "\1\0\0\0"),
	BAD(ERR, "\0\xff\xff\xff"), /* -256 */
	GOOD(YES, "\0"),
	GOOD(YES, "\1"),
	BAD(YES, "\2"),
	BAD(YES, "\xff"),
	GOOD(PREFIX, "\0\0\0\x0a\x08"),
	GOOD(PREFIX, "\0\0\0\0\0"),
	BAD(PREFIX, "\1\0\0\x0a\x08"), /* host bits */
	BAD(PREFIX, "\0\0\0\0\x21"),   /* /33 */
	BAD(PREFIX, "\0\0\0\0\xff"),
	GOOD(PREFIX6, "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x40"),
	GOOD(PREFIX6, "0123456789abcdef\x80"),
	GOOD(PREFIX6, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), /* none */
	BAD(PREFIX6, "0123456789abcdef\0"),		     /* none, and something */
	BAD(PREFIX6, "0123456789abcdef\x40"),		     /* host bits */
	BAD(PREFIX6, "0123456789abcdef\x81"),
	BAD(PREFIX6, "0123456789abcdef"),
	GOOD(ENDPOINT, "\0"),
	GOOD(ENDPOINT, "\4\xc0\0\2\1\x6c\xca"),
	GOOD(ENDPOINT, "\6"
		       "0123456789abcdef"
		       "\1\0"),
	BAD(ENDPOINT, "\0\0"), /* unknown has no port */
	BAD(ENDPOINT, "\5"
		      "0123\1\0"),
	BAD(ENDPOINT, "\4"
		      "0123456789abcdef"
		      "\1\0"),
	BAD(ENDPOINT, "\xff"),
	GOOD(SERVICE, "\6\x50\0\x50\0"),
	BAD(SERVICE, "\6\0\0\x50\0"),	/* port 0 */
	BAD(SERVICE, "\6\x51\0\x50\0"), /* backwards */
	BAD(SERVICE, "\1\x50\0\x50\0"), /* ICMP has no ports */
	GOOD(SERVICES, "\1\6\x50\0\x50\0"),
	GOOD(SERVICES, "\2\6\x50\0\x50\0\x11\x50\0\x50\0"),
	BAD(SERVICES, "\0"),				   /* the range asks for one at least */
	BAD(SERVICES, "\3\6\1\0\1\0\6\2\0\2\0\6\3\0\3\0"), /* … and two at most */
	BAD(SERVICES, "\2\x11\x50\0\x50\0\6\x50\0\x50\0"), /* unsorted */
	BAD(SERVICES, "\2\6\x50\0\x50\0\6\x50\0\x50\0"),   /* twice */
	BAD(SERVICES, "\xff\6\x50\0\x50\0"),
	GOOD(NAME, "\1\0a"),
	BAD(NAME, "\0\0"), /* empty */
	BAD(NAME, "\3\0a\nb"),
	BAD(NAME, "\3\0a\0b"),
	BAD(NAME, "\2\0a "),
	BAD(NAME, "\1\0\xff"),
	BAD(NAME, "\4\0a\xe2\x80\xae"), /* turns the direction of writing */
	BAD(NAME,
	    "\x41\0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), /* 65 */
	BAD(NAME, "\xff\xff"
		  "a"),
	GOOD(NAME_OPT, "\0\0"),
	GOOD(NAME_OPT, "\1\0a"),
	BAD(NAME_OPT, "\1\0\n"),
	BAD(NAME_OPT, "\1\0\0"), /* a NUL is not nothing */
	GOOD(NAMES, "\0"),
	GOOD(NAMES, "\2\1\0a\1\0b"),
	BAD(NAMES, "\1\0\0"),
	BAD(NAMES, "\2\1\0a"),
	BAD(NAMES, "\x21"),
	GOOD(HOST, "\0\0"),
	GOOD(HOST, "\3\0a.b"),
	BAD(HOST, "\3\0A.b"), /* as it was typed, not as it is kept */
	BAD(HOST, "\2\0a."),
	BAD(HOST, "\3\0a\0b"),
	BAD(HOST, "\3\0a/b"),
	BAD(HOST, "\7\0"
		  "1.2.3.4"),
	GOOD(HARDWARE, "\0\0\0\0\0\0"), /* not known */
	GOOD(HARDWARE, "\2\1\1\1\1\1"),
	BAD(HARDWARE, "\1\0\x5e\0\0\1"), /* a group's */
	BAD(HARDWARE, "\xff\xff\xff\xff\xff\xff"),
	BAD(HARDWARE, "\2\1\1\1\1"),
	GOOD(VIEWERS, "\0"),
	GOOD(VIEWERS, "\1\4\x0a\0\0\1\1\0"),
	GOOD(VIEWERS, "\2\4\x0a\0\0\1\0\0\6"
		      "0123456789abcdef"
		      "\1\0"),
	BAD(VIEWERS, "\1\0"), /* nobody */
	BAD(VIEWERS, "\1\4\x0a\0\0\1\1"),
	BAD(VIEWERS, "\x11\4\x0a\0\0\1\1\0"), /* 17 */
	GOOD(WEB_SECRET, "0123456789abcdef"),
	BAD(WEB_SECRET, "0123456789abcde"),
	BAD(WEB_SECRET, "0123456789abcdef0"),
	GOOD(WEB_SECRETS, "\0"),
	GOOD(WEB_SECRETS, "\2"
			  "0123456789abcdef0123456789abcdef"),
	BAD(WEB_SECRETS, "\2"
			 "0123456789abcdef"),
	BAD(WEB_SECRETS, "\x09"),
	GOOD(TOKEN, "\0\0"),
	GOOD(TOKEN, "\7\0a.b_c-:"),
	BAD(TOKEN, "\x08\0aaaaaaaa"), /* no room for the NUL */
	BAD(TOKEN, "\1\0 "),
	BAD(TOKEN, "\1\0/"),
	BAD(TOKEN, "\2\0\xc3\xa9"),
	BAD(TOKEN, "\2\0a\0"),
	GOOD(TEXT, "\0\0"),
	GOOD(TEXT, "\7\0a\n\xc3\xa9 b!"),
	BAD(TEXT, "\x08\0aaaaaaaa"),
	BAD(TEXT, "\2\0a\r"),
	BAD(TEXT, "\2\0a\x1b"),
	BAD(TEXT, "\2\0\xc2\x9b"), /* C1: a terminal takes it for an escape */
	BAD(TEXT, "\2\0\xc3("),
	BAD(TEXT, "\3\0a\0b"),
};
/* NOLINTEND(misc-misleading-bidirectional) */

static void bad_values_of_every_kind_are_refused(void **state)
{
	uint8_t buf[WIRE_BYTES_MAX], again[WIRE_BYTES_MAX];
	struct every msg;
	uint16_t type;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(payloads); i++) {
		const struct payload *p = &payloads[i];
		size_t n = 4 + (size_t)p->n;
		int err;

		memcpy(buf, (const uint8_t[]){WIRE_VERSION, 0, (uint8_t)p->type, 0}, 4);
		memcpy(buf + 4, p->bytes, p->n);
		err = wire_decode(&every_table, buf, n, &type, &msg, sizeof(msg), NULL);
		if (err != (p->good ? 0 : ERR_PROTOCOL))
			fail_msg("payload %zu (%s): %d", i, every_rows[p->type - 1].name, err);
		if (p->good) { /* one message, one encoding */
			assert_int_equal(wire_encode(&every_table, p->type, &msg, again), n);
			assert_memory_equal(again, buf, n);
		}
	}
}

static void assert_not_encoded(uint16_t type, const struct every *msg)
{
	uint8_t buf[WIRE_BYTES_MAX];

	assert_int_equal(wire_encode(&every_table, type, msg, buf), ERR_PROTOCOL);
}

static void what_would_be_refused_is_not_sent(void **state)
{
	struct every msg = {
		.u8 = 6,
		.u16 = 501,
		.time = -1,
		.err = 1,
		.prefix = {1, 31},
		.prefix6 = {{1}, 0},
		.endpoint = {.family = 7},
		.services = {.count = SERVICES_MAX + 1},
		.names = {.count = 1},
	};

	(void)state;
	memset(&msg.yes, 2, 1);
	memset(msg.name.s, 'a', sizeof(msg.name.s)); /* no NUL */
	memset(msg.token, 'a', sizeof(msg.token));
	memset(msg.text, 'a', sizeof(msg.text));
	for (int type = U8; type <= TEXT; type++)
		if (type != NAME_OPT)
			assert_not_encoded((uint16_t)type, &msg);
	msg.name_opt.s[0] = ' ';
	assert_not_encoded(NAME_OPT, &msg);
	msg.names.count = WIRE_NAMES_MAX + 1;
	assert_not_encoded(NAMES, &msg);
	msg.viewers.count = WEB_VIEWERS_MAX + 1;
	assert_not_encoded(VIEWERS, &msg);
	msg.viewers.count = 1; /* of no family */
	assert_not_encoded(VIEWERS, &msg);
	msg.secrets.count = WEB_OWNERS_MAX + 1;
	assert_not_encoded(WEB_SECRETS, &msg);
}

static void what_does_not_fit_a_datagram_is_not_sent(void **state)
{
	static const struct wire_field many[] = {
		WIRE_FIELD(every, names, WIRE_NAMES), WIRE_FIELD(every, names, WIRE_NAMES),
		WIRE_FIELD(every, names, WIRE_NAMES), WIRE_FIELD(every, names, WIRE_NAMES)};
	static const struct wire_row row[] = {WIRE_ROW(1, every, many)};
	static const struct wire_table table = {row, 1};
	static uint8_t buf[WIRE_BYTES_MAX];
	struct every msg = {0};

	(void)state;
	msg.names.count = WIRE_NAMES_MAX;
	for (int i = 0; i < WIRE_NAMES_MAX; i++)
		memset(msg.names.item[i].s, 'a', NAME_BYTES);
	assert_int_equal(wire_encode(&table, 1, &msg, buf), ERR_PROTOCOL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_values_of_every_kind_are_refused),
		cmocka_unit_test(what_would_be_refused_is_not_sent),
		cmocka_unit_test(what_does_not_fit_a_datagram_is_not_sent),
	};

	return cmocka_run_group_tests_name("wire_kind", tests, NULL, NULL);
}
