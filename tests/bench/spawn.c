/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Times whole processes for the benchmarks, without an interpreter's own weight: a command per line on
 * standard input (words between blanks, no quotes), answered by `STATUS NANOSECONDS`, from before the
 * process is made until it is reaped. Its standard output goes to the file that the first argument
 * names, anew each time.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORDS 64

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(2);
}

static uint64_t now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void run(char **words, const posix_spawn_file_actions_t *actions)
{
	uint64_t t = now();
	int status = 0;
	pid_t pid;

	if (posix_spawn(&pid, words[0], actions, NULL, words, environ) ||
	    waitpid(pid, &status, 0) != pid)
		die(words[0]);
	t = now() - t;
	(void)printf("%d %llu\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1,
		     (unsigned long long)t);
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t actions;
	char *line = NULL, *words[WORDS + 1], *rest;
	size_t room = 0;
	int n;

	if (argc != 2)
		die("usage: spawn OUTPUT");
	if (posix_spawn_file_actions_init(&actions) ||
	    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) ||
	    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, argv[1],
					     O_WRONLY | O_CREAT | O_TRUNC, 0600))
		die("posix_spawn_file_actions");
	while (getline(&line, &room, stdin) > 0) {
		n = 0;
		for (char *w = strtok_r(line, " \n", &rest); w && n < WORDS;
		     w = strtok_r(NULL, " \n", &rest))
			words[n++] = w;
		words[n] = NULL;
		if (n)
			run(words, &actions);
	}
	free(line);
	return 0;
}
