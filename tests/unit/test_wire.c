/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The codec, over every message of the three tables: what goes in comes out, and nothing else gets
 * in. Samples are made from the field tables, so a new message is tested as soon as it has a row.
 */
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "common/control.h"
#include "common/inet6.h"
#include "common/privmsg.h"
#include "common/wire.h"

union any {
	union control_any control;
	union privmsg_any priv;
	uint8_t b[1];
};

static const struct wire_table *const tables[] = {&control_table, &privmsg_to_priv,
						  &privmsg_from_priv};

/* Runs `check` for every message of every table. */
static void for_each_row(void (*check)(const struct wire_table *, const struct wire_row *))
{
	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (unsigned i = 0; i < tables[t]->count; i++)
			check(tables[t], &tables[t]->rows[i]);
}

static size_t member_size(const struct wire_field *f)
{
	static const size_t sizes[] = {
		[WIRE_U8] = 1,
		[WIRE_U16] = 2,
		[WIRE_U32] = 4,
		[WIRE_U64] = 8,
		[WIRE_TIME] = 8,
		[WIRE_ERR] = 4,
		[WIRE_BOOL] = sizeof(bool),
		[WIRE_KEY] = sizeof(struct wg_key),
		[WIRE_SECRET] = sizeof(struct wg_secret),
		[WIRE_IP4] = 4,
		[WIRE_PREFIX4] = sizeof(struct prefix4),
		[WIRE_PREFIX6] = sizeof(struct prefix6),
		[WIRE_ENDPOINT] = sizeof(struct endpoint),
		[WIRE_SERVICE] = sizeof(struct service),
		[WIRE_SERVICES] = sizeof(struct services),
		[WIRE_NAME] = sizeof(struct name),
		[WIRE_NAME_OPT] = sizeof(struct name),
		[WIRE_HOST_OPT] = sizeof(struct host),
		[WIRE_HARDWARE] = sizeof(struct hardware),
		[WIRE_VIEWERS] = sizeof(struct wire_viewers),
		[WIRE_WEB_SECRET] = sizeof(struct web_secret),
		[WIRE_WEB_SECRETS] = sizeof(struct wire_web_secrets),
		[WIRE_NAMES] = sizeof(struct wire_names),
	};

	return f->kind == WIRE_TOKEN || f->kind == WIRE_TEXT ? f->max : sizes[f->kind];
}

/* ---- samples: every field at its largest ------------------------------------------------------- */

static void largest_lists(const struct wire_field *f, void *m)
{
	struct wire_names *names = m;
	struct wire_viewers *viewers = m;
	struct services *list = m;

	if (f->kind == WIRE_NAMES) {
		names->count = WIRE_NAMES_MAX;
		for (int i = 0; i < WIRE_NAMES_MAX; i++)
			memset(names->item[i].s, 'a' + i % 26, NAME_BYTES);
	} else if (f->kind == WIRE_VIEWERS) {
		viewers->count = WEB_VIEWERS_MAX;
		for (int i = 0; i < WEB_VIEWERS_MAX; i++)
			viewers->item[i] = (struct endpoint){6, {0xfd, [15] = (uint8_t)i}, 65535};
	} else if (f->kind == WIRE_WEB_SECRETS) {
		memset(m, 0xd7, sizeof(struct wire_web_secrets));
		((struct wire_web_secrets *)m)->count = WEB_OWNERS_MAX;
	} else {
		list->count = SERVICES_MAX;
		for (int i = 0; i < SERVICES_MAX; i++)
			list->item[i] = (struct service){IPPROTO_UDP, (uint16_t)(65000 + 2 * i),
							 (uint16_t)(65001 + 2 * i)};
	}
}

