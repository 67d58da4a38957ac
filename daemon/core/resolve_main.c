/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The copy of printgate-core that looks one name up and ends. It has nothing that is worth taking: a
 * name, and a pipe into which it can write addresses, each of which core checks.
 */
#include "daemon/core/resolve_own.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/cleanup.h"

#define MEMORY_MAX (512UL << 20) /* address space: libraries and plug-ins, mapped */
#define FILES_MAX  64

static int confine(void)
{
	static const struct {
		int what;
		rlim_t most;
	} limits[] = {
		{RLIMIT_CORE, 0},	    {RLIMIT_FSIZE, 0},	     {RLIMIT_NPROC, 0},
		{RLIMIT_NOFILE, FILES_MAX}, {RLIMIT_AS, MEMORY_MAX}, {RLIMIT_CPU, RESOLVE_SECONDS},
	};

	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		if (setrlimit((__rlimit_resource_t)limits[i].what,
			      &(struct rlimit){limits[i].most, limits[i].most}))
			return -1;
	(void)alarm(RESOLVE_SECONDS);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ? -1
											    : 0;
}

static void collect(struct resolve_answer *a, const struct addrinfo *list)
{
	for (; list && a->count < RESOLVE_ADDRESSES_MAX; list = list->ai_next) {
		struct sockaddr_in in;

		if (list->ai_family != AF_INET || list->ai_addrlen < sizeof(in))
			continue;
		memcpy(&in, list->ai_addr, sizeof(in));
		a->address[a->count++] = ntohl(in.sin_addr.s_addr);
	}
}

int resolve_main(const char *name)
{
	static const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	struct resolve_answer answer = {0};
	struct addrinfo *list = NULL;

	if (!host_valid(name, strlen(name)) || confine())
		return EXIT_FAILURE;
	if (getaddrinfo(name, NULL, &hints, &list) == 0) {
		collect(&answer, list);
		freeaddrinfo(list);
	}
	return write(RESOLVE_FD, &answer, sizeof(answer)) == sizeof(answer) ? EXIT_SUCCESS
									    : EXIT_FAILURE;
}
