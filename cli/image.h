/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of an image under construction: everything is looked up inside its root, whatever its
 * symbolic links say (openat2(2), RESOLVE_IN_ROOT), and nothing is opened but files and folders: a
 * device or a FIFO of the image could block, or do something. What is there and cannot be looked at is
 * told apart from what is not there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

#define IMAGE_TEXT_BYTES 65536 /* of a file's text, NUL included; longer ones are not read */

enum image_kind {
	IMAGE_NONE, /* not there, or neither file nor folder */
	IMAGE_FILE,
	IMAGE_FOLDER,
	IMAGE_UNKNOWN, /* there, but it may not be read, or it is too long */
};

/* The folder in which the image is mounted. The descriptor is the caller's. */
int image_open(const char *root, struct diag *d) __attribute__((warn_unused_result));

/* Is there anything of that name? The last link is not followed. */
bool image_has(int root, const char *path);
/* Does it mean the same to a command outside of the image: no link on the way, and none at the end? */
bool image_is_plain(int root, const char *path);
/* A file's text, "" if it is none. NULs are made line feeds, so that nothing hides behind them. Wipe
 * it. */
enum image_kind image_text(int root, const char *path, char out[IMAGE_TEXT_BYTES])
	__attribute__((warn_unused_result));

/* Calls fn for each name in a folder until it returns true, and returns 1 then; 0 if it never did, or
 * there is no such folder; -1 if what is there cannot be looked at. `.` and `..` are left out, and the
 * lost+found of a partition. */
int image_each(int root, const char *folder, bool (*fn)(void *arg, const char *name), void *arg)
	__attribute__((warn_unused_result));