static void largest(const struct wire_field *f, void *m)
{
	uint64_t top = f->max == UINT32_MAX ? UINT64_MAX : f->max;

	switch (f->kind) {
	case WIRE_TIME:
		*(int64_t *)m = WHEN_MAX;
		break;
	case WIRE_ERR:
		*(int32_t *)m = ERR_LAST;
		break;
	case WIRE_BOOL:
		*(bool *)m = true;
		break;
	case WIRE_PREFIX4:
		*(struct prefix4 *)m = (struct prefix4){0xffffffff, 32};
		break;
	case WIRE_PREFIX6:
		((struct prefix6 *)m)->len = 128;
		memset(((struct prefix6 *)m)->addr, 0xfd, IP6_BYTES);
		break;
	case WIRE_ENDPOINT:
		*(struct endpoint *)m = (struct endpoint){.family = 6, .port = 65535};
		memset(((struct endpoint *)m)->addr, 0xee, 16);
		break;
	case WIRE_SERVICE:
		*(struct service *)m = (struct service){IPPROTO_UDP, 1, 65535};
		break;
	case WIRE_SERVICES:
	case WIRE_NAMES:
	case WIRE_VIEWERS:
	case WIRE_WEB_SECRETS:
		largest_lists(f, m);
		break;
	case WIRE_NAME:
	case WIRE_NAME_OPT:
		memset(m, 'n', NAME_BYTES);
		break;
	case WIRE_HOST_OPT:
		memset(m, 'h', HOST_BYTES);
		for (size_t i = HOST_LABEL_BYTES; i < HOST_BYTES; i += HOST_LABEL_BYTES + 1)
			((struct host *)m)->s[i] = '.';
		break;
	case WIRE_HARDWARE:
		memset(m, 0xee, HARDWARE_BYTES);
		break;
	case WIRE_TOKEN:
	case WIRE_TEXT:
		memset(m, f->kind == WIRE_TOKEN ? 't' : '\n', f->max - 1);
		break;
	case WIRE_U8:
	case WIRE_U16:
	case WIRE_U32:
	case WIRE_U64:
		memcpy(m, &top, member_size(f)); /* little-endian, like every machine we test on */
		break;
	case WIRE_KEY:
	case WIRE_SECRET:
	case WIRE_IP4:
	case WIRE_WEB_SECRET:
		memset(m, 0xd7, member_size(f));
		break;
	}
}

/* The other end: as little as each kind allows. */
static void smallest(const struct wire_field *f, void *m)
{
	uint64_t low = f->min;

	if (f->kind <= WIRE_U64)
		memcpy(m, &low, member_size(f));
	else if (f->kind == WIRE_NAME)
		((struct name *)m)->s[0] = 'x';
	else if (f->kind == WIRE_SERVICE)
		*(struct service *)m = (struct service){IPPROTO_TCP, 1, 1};
	else if (f->kind == WIRE_SERVICES && f->min > 0)
		*(struct services *)m = (struct services){1, {{IPPROTO_TCP, 1, 1}}};
}

static void fill(union any *msg, const struct wire_row *row,
		 void (*with)(const struct wire_field *, void *))
{
	memset(msg, 0, sizeof(*msg));
	for (unsigned i = 0; i < row->count; i++)
		with(&row->fields[i], msg->b + row->fields[i].offset);
}

/* ---- the tables themselves --------------------------------------------------------------------- */

static void types_are_unique(void **state)
{
	(void)state;
	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (unsigned i = 0; i < tables[t]->count; i++)
			assert_ptr_equal(wire_row(tables[t], tables[t]->rows[i].type),
					 &tables[t]->rows[i]);
	for (unsigned i = 0; i < privmsg_to_priv.count; i++)
		assert_null(wire_row(&privmsg_from_priv, privmsg_to_priv.rows[i].type));
}

static void check_layout(const struct wire_table *table, const struct wire_row *row)
{
	size_t end = 0;

	(void)table;
	for (unsigned i = 0; i < row->count; i++) {
		const struct wire_field *f = &row->fields[i];

		assert_true(f->offset >= end); /* in order, so they cannot overlap */
		end = f->offset + member_size(f);
		assert_true(end <= row->size);
		assert_true(f->min <= f->max);
	}
	assert_true(row->size <= sizeof(union any));
	assert_true(row->size - end < 8 || row->count == 0); /* no member is forgotten at the end */
}

