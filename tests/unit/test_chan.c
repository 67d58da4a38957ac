/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocking exchange on real sockets: whole messages or a clear error, and never a wait without end.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/chan.h"
#include "common/cleanup.h"
#include "common/control.h"

/* Both ends of a line. */
static struct chan a, b;

static void pair(int fd[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd), 0);
	chan_open(&a, fd[0], &control_table, &control_table);
	chan_open(&b, fd[1], &control_table, &control_table);
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000L + t.tv_nsec / 1000000;
}

static void messages_arrive_whole_and_in_order(void **state)
{
	struct control_counts counts = {.peers = 1, .online = 2, .printers = 3};
	union control_any any;
	uint16_t type = 0;
	int fd[2];

	(void)state;
	pair(fd);
	assert_int_equal(chan_send(&a, CTL_COUNTS, &counts, NULL), 0);
	assert_int_equal(chan_send(&a, CTL_END, NULL, NULL), 0);
	assert_int_equal(chan_recv(&b, &type, &any, sizeof(any), 1000, NULL), 0);
	assert_int_equal(type, CTL_COUNTS);
	assert_memory_equal(&any.counts, &counts, sizeof(counts));
	assert_int_equal(chan_recv(&b, &type, &any, sizeof(any), -1, NULL), 0);
	assert_int_equal(type, CTL_END);
	(void)close(fd[0]);
	(void)close(fd[1]);
}

static void a_closed_other_side_is_unreachable(void **state)
{
	union control_any any;
	struct diag d;
	uint16_t type;
	int fd[2];

	(void)state;
	pair(fd);
	(void)close(fd[0]);
	assert_int_equal(chan_recv(&b, &type, &any, sizeof(any), -1, &d), ERR_UNREACHABLE);
	assert_int_equal(chan_send(&b, CTL_END, NULL, &d), ERR_UNREACHABLE);
	(void)close(fd[1]);
}

static void what_was_sent_before_closing_still_arrives(void **state)
{
	union control_any any;
	uint16_t type;
	int fd[2];

	(void)state;
	pair(fd);
	assert_int_equal(chan_send(&a, CTL_END, NULL, NULL), 0);
	(void)close(fd[0]);
	assert_int_equal(chan_recv(&b, &type, &any, sizeof(any), -1, NULL), 0);
	assert_int_equal(type, CTL_END);
	(void)close(fd[1]);
}

static void silence_ends_at_the_time_out(void **state)
{
	union control_any any;
	int64_t start = now_ms();
	struct diag d;
	uint16_t type;
	int fd[2];

	(void)state;
	pair(fd);
	assert_int_equal(chan_recv(&b, &type, &any, sizeof(any), 50, &d), ERR_UNREACHABLE);
	assert_true(now_ms() - start >= 49);
	assert_non_null(strstr(d.text, "50 ms"));
	(void)close(fd[0]);
	(void)close(fd[1]);
}

static volatile sig_atomic_t ticks;

static void tick(int sig)
{
	(void)sig;
	ticks++;
}

static void signals_neither_end_nor_prolong_the_wait(void **state)
{
	const struct itimerval every = {{0, 5000}, {0, 5000}}, off = {{0, 0}, {0, 0}};
	struct sigaction old, act = {.sa_handler = tick};
	union control_any any;
	int64_t start, took;
	uint16_t type;
	int fd[2], err;

	(void)state;
	pair(fd);
	assert_int_equal(sigaction(SIGALRM, &act, &old), 0);
	start = now_ms();
	assert_int_equal(setitimer(ITIMER_REAL, &every, NULL), 0);
	err = chan_recv(&b, &type, &any, sizeof(any), 100, NULL);
	assert_int_equal(setitimer(ITIMER_REAL, &off, NULL), 0);
	took = now_ms() - start;
	(void)sigaction(SIGALRM, &old, NULL);
	assert_int_equal(err, ERR_UNREACHABLE);
	assert_true(ticks > 0); /* a busy machine delivers few */
	assert_in_range(took, 99, 5000);
	(void)close(fd[0]);
	(void)close(fd[1]);
}

static void too_long_datagrams_are_protocol_errors(void **state)
{
	uint8_t junk[CHAN_BYTES_MAX + 1] = {0};
	union control_any any;
	struct diag d;
	uint16_t type;
	int fd[2];

	(void)state;
	pair(fd);
	assert_int_equal(send(fd[0], junk, sizeof(junk), 0), sizeof(junk));
	assert_int_equal(chan_recv(&b, &type, &any, sizeof(any), 1000, &d), ERR_PROTOCOL);
	assert_non_null(strstr(d.text, "too long"));
	(void)close(fd[0]);
	(void)close(fd[1]);
}

/* What is read of a bad datagram ends where it is bad; the next one is read from its beginning. */
static void datagrams_of_anything_but_records_are_protocol_errors(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		int good; /* messages before the bad one */
	} bad[] = {
		{"ZZZZZZZ", 7, 0},
		{"\x04", 1, 0},
		{"\x05\0\x01\0\x81\0", 6, 0}, /* longer than the datagram */
		{"\0\0", 2, 0},		      /* nothing is not a message */
		{"\x04\0\x01\0\x81\0\x04", 7, 1},
		{"\x04\0\x01\0\x81\0\x04\0\x01\0\x81\0\x03\0\x01\0\x81", 17, 2},
	};
	union control_any any;
	struct diag d;
	uint16_t type;
	int fd[2];

	(void)state;
	pair(fd);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(send(fd[0], bad[i].bytes, bad[i].n, 0), bad[i].n);
		for (int k = 0; k < bad[i].good; k++)
			assert_int_equal(chan_recv(&b, &type, &any, sizeof(any), 0, &d), 0);
		assert_int_equal(chan_recv(&b, &type, &any, sizeof(any), 0, &d), ERR_PROTOCOL);
		assert_false(chan_pending(&b));
	}
	assert_int_equal(chan_send(&a, CTL_END, NULL, &d), 0);
	assert_int_equal(chan_recv(&b, &type, &any, sizeof(any), 0, &d), 0);
	(void)close(fd[0]);
	(void)close(fd[1]);
}

