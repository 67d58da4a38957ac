/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the sealed process that reads a provisioning file leaves is not trusted either.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/provision.h"

static struct provision_file file;

static void test_counts_beyond_their_arrays_are_refused(void **state)
{
	struct diag d = {0};

	(void)state;
	file.printers = PROVISION_ITEMS_MAX;
	file.peers = PROVISION_ITEMS_MAX;
	assert_int_equal(provision_settle(&file, &d), 0);
	file.peers++;
	assert_int_equal(provision_settle(&file, &d), ERR_SYSTEM);
	file.peers = 0;
	file.printers = UINT32_MAX;
	assert_int_equal(provision_settle(&file, &d), ERR_SYSTEM);
}

static void test_texts_have_an_end(void **state)
{
	struct diag d = {0};

	(void)state;
	file.printers = file.peers = PROVISION_ITEMS_MAX;
	memset(file.conf, 'x', sizeof(file.conf));
	for (unsigned i = 0; i < PROVISION_ITEMS_MAX; i++) {
		memset(&file.printer[i].msg.name, 'x', sizeof(file.printer[i].msg.name));
		memset(&file.peer[i].msg.enroll.name, 'x', sizeof(file.peer[i].msg.enroll.name));
	}
	assert_int_equal(provision_settle(&file, &d), 0);
	assert_int_equal(strnlen(file.conf, sizeof(file.conf)), sizeof(file.conf) - 1);
	for (unsigned i = 0; i < PROVISION_ITEMS_MAX; i++) {
		assert_int_equal(strnlen(file.printer[i].msg.name.s, NAME_BYTES + 1), NAME_BYTES);
		assert_int_equal(strnlen(file.peer[i].msg.enroll.name.s, NAME_BYTES + 1),
				 NAME_BYTES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_beyond_their_arrays_are_refused),
		cmocka_unit_test(test_texts_have_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