static void fields_are_in_order_inside_their_struct(void **state)
{
	(void)state;
	for_each_row(check_layout);
}

static void gaps_between_fields_are_padding_only(void **state)
{
	(void)state;
	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (unsigned i = 0; i < tables[t]->count; i++) {
			const struct wire_row *row = &tables[t]->rows[i];

			for (unsigned k = 1; k < row->count; k++) {
				const struct wire_field *f = &row->fields[k - 1];

				assert_true(f[1].offset - (f->offset + member_size(f)) < 8);
			}
		}
}

static void texts_stay_below_the_bound(void **state)
{
	(void)state;
	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (unsigned i = 0; i < tables[t]->count; i++)
			for (unsigned k = 0; k < tables[t]->rows[i].count; k++)
				if (tables[t]->rows[i].fields[k].kind >= WIRE_TOKEN)
					assert_in_range(tables[t]->rows[i].fields[k].max, 2,
							WIRE_TEXT_BYTES);
}

static void printgated_is_never_sent_text(void **state)
{
	(void)state;
	for (unsigned i = 0; i < privmsg_to_priv.count; i++)
		for (unsigned k = 0; k < privmsg_to_priv.rows[i].count; k++)
			assert_true(privmsg_to_priv.rows[i].fields[k].kind < WIRE_SERVICES);
}

/* ---- every message ----------------------------------------------------------------------------- */

static void assert_round_trip(const struct wire_table *table, const struct wire_row *row,
			      const union any *msg)
{
	uint8_t buf[WIRE_BYTES_MAX];
	uint16_t type = 0;
	union any back;
	int n = wire_encode(table, row->type, msg, buf);

	assert_true(n >= 4);
	memset(&back, 0xa5, sizeof(back));
	assert_int_equal(wire_decode(table, buf, (size_t)n, &type, &back, sizeof(back), NULL), 0);
	assert_int_equal(type, row->type);
	assert_memory_equal(&back, msg, sizeof(back)); /* padding and all: it is zeroed */
}

static void check_round_trip(const struct wire_table *table, const struct wire_row *row)
{
	union any msg;

	fill(&msg, row, largest);
	assert_round_trip(table, row, &msg);
	fill(&msg, row, smallest);
	assert_round_trip(table, row, &msg);
}

static void every_message_survives_at_its_largest_and_smallest(void **state)
{
	(void)state;
	for_each_row(check_round_trip);
}

static void check_truncation(const struct wire_table *table, const struct wire_row *row)
{
	uint8_t buf[WIRE_BYTES_MAX];
	union any msg, back, zero;
	uint16_t type = 0;
	int n;

	fill(&msg, row, largest);
	memset(&zero, 0, sizeof(zero));
	n = wire_encode(table, row->type, &msg, buf);
	for (int cut = 0; cut < n; cut++) {
		/* In memory of exactly that size, so that a sanitizer sees a read behind it. */
		uint8_t *exact = malloc(cut > 0 ? (size_t)cut : 1);

		assert_non_null(exact);
		memcpy(exact, buf, (size_t)cut);
		memset(&back, 0, sizeof(back));
		assert_int_equal(
			wire_decode(table, exact, (size_t)cut, &type, &back, sizeof(back), NULL),
			ERR_PROTOCOL);
		assert_memory_equal(&back, &zero, sizeof(back));
		free(exact);
	}
	assert_int_equal(type, 0);
}

static void no_message_may_be_cut_short_anywhere(void **state)
{
	(void)state;
	for_each_row(check_truncation);
}

static void check_extra_byte(const struct wire_table *table, const struct wire_row *row)
{
	uint8_t buf[WIRE_BYTES_MAX + 1] = {0};
	union any msg, back;
	struct diag d;
	uint16_t type;
	int n;

	fill(&msg, row, smallest);
	n = wire_encode(table, row->type, &msg, buf);
	assert_int_equal(wire_decode(table, buf, (size_t)n + 1, &type, &back, sizeof(back), &d),
			 ERR_PROTOCOL);
	assert_non_null(strstr(d.text, row->name));
	assert_non_null(strstr(d.text, "too many"));
}

