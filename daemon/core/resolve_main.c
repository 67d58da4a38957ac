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
#include <unistd.h>

#include "common/cleanup.h"
#include "daemon/core/copy.h"

#define MEMORY_MAX (512UL << 20) /* address space: libraries and plug-ins, mapped */
#define FILES_MAX  64

static int confine(void)
{
	static const char *const folders[] = {"/etc", "/usr", "/lib", "/lib64", "/run"};
	const struct copy_bounds bounds = {.memory = MEMORY_MAX,
					   .files = FILES_MAX,
					   .seconds = RESOLVE_SECONDS,
					   .readable = folders,
					   .n_readable = ARRAY_LEN(folders)};

	return copy_confine(&bounds);
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
	return write(COPY_FD, &answer, sizeof(answer)) == sizeof(answer) ? EXIT_SUCCESS
									 : EXIT_FAILURE;
}
