/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page's password: making its hash and comparing with it (argon2id). That takes 19 MiB and a
 * noticeable part of a second, by design, so a fresh copy of this program does it (copy.h), one at a
 * time: neither core's memory nor whoever else asks it pays for strangers' guesses.
 */
#pragma once

#include <stdbool.h>

#include "common/err.h"
#include "common/web.h"
#include "db/store.h"

/* OWASP's Password Storage Cheat Sheet, argon2id: 19 MiB and two passes, no threads. */
#define PASSWORD_MEMORY	   (19UL << 20)
#define PASSWORD_PASSES	   2
#define PASSWORD_QUEUE_MAX 4  /* the one at work and those that wait */
#define PASSWORD_SECONDS   20 /* for one; the slowest Raspberry Pi takes two */

struct core;
struct password_job;

struct passwords {
	struct password_job *first; /* at work; the others wait in the order they came in */
};

/* code: 0; ERR_DENIED: it is another password; ERR_SYSTEM: it could not be found out. hash is what
 * was made, valid during the call. */
typedef void (*password_fn)(void *arg, int code, const char *hash);

/* Compares the password with a hash, or makes one of it where hash is NULL. fn is called once, later,
 * and arg, which is from malloc(3), is freed after that, or when core ends. ERR_LIMIT if too many
 * wait, ERR_SYSTEM; then arg stays the caller's. */
int password_start(struct core *c, const char *password, const char *hash, password_fn fn,
		   void *arg, struct diag *d) __attribute__((warn_unused_result));
void passwords_free(struct core *c);

extern const char password_verb[]; /* argv[1] of the copy */
/* The whole life of the copy. Its exit status. */
int password_main(void);
