/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of the store share: a store in a folder of its own, and sample rows.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/store_internal.h"

struct lab {
	char dir[64];
	char path[96];
	struct store *s;
	struct diag d;
};

static inline void lab_ok(struct lab *lab, int err, const char *call)
{
	if (err)
		fail_msg("%s: %d: %s", call, lab->d.code, lab->d.text);
}

static inline void lab_fails(struct lab *lab, int err, int expected, const char *word,
			     const char *call)
{
	if (err != expected || (int)lab->d.code != expected || !strstr(lab->d.text, word))
		fail_msg("%s: %d and not %d, or no \"%s\": %s", call, err, expected, word,
			 lab->d.text);
}

/* The call succeeds, or the test fails with the store's own sentence. */
#define ok(lab, call) ((lab)->d = (struct diag){0}, lab_ok((lab), (call), #call))

/* The call fails with this code and its sentence contains the word. */
#define fails(lab, call, expected, word)                                                           \
	((lab)->d = (struct diag){0}, lab_fails((lab), (call), (expected), (word), #call))

static inline int lab_folder(void **state)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	(void)snprintf(lab->dir, sizeof(lab->dir), "/tmp/printgate-store-XXXXXX");
	assert_non_null(mkdtemp(lab->dir));
	(void)snprintf(lab->path, sizeof(lab->path), "%s/printgate.db", lab->dir);
	*state = lab;
	return 0;
}

static inline int lab_make(void **state)
{
	(void)lab_folder(state);
	struct lab *lab = *state;

	ok(lab, store_open(&lab->s, lab->path, &lab->d));
	return 0;
}

static inline int lab_remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static inline int lab_remove(void **state)
{
	struct lab *lab = *state;

	store_free(lab->s);
	assert_int_equal(nftw(lab->dir, lab_remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	free(lab);
	return 0;
}

static inline void lab_reopen(struct lab *lab)
{
	store_free(lab->s);
	lab->s = NULL;
	ok(lab, store_open(&lab->s, lab->path, &lab->d));
}

static inline struct name name_of(const char *text)
{
	struct name n = {{0}};

	assert_true(strlen(text) <= NAME_BYTES);
	(void)snprintf(n.s, sizeof(n.s), "%s", text);
	return n;
}

/* A peer with a key of its own; `n` tells them apart. */
static inline struct store_peer peer_of(const char *name, unsigned n)
{
	struct store_peer p = {.name = name_of(name), .address = 0x0a4d1400 + n, .created = 1000};

	memcpy(p.public_key.b, &n, sizeof(n));
	p.public_key.b[31] = 0x55;
	memset(p.preshared.b, 0x66, sizeof(p.preshared.b));
	return p;
}

static inline struct store_printer printer_of(const char *name, unsigned n)
{
	struct store_printer p = {
		.name = name_of(name),
		.kind = PRINTER_HOST,
		.address = {0xc0a80100 + n, 32},
		.vpn = {0x0a4d1000 + n, 32},
		.preset = "octoprint",
		.services = {2, {{6, 80, 80}, {17, 3000, 3010}}},
		.created = 2000,
	};
	return p;
}

static inline int64_t peer_add(struct lab *lab, const char *name, unsigned n)
{
	struct store_peer p = peer_of(name, n);

	ok(lab, store_peer_insert(lab->s, &p, &lab->d));
	return p.id;
}

static inline int64_t printer_add(struct lab *lab, const char *name, unsigned n)
{
	struct store_printer p = printer_of(name, n);

	ok(lab, store_printer_insert(lab->s, &p, &lab->d));
	return p.id;
}
