/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of db/ share, and what their tests look into. Nobody else includes it: sqlite3.h
 * stays in this folder.
 */
#pragma once

#include <sqlite3.h>

#include "db/query.h"
#include "db/store.h"

/* "PGAT", at offset 68 of the file (SQLite's file format, section 1.3): what file(1) and we know a
 * store by. */
#define STORE_APPLICATION_ID 0x50474154

#define FOLD_BYTES 193 /* longest folded name: 3 times NAME_BYTES, and NUL */

struct store {
	sqlite3 *db;
	char *path;			  /* as given: sentences name it */
	sqlite3_stmt *query[QUERY_COUNT]; /* store: made at first use, kept until store_free */
	bool part_is_transaction;	  /* the open part began the transaction itself */
	bool scrub;			  /* a secret was erased: empty the WAL after the commit */
};

/* schema.c */
extern const char *const schema_steps[];
extern const int schema_version;

/* fold.c: the form in which names are compared: canonical caseless matching (Unicode, 3.13, D145).
 * ERR_BAD_NAME if it is not UTF-8 or longer than a name. */
int fold_name(char out[FOLD_BYTES], const char *name, struct diag *d)
	__attribute__((warn_unused_result));

/* store_error.c: the sentence for a result code of SQLite; returns the code of ours. */
int store_error(sqlite3 *db, const char *path, int rc, struct diag *d);

/* store_vfs.c: opens a database; a relative path is not made absolute. Returns SQLite's code. */
int store_vfs_open(const char *path, sqlite3 **out) __attribute__((warn_unused_result));

/* store_file.c: the file itself, before SQLite touches it. */
/* Looks at `path`: *exists says whether there is a store. A file that is not ours, is newer than
 * `version`, or is damaged at first sight is ERR_STORE. */
int store_file_check(const char *path, int version, bool *exists, struct diag *d)
	__attribute__((warn_unused_result));
/* An empty file, mode 0600; an older one of that name is removed. */
int store_file_make(const char *path, struct diag *d) __attribute__((warn_unused_result));
/* Durably gives `from` the name `to`. If `replace` is false, `to` must not exist. */
int store_file_rename(const char *from, const char *to, bool replace, struct diag *d)
	__attribute__((warn_unused_result));
char *store_file_path(const char *path, const char *suffix); /* free() */

/* store_migrate.c: brings the open database to user_version n; all steps and the version are one
 * transaction. An older store is copied to PATH.vN.bak first; an empty one (version 0) is not. */
int store_migrate_steps(sqlite3 *db, const char *path, const char *const steps[], int n,
			struct diag *d) __attribute__((warn_unused_result));
int store_migrate_version(sqlite3 *db, const char *path, int *out, struct diag *d)
	__attribute__((warn_unused_result));

/* store.c: several statements that succeed or fail together, inside a transaction of the caller's
 * or not. Parts do not nest. store_part_end takes the outcome so far and returns the final one. */
int store_part_begin(struct store *s, struct diag *d) __attribute__((warn_unused_result));
int store_part_end(struct store *s, int err, struct diag *d) __attribute__((warn_unused_result));
/* The statement that has just run erased a secret: no copy of it may stay in the WAL. Does it now,
 * or after the caller's commit. */
void store_erased(struct store *s);
/* After a commit that failed: makes sure that a crash does not bring it to life. */
void store_retract(struct store *s);
