/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who keeps the clock right, as a service says: only one answer is "yes", and none is waited for long.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "common/synchronised.h"

#define PATIENCE 200 /* ms */

static char folder[] = "/tmp/printgate-unit-XXXXXX", path[64];
static int server = -1;

static int begin(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/socket", folder);
	memcpy(at.sun_path, path, strlen(path));
	server = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	return server < 0 || bind(server, (const struct sockaddr *)&at, sizeof(at)) ||
	       listen(server, 1);
}

static int end(void **state)
{
	(void)state;
	return close(server) || unlink(path) || rmdir(folder);
}

/* A service that says this once: NULL is nothing at all, "" the end without a word. */
static pid_t serve(const char *answer)
{
	const pid_t pid = fork();
	int fd;

	if (pid != 0)
		return pid;
	fd = accept(server, NULL, NULL);
	if (!answer)
		(void)pause();
	else if (fd >= 0 && *answer)
		(void)!send(fd, answer, strlen(answer), MSG_NOSIGNAL);
	_exit(0);
}

static bool says(const char *answer)
{
	const pid_t pid = serve(answer);
	const bool yes = synchronised_service(path, answer ? 10000 : PATIENCE);

	if (!answer)
		(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return yes;
}

static void only_one_answer_is_yes(void **state)
{
	static const char *const others[] = {"0", "", "11", "10", "y", "\x01"};

	(void)state;
	assert_true(says("1"));
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_false(says(others[i]));
}

static void who_says_nothing_is_not_waited_for(void **state)
{
	struct timespec before, after;

	(void)state;
	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	assert_false(says(NULL));
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	assert_in_range(after.tv_sec - before.tv_sec, 0, 5);
}

/* Nobody accepts here. */
static void a_queue_that_is_full_is_not_waited_for(void **state)
{
	int waiting[2];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(waiting); i++) {
		struct sockaddr_un to = {.sun_family = AF_UNIX};

		memcpy(to.sun_path, path, strlen(path));
		waiting[i] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(waiting[i], (const struct sockaddr *)&to, sizeof(to)), 0);
	}
	assert_false(synchronised_service(path, INT32_MAX));
	for (size_t i = 0; i < ARRAY_LEN(waiting); i++) {
		(void)close(waiting[i]);
		(void)close(accept(server, NULL, NULL));
	}
}

static void without_a_service_it_is_not(void **state)
{
	char none[128], long_one[256];

	(void)state;
	(void)snprintf(none, sizeof(none), "%s/none", folder);
	memset(long_one, 'x', sizeof(long_one) - 1);
	long_one[sizeof(long_one) - 1] = '\0';
	assert_false(synchronised_service(none, INT32_MAX));
	assert_false(synchronised_service(long_one, INT32_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_one_answer_is_yes),
		cmocka_unit_test(who_says_nothing_is_not_waited_for),
		cmocka_unit_test(a_queue_that_is_full_is_not_waited_for),
		cmocka_unit_test(without_a_service_it_is_not),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