static void no_message_may_have_a_byte_left_over(void **state)
{
	(void)state;
	for_each_row(check_extra_byte);
}

static void check_room(const struct wire_table *table, const struct wire_row *row)
{
	uint8_t buf[WIRE_BYTES_MAX];
	union any msg;
	uint16_t type;
	int n;

	if (row->size == 0)
		return;
	fill(&msg, row, smallest);
	n = wire_encode(table, row->type, &msg, buf);
	assert_int_equal(wire_decode(table, buf, (size_t)n, &type, &msg, row->size - 1, NULL),
			 ERR_PROTOCOL);
	assert_int_equal(wire_decode(table, buf, (size_t)n, &type, &msg, row->size, NULL), 0);
}

static void a_struct_without_room_is_not_written(void **state)
{
	(void)state;
	for_each_row(check_room);
}

/* ---- the header -------------------------------------------------------------------------------- */

static void another_version_is_told_apart(void **state)
{
	static const uint8_t future[] = {2, 0, CTL_STATUS, 0};
	union any back;
	struct diag d;
	uint16_t type;

	(void)state;
	assert_int_equal(
		wire_decode(&control_table, future, sizeof(future), &type, &back, sizeof(back), &d),
		ERR_PROTOCOL);
	assert_non_null(strstr(d.text, "version 2"));
}

static void an_unknown_type_is_refused_both_ways(void **state)
{
	static const uint8_t unknown[] = {1, 0, 0xe7, 0x03};
	uint8_t buf[WIRE_BYTES_MAX];
	union any back;
	struct diag d;
	uint16_t type;

	(void)state;
	assert_int_equal(wire_decode(&control_table, unknown, sizeof(unknown), &type, &back,
				     sizeof(back), &d),
			 ERR_PROTOCOL);
	assert_non_null(strstr(d.text, "999"));
	assert_int_equal(wire_encode(&control_table, 999, NULL, buf), ERR_PROTOCOL);
}

static void a_message_without_its_struct_is_not_sent(void **state)
{
	uint8_t buf[WIRE_BYTES_MAX];

	(void)state;
	assert_int_equal(wire_encode(&control_table, CTL_QR, NULL, buf), ERR_PROTOCOL);
	assert_int_equal(wire_encode(&control_table, CTL_END, NULL, buf), 4);
}

/* ---- golden bytes: what another program would have to send ------------------------------------- */

static void assert_bytes(const struct wire_table *table, uint16_t type, const void *msg,
			 const uint8_t *want, size_t n)
{
	uint8_t buf[WIRE_BYTES_MAX];

	assert_int_equal(wire_encode(table, type, msg, buf), n);
	assert_memory_equal(buf, want, n);
}

static void golden_peer_show(void **state)
{
	static const uint8_t want[] = {1, 0, 3, 0, 6, 0, 'v', 'o', 'r', 0xc3, 0xb6, 'n'};
	struct control_named named = {{"vor\xc3\xb6n"}};

	(void)state;
	assert_bytes(&control_table, CTL_PEER_SHOW, &named, want, sizeof(want));
}

static void golden_printer_add(void **state)
{
	static const uint8_t want[] = {
		1, 0,  5,   0,					     /* header */
		1, 0,  'v',					     /* name */
		1,						     /* a subnet */
		0, 50, 168, 192, 24,				     /* 192.168.50.0/24 */
		3, 0,  'w', 'e', 'b',				     /* preset */
		2, 6,  80,  0,	 80,  0, 17, 0xb8, 0x0b, 0xc2, 0x0b, /* tcp/80,udp/3000-3010 */
		0, 0,						     /* no host */
	};
	struct control_printer_add add = {
		.name = {"v"},
		.kind = PRINTER_SUBNET,
		.address = {0xc0a83200, 24},
		.preset = "web",
		.services = {2, {{IPPROTO_TCP, 80, 80}, {IPPROTO_UDP, 3000, 3010}}},
	};

	(void)state;
	assert_bytes(&control_table, CTL_PRINTER_ADD, &add, want, sizeof(want));
}

