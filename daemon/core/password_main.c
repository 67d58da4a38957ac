/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The copy of printgate-core that hashes one password and ends. It reads no file and knows nothing
 * but what it is asked.
 */
#include "daemon/core/password.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/core/copy.h"
#include "daemon/core/password_own.h"

#define LIBRARIES_MAX (64UL << 20) /* address space of the program itself and its libraries */
#define FILES_MAX     8

_Static_assert(STORE_PASSWORD_BYTES == crypto_pwhash_STRBYTES, "the store has room for a hash");
_Static_assert(PASSWORD_PASSES >= crypto_pwhash_OPSLIMIT_MIN, "libsodium's least");

static bool terminated(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static void work_out(const struct password_question *q, struct password_answer *a)
{
	const size_t n = strlen(q->password);

	if (q->make)
		a->good = crypto_pwhash_str_alg(a->hash, q->password, n, PASSWORD_PASSES,
						PASSWORD_MEMORY, crypto_pwhash_ALG_ARGON2ID13) == 0;
	else
		a->good = crypto_pwhash_str_verify(q->hash, q->password, n) == 0;
}

int password_main(void)
{
	const struct copy_bounds bounds = {.memory = PASSWORD_MEMORY + LIBRARIES_MAX,
					   .files = FILES_MAX,
					   .seconds = PASSWORD_SECONDS};
	struct password_question q = {0};
	struct password_answer a = {0};
	int status = EXIT_FAILURE;

	if (sodium_init() < 0 || copy_confine(&bounds))
		return EXIT_FAILURE;
	if (recv(COPY_FD, &q, sizeof(q), 0) == sizeof(q) &&
	    terminated(q.password, sizeof(q.password)) && terminated(q.hash, sizeof(q.hash))) {
		work_out(&q, &a);
		if (send(COPY_FD, &a, sizeof(a), MSG_NOSIGNAL) == sizeof(a))
			status = EXIT_SUCCESS;
	}
	sodium_memzero(&q, sizeof(q));
	sodium_memzero(&a, sizeof(a));
	return status;
}
