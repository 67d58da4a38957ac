/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What core says is not trusted by the command line, which is root's: an answer that is longer than any
 * gateway's is taken as far as there is room for it.
 */
#include <setjmp.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "cli/cli.h"
#include "cli/provision_apply.h"

static struct provision_file file;
static struct provision_result result;
static struct chan core;
static struct cli cli;

static int begin(void **state)
{
	int pair[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -1;
	chan_open(&core, pair[0], &control_table, &control_table);
	chan_open(&cli.core, pair[1], &control_table, &control_table);
	return 0;
}

static int end(void **state)
{
	(void)state;
	(void)close(core.fd);
	(void)close(cli.core.fd);
	chan_close(&core);
	chan_close(&cli.core);
	provision_result_free(&result);
	return 0;
}

static void say(uint16_t type, const void *msg)
{
	struct diag d = {0};

	if (chan_send(&core, type, msg, &d))
		fail_msg("%s", d.text);
}

static void a_name_said_again_and_again_is_one(void **state)
{
	struct control_printer printer = {.name = {"alpha"},
					  .services = {1, {{IPPROTO_TCP, 80, 80}}}};
	struct control_peer peer = {.name = {"anna"}};
	struct diag d = {0};

	(void)state;
	file.printers = file.peers = 2;
	file.printer[0].msg.name = printer.name;
	file.printer[1].msg.name = (struct name){"beta"};
	file.peer[0].msg.enroll.name = peer.name;
	file.peer[1].msg.enroll.name = (struct name){"bert"};
	for (unsigned i = 0; i < PROVISION_ITEMS_MAX + 2; i++)
		say(CTL_PRINTER, &printer);
	say(CTL_END, NULL);
	for (unsigned i = 0; i < PROVISION_ITEMS_MAX + 2; i++)
		say(CTL_PEER, &peer);
	say(CTL_END, NULL);
	assert_int_equal(provision_recall(&cli, &file, &result, &d), 0);
	assert_int_equal(result.printers.count, 1);
	assert_int_equal(result.peers, 1);
	assert_string_equal(result.peer[0].s, "anna");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_said_again_and_again_is_one),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