static void golden_grant_put(void **state)
{
	static const uint8_t want[] = {1,  0,  6,  0,  5,    20,   77, 10, 2,
				       16, 77, 10, 32, 0x20, 0x1c, 0,  0};
	struct privmsg_grant grant = {.peer = 0x0a4d1405, .vpn = {0x0a4d1002, 32}, .seconds = 7200};

	(void)state;
	assert_bytes(&privmsg_to_priv, PRIV_GRANT_PUT, &grant, want, sizeof(want));
}

/* ---- the fuzz driver's corpus: each message at its largest -------------------------------------- */

#define CORPUS "tests/fuzz/corpus/wire" /* tests are run in the project's folder */

/* The message's file there, open; its name is that of the message in lower case. */
static FILE *seed_open(const struct wire_row *row, const char *mode)
{
	char path[256];
	FILE *f;

	(void)snprintf(path, sizeof(path), CORPUS "/%s", row->name);
	for (char *c = path + sizeof(CORPUS); *c; c++)
		*c = (char)tolower((unsigned char)*c);
	f = fopen(path, mode);
	if (!f)
		fail_msg("%s: %s; 'make fuzz-seeds' makes it", path, strerror(errno));
	return f;
}

static void check_seed(const struct wire_table *table, const struct wire_row *row)
{
	uint8_t buf[WIRE_BYTES_MAX];
	FILE *f = seed_open(row, "rb");
	size_t n = fread(buf, 1, sizeof(buf), f);
	struct diag d = {0};
	uint16_t type = 0;
	union any msg;

	(void)fclose(f);
	if (wire_decode(table, buf, n, &type, &msg, sizeof(msg), &d) || type != row->type)
		fail_msg("the seed of %s is stale (%s): 'make fuzz-seeds'", row->name, d.text);
}

static void the_fuzz_driver_begins_with_every_message(void **state)
{
	(void)state;
	for_each_row(check_seed);
}

static void write_seed(const struct wire_table *table, const struct wire_row *row)
{
	uint8_t buf[WIRE_BYTES_MAX];
	FILE *f = seed_open(row, "wb");
	union any msg;
	int n;

	fill(&msg, row, largest);
	n = wire_encode(table, row->type, &msg, buf);
	assert_true(n > 0);
	assert_int_equal(fwrite(buf, 1, (size_t)n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void write_seeds(void **state)
{
	(void)state;
	for_each_row(write_seed);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_are_unique),
		cmocka_unit_test(fields_are_in_order_inside_their_struct),
		cmocka_unit_test(gaps_between_fields_are_padding_only),
		cmocka_unit_test(texts_stay_below_the_bound),
		cmocka_unit_test(printgated_is_never_sent_text),
		cmocka_unit_test(every_message_survives_at_its_largest_and_smallest),
		cmocka_unit_test(no_message_may_be_cut_short_anywhere),
		cmocka_unit_test(no_message_may_have_a_byte_left_over),
		cmocka_unit_test(a_struct_without_room_is_not_written),
		cmocka_unit_test(another_version_is_told_apart),
		cmocka_unit_test(an_unknown_type_is_refused_both_ways),
		cmocka_unit_test(a_message_without_its_struct_is_not_sent),
		cmocka_unit_test(golden_peer_show),
		cmocka_unit_test(golden_printer_add),
		cmocka_unit_test(golden_grant_put),
		cmocka_unit_test(the_fuzz_driver_begins_with_every_message),
	};
	const struct CMUnitTest seeds[] = {cmocka_unit_test(write_seeds)};

	if (argc == 2 && strcmp(argv[1], "--write-seeds") == 0)
		return cmocka_run_group_tests_name("seeds", seeds, NULL, NULL);
	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
