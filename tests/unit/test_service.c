/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Services are read strictly and kept in one form: sorted, never overlapping.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "common/service.h"

/* The list as text, in its order. */
static const char *text_of(const struct services *list)
{
	static char text[SERVICES_MAX * (SERVICE_TEXT_BYTES + 1)];
	char one[SERVICE_TEXT_BYTES];
	size_t n = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < list->count; i++) {
		service_format(one, list->item[i]);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i ? "," : "", one);
	}
	return text;
}

static void assert_parsed(const char *text, const char *kept)
{
	struct services list = {0};

	assert_int_equal(services_parse(&list, text, NULL), 0);
	assert_true(services_valid(&list));
	assert_string_equal(text_of(&list), kept);
}

static void lists_are_sorted_by_protocol_and_port(void **state)
{
	(void)state;
	assert_parsed("tcp/80", "tcp/80");
	assert_parsed("udp/3000,tcp/443,tcp/80", "tcp/80,tcp/443,udp/3000");
	assert_parsed("tcp/50000-50100", "tcp/50000-50100");
	assert_parsed("tcp/65535,tcp/1", "tcp/1,tcp/65535");
	assert_parsed("tcp/80-80", "tcp/80");
}

static void what_overlaps_is_merged_and_what_adjoins_is_not(void **state)
{
	(void)state;
	assert_parsed("tcp/80,tcp/80", "tcp/80");
	assert_parsed("tcp/80,tcp/81", "tcp/80,tcp/81");
	assert_parsed("tcp/80-90,tcp/85-95", "tcp/80-95");
	assert_parsed("tcp/80,tcp/90,tcp/100,tcp/70-95", "tcp/70-95,tcp/100");
	assert_parsed("tcp/1,tcp/9,tcp/1-9,udp/1", "tcp/1-9,udp/1");
	assert_parsed("tcp/80,udp/80", "tcp/80,udp/80");
	assert_parsed("tcp/10-20,tcp/12", "tcp/10-20");
}

static void bad_services_are_refused_by_name_and_change_nothing(void **state)
{
	static const struct {
		const char *text, *part;
	} bad[] = {
		{"", "\"\""},
		{"80", "\"80\""},
		{"tcp", "\"tcp\""},
		{"tcp/", "\"tcp/\""},
		{"tcp/0", "\"tcp/0\""},
		{"tcp/65536", "\"tcp/65536\""},
		{"tcp/080", "\"tcp/080\""},
		{"tcp/80-", "\"tcp/80-\""},
		{"tcp/90-80", "\"tcp/90-80\""},
		{"tcp/-80", "\"tcp/-80\""},
		{"tcp/80-90-100", "\"tcp/80-90-100\""},
		{"TCP/80", "\"TCP/80\""},
		{"sctp/80", "\"sctp/80\""},
		{"tcp/80,", "\"\""},
		{",tcp/80", "\"\""},
		{"tcp/80, tcp/81", "\" tcp/81\""},
		{"tcp/81,tcp/x,tcp/82", "\"tcp/x\""},
		{"tcp/80 ", "\"tcp/80 \""},
		{"tcp/+80", "\"tcp/+80\""},
		{"tcp/99999999999999999999", "\"tcp/99999999999999999999\""},
		{"tcp:80", "\"tcp:80\""},
	};
	struct services list = {0};
	struct diag d;

	(void)state;
	assert_int_equal(services_parse(&list, "udp/9", NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(services_parse(&list, bad[i].text, &d), ERR_BAD_SERVICE);
		assert_non_null(strstr(d.text, bad[i].part));
		assert_string_equal(text_of(&list), "udp/9");
	}
}

static void a_printer_has_at_most_32_services(void **state)
{
	struct service s = {IPPROTO_TCP, 0, 0};
	struct services list = {0};
	struct diag d;

	(void)state;
	for (unsigned i = 1; i <= SERVICES_MAX; i++) {
		s.first = s.last = (uint16_t)(2 * i);
		assert_int_equal(services_add(&list, s, &d), 0);
	}
	s.first = s.last = 1;
	assert_int_equal(services_add(&list, s, &d), ERR_LIMIT);
	assert_int_equal(list.count, SERVICES_MAX);
	assert_int_equal(list.item[0].first, 2);
	s.last = 5; /* takes two in: then there is room */
	assert_int_equal(services_add(&list, s, &d), 0);
	assert_int_equal(list.count, SERVICES_MAX - 1);
	assert_true(services_valid(&list));
}

static void add_refuses_what_is_no_service(void **state)
{
	static const struct service bad[] = {
		{IPPROTO_TCP, 0, 5}, {IPPROTO_TCP, 5, 4}, {IPPROTO_SCTP, 5, 5}, {0, 1, 1}};
	struct services list = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(services_add(&list, bad[i], NULL), ERR_BAD_SERVICE);
	assert_int_equal(list.count, 0);
}

static void valid_insists_on_order_and_distance(void **state)
{
	struct services list = {2, {{IPPROTO_TCP, 80, 80}, {IPPROTO_TCP, 81, 90}}};

	(void)state;
	assert_true(services_valid(&list));
	list.item[1].first = 80;
	assert_false(services_valid(&list));
	list.item[1] = (struct service){IPPROTO_UDP, 1, 1};
	assert_true(services_valid(&list));
	list.item[0].protocol = IPPROTO_UDP;
	assert_false(services_valid(&list));
	list.count = 0;
	assert_true(services_valid(&list));
	list.count = SERVICES_MAX + 1;
	assert_false(services_valid(&list));
}

static void the_longest_service_fits_its_text(void **state)
{
	char text[SERVICE_TEXT_BYTES];

	(void)state;
	service_format(text, (struct service){IPPROTO_UDP, 10000, 65535});
	assert_string_equal(text, "udp/10000-65535");
	assert_string_equal(protocol_name(IPPROTO_TCP), "tcp");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_sorted_by_protocol_and_port),
		cmocka_unit_test(what_overlaps_is_merged_and_what_adjoins_is_not),
		cmocka_unit_test(bad_services_are_refused_by_name_and_change_nothing),
		cmocka_unit_test(a_printer_has_at_most_32_services),
		cmocka_unit_test(add_refuses_what_is_no_service),
		cmocka_unit_test(valid_insists_on_order_and_distance),
		cmocka_unit_test(the_longest_service_fits_its_text),
	};

	return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