/* Ten thousand messages of a list are a hundred datagrams or so. */
static void many_messages_travel_together(void **state)
{
	enum { MANY = 10000 };
	struct control_counts counts = {0};
	union control_any any;
	unsigned got = 0, datagrams = 0;
	uint16_t type;
	int fd[2];

	(void)state;
	pair(fd);
	for (counts.peers = 0; counts.peers < MANY; counts.peers++) {
		while (chan_try_put(&a, CTL_COUNTS, &counts, NULL) == 1)
			while (chan_try_recv(&b, &type, &any, sizeof(any), NULL) == 0) {
				assert_int_equal(any.counts.peers, got++);
				datagrams += !chan_pending(&b);
			}
	}
	assert_int_equal(chan_flush(&a, NULL), 0);
	while (chan_try_recv(&b, &type, &any, sizeof(any), NULL) == 0) {
		assert_int_equal(any.counts.peers, got++);
		datagrams += !chan_pending(&b);
	}
	assert_int_equal(got, MANY);
	assert_in_range(datagrams, 2, MANY / 100);
	(void)close(fd[0]);
	(void)close(fd[1]);
}

/* What does not fit now is not lost, and not doubled. */
static void a_full_socket_keeps_what_was_put(void **state)
{
	struct control_counts counts = {0};
	unsigned sent = 0, got = 0;
	union control_any any;
	uint16_t type;
	int fd[2];

	(void)state;
	pair(fd);
	while (chan_try_put(&a, CTL_COUNTS, &counts, NULL) == 0)
		counts.peers = ++sent;
	assert_int_equal(chan_try_flush(&a, NULL), 1);
	while (got < sent) {
		assert_int_equal(chan_recv(&b, &type, &any, sizeof(any), 0, NULL), 0);
		assert_int_equal(any.counts.peers, got++);
		assert_true(chan_try_flush(&a, NULL) >= 0);
	}
	assert_int_equal(chan_try_recv(&b, &type, &any, sizeof(any), NULL), 1);
	(void)close(fd[0]);
	(void)close(fd[1]);
}

static void a_message_out_of_range_is_not_sent(void **state)
{
	struct control_named named = {{"bad\nname"}};
	struct diag d;
	char byte;
	int fd[2];

	(void)state;
	pair(fd);
	assert_int_equal(chan_send(&a, CTL_QR, &named, &d), ERR_PROTOCOL);
	assert_int_equal(recv(fd[1], &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	(void)close(fd[0]);
	(void)close(fd[1]);
}

static void connect_names_the_path_when_nobody_answers(void **state)
{
	char path[200];
	struct diag d;

	(void)state;
	assert_int_equal(chan_connect("/nonexistent/control.sock", &d), ERR_UNREACHABLE);
	assert_non_null(strstr(d.text, "/nonexistent/control.sock"));
	assert_int_equal(chan_connect("", &d), ERR_UNREACHABLE);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(chan_connect(path, &d), ERR_UNREACHABLE);
}

static void connect_tells_missing_permission_apart(void **state)
{
	char dir[] = "/tmp/test_chan.XXXXXX";
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	auto_close int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	auto_close int good = -1;
	int refused;
	struct diag d;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chmod(dir, 0755), 0);
	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/s", dir);
	assert_int_equal(bind(listener, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(listener, 4), 0);
	good = chan_connect(addr.sun_path, &d);
	assert_true(good >= 0);
	assert_int_equal(chmod(addr.sun_path, 0), 0);
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0);
	refused = chan_connect(addr.sun_path, &d);
	assert_int_equal(seteuid(getuid()), 0);
	(void)unlink(addr.sun_path);
	(void)rmdir(dir);
	assert_int_equal(refused, ERR_NOT_PERMITTED);
	assert_non_null(strstr(d.text, addr.sun_path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_arrive_whole_and_in_order),
		cmocka_unit_test(a_closed_other_side_is_unreachable),
		cmocka_unit_test(what_was_sent_before_closing_still_arrives),
		cmocka_unit_test(silence_ends_at_the_time_out),
		cmocka_unit_test(signals_neither_end_nor_prolong_the_wait),
		cmocka_unit_test(too_long_datagrams_are_protocol_errors),
		cmocka_unit_test(datagrams_of_anything_but_records_are_protocol_errors),
		cmocka_unit_test(many_messages_travel_together),
		cmocka_unit_test(a_full_socket_keeps_what_was_put),
		cmocka_unit_test(a_message_out_of_range_is_not_sent),
		cmocka_unit_test(connect_names_the_path_when_nobody_answers),
		cmocka_unit_test(connect_tells_missing_permission_apart),
	};

	return cmocka_run_group_tests_name("chan", tests, NULL, NULL);
}
