/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each preset equals its golden file, and --port adds to it as documented. Run from the top folder.
 * PRINTGATE_GOLDEN=write writes the files anew.
 */
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
#include "common/preset.h"

#define GOLDEN_BYTES 2048

static void render(char out[GOLDEN_BYTES], const struct preset *p)
{
	char one[SERVICE_TEXT_BYTES];
	struct services list;
	size_t n;

	assert_int_equal(preset_services(&list, p, NULL, NULL), 0);
	n = (size_t)snprintf(out, GOLDEN_BYTES,
			     "name: %s\ntitle: %s\nevidence: %s\nsource: %s\nports:\n", p->name,
			     p->title, p->evidence == PRESET_SOURCE ? "source" : "observation",
			     p->source);
	for (unsigned i = 0; i < list.count; i++) {
		service_format(one, list.item[i]);
		n += (size_t)snprintf(out + n, GOLDEN_BYTES - n, "  %s\n", one);
	}
	if (p->movable)
		n += (size_t)snprintf(out + n, GOLDEN_BYTES - n, "movable: %s\n", p->movable);
	assert_true(n < GOLDEN_BYTES);
}

static void each_preset_equals_its_golden_file(void **state)
{
	char path[64], want[GOLDEN_BYTES], got[GOLDEN_BYTES];
	const char *mode = getenv("PRINTGATE_GOLDEN");
	int write = mode && strcmp(mode, "write") == 0;

	(void)state;
	for (unsigned i = 0; i < presets_count; i++) {
		auto_fclose FILE *f = NULL;

		render(got, &presets[i]);
		(void)snprintf(path, sizeof(path), "tests/golden/preset_%s.txt", presets[i].name);
		f = fopen(path, write ? "w" : "r");
		assert_non_null(f);
		if (write) {
			assert_true(fputs(got, f) >= 0);
			continue;
		}
		want[fread(want, 1, sizeof(want) - 1, f)] = '\0';
		assert_string_equal(got, want);
	}
}

static void names_are_words_and_unique(void **state)
{
	(void)state;
	for (unsigned i = 0; i < presets_count; i++) {
		size_t n = strlen(presets[i].name);

		assert_in_range(n, 1, PRESET_NAME_BYTES - 1);
		assert_int_equal(strspn(presets[i].name, "abcdefghijklmnopqrstuvwxyz0123456789"),
				 n);
		assert_ptr_equal(preset_find(presets[i].name), &presets[i]);
		assert_true(strlen(presets[i].source) > 0);
	}
	assert_null(preset_find("nonesuch"));
	assert_null(preset_find(""));
}

static bool has(const struct services *list, uint8_t protocol, uint16_t first, uint16_t last)
{
	for (unsigned i = 0; i < list->count; i++)
		if (list->item[i].protocol == protocol && list->item[i].first == first &&
		    list->item[i].last == last)
			return true;
	return false;
}

static void ports_are_added_to_the_preset(void **state)
{
	const struct preset *p = preset_find("octoprint");
	struct services list;

	(void)state;
	assert_int_equal(preset_services(&list, p, "tcp/8080", NULL), 0);
	assert_int_equal(list.count, 4);
	assert_true(has(&list, IPPROTO_TCP, 80, 80));
	assert_true(has(&list, IPPROTO_TCP, 8080, 8080));
	assert_int_equal(preset_services(&list, NULL, "udp/9,tcp/8080", NULL), 0);
	assert_int_equal(list.count, 2);
}

static void a_typed_range_takes_the_place_of_the_movable_one(void **state)
{
	const struct preset *p = preset_find("bambu");
	struct services list;

	(void)state;
	assert_int_equal(preset_services(&list, p, NULL, NULL), 0);
	assert_true(has(&list, IPPROTO_TCP, 50000, 50100));
	assert_int_equal(preset_services(&list, p, "tcp/2000-2100", NULL), 0);
	assert_true(has(&list, IPPROTO_TCP, 2000, 2100));
	assert_false(has(&list, IPPROTO_TCP, 50000, 50100));
	assert_int_equal(preset_services(&list, p, "tcp/80", NULL), 0); /* no range: it stays */
	assert_true(has(&list, IPPROTO_TCP, 50000, 50100));
	assert_int_equal(preset_services(&list, p, "udp/2000-2100", NULL), 0);
	assert_true(has(&list, IPPROTO_TCP, 50000, 50100));
}

static void nothing_at_all_and_bad_ports_are_refused(void **state)
{
	struct services list = {.count = 3};
	struct diag d;

	(void)state;
	assert_int_equal(preset_services(&list, NULL, NULL, &d), ERR_BAD_SERVICE);
	assert_non_null(strstr(d.text, "--port"));
	assert_int_equal(preset_services(&list, NULL, "", &d), ERR_BAD_SERVICE);
	assert_int_equal(preset_services(&list, preset_find("web"), "tcp/x", &d), ERR_BAD_SERVICE);
	assert_int_equal(list.count, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_preset_equals_its_golden_file),
		cmocka_unit_test(names_are_words_and_unique),
		cmocka_unit_test(ports_are_added_to_the_preset),
		cmocka_unit_test(a_typed_range_takes_the_place_of_the_movable_one),
		cmocka_unit_test(nothing_at_all_and_bad_ports_are_refused),
	};

	return cmocka_run_group_tests_name("preset", tests, NULL, NULL);
}
