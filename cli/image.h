/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of an image under construction: everything is looked up inside its root, whatever its
 * symbolic links say (openat2(2), RESOLVE_IN_ROOT), and nothing is opened that could block.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

#define IMAGE_TEXT_BYTES 65536 /* of a file, at most, are looked at */

/* The folder in which the image is mounted. The descriptor is the caller's. */
int image_open(const char *root, struct diag *d) __attribute__((warn_unused_result));

/* Is there anything of that name? The last link is not followed. */
bool image_has(int root, const char *path);
/* The beginning of a regular file, with a NUL; false if it is not there or is no file. Wipe it. */
bool image_text(int root, const char *path, char out[IMAGE_TEXT_BYTES]);

/* Calls fn for each name in a folder (none if it is not there) until it returns true; returns that.
 * `.` and `..` and lost+found are left out. */
bool image_each(int root, const char *folder, bool (*fn)(void *arg, const char *name), void *arg);
