/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The service manager's side of daemon/priv/notify.c: what it is told, and how often.
 */
#include "daemon/priv/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char where[] = "@printgate-test-notify";

/* A manager's socket in the abstract name space. */
static int manager(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	memcpy(sa.sun_path + 1, where + 1, sizeof(where) - 2);
	assert_int_equal(
		bind(fd, (struct sockaddr *)&sa,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof(where) - 1)),
		0);
	return fd;
}

static void open_with(struct notify *n, const char *usec, const char *pid)
{
	struct diag d;

	assert_int_equal(setenv("NOTIFY_SOCKET", where, 1), 0);
	if (usec)
		assert_int_equal(setenv("WATCHDOG_USEC", usec, 1), 0);
	if (pid)
		assert_int_equal(setenv("WATCHDOG_PID", pid, 1), 0);
	assert_int_equal(notify_open(n, -1, &d), 0);
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_null(getenv("WATCHDOG_USEC"));
	assert_null(getenv("WATCHDOG_PID"));
}

static void assert_told(int fd, const char *what)
{
	char text[64] = "";
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	if (what)
		assert_string_equal(text, what);
	else
		assert_int_equal(n, -1);
}

static void test_the_watchdog_is_fed_three_times_in_its_time(void **state)
{
	int fd = manager();
	struct notify n;
	char pid[16];

	(void)state;
	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	open_with(&n, "30000000", pid);
	assert_int_equal(notify_feed(&n, 5000), 10000);
	assert_told(fd, "WATCHDOG=1");
	assert_int_equal(notify_feed(&n, 5001), 9999);
	assert_told(fd, NULL);
	assert_int_equal(notify_feed(&n, 15000), 10000);
	assert_told(fd, "WATCHDOG=1");
	/* A loop that was kept busy feeds late, then as before. */
	assert_int_equal(notify_feed(&n, 31000), 10000);
	assert_told(fd, "WATCHDOG=1");
	assert_told(fd, NULL);
	(void)close(n.manager);
	(void)close(fd);
}

static void assert_never(const char *usec, const char *pid)
{
	int fd = manager();
	struct notify n;

	open_with(&n, usec, pid);
	assert_int_equal(notify_feed(&n, 5000), -1);
	assert_told(fd, NULL);
	(void)close(n.manager);
	(void)close(fd);
}

static void test_without_a_watchdog_nobody_is_woken(void **state)
{
	(void)state;
	assert_never(NULL, NULL);
	assert_never("0", NULL);
	assert_never("-1", NULL);
	assert_never("soon", NULL);
	assert_never("99999999999999999999999", NULL);
	assert_never("30000000", "1"); /* meant for our parent */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_watchdog_is_fed_three_times_in_its_time),
		cmocka_unit_test(test_without_a_watchdog_nobody_is_woken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
