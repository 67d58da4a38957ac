/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The folder in which a provisioning file lies, and what is left there beside it. It may be a FAT file
 * system, and others may be able to write to it: files are opened relative to the folder, symbolic
 * links and what is not a file are refused.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

#define PLACE_APPLIED	"printgate.applied.txt"
#define PLACE_ERROR	"printgate.error.txt"
#define PLACE_PICTURE	"printgate-"	/* and a tunnel's name, and ".png" */
#define PLACE_TEMPORARY "printgate.tmp" /* what is being written */
#define PLACE_OLD	"printgate.old" /* what is being overwritten */

struct place {
	int folder; /* O_PATH-like: for *at(2); -1: none */
	char path[PATH_MAX];
	char file[NAME_MAX + 1]; /* "" for none */
};

#define PLACE_NONE                                                                                 \
	{                                                                                          \
		.folder = -1                                                                       \
	}
#define auto_place __attribute__((cleanup(place_close))) struct place

/* The folder of that file. ERR_NOT_FOUND, ERR_NOT_PERMITTED, ERR_SYSTEM. */
int place_of_file(struct place *p, const char *path, struct diag *d)
	__attribute__((warn_unused_result));
int place_open(struct place *p, const char *folder, struct diag *d)
	__attribute__((warn_unused_result));
/* The boot partition: `folder`, or if that is NULL the first there is of /boot/firmware, and of /boot
 * where that is a FAT. With the file that is there to be applied, if there is one. No such folder is no
 * error, one that may not be looked into is: ERR_NOT_PERMITTED. */
int place_of_boot(struct place *p, const char *folder, struct diag *d)
	__attribute__((warn_unused_result));
void place_close(struct place *p);

/* The whole file, as long as it has at most `size` bytes; *n is its length. */
int place_read(const struct place *p, char *out, size_t size, size_t *n, struct diag *d)
	__attribute__((warn_unused_result));
/* A file of that name with this content, durable, instead of one that may be there. */
int place_write(const struct place *p, const char *name, const void *content, size_t n,
		struct diag *d) __attribute__((warn_unused_result));
/* It need not be there. False if it is still there. */
bool place_remove(const struct place *p, const char *name);
/* The file that was applied: overwritten where it lies, and removed; under another name, so that what a
 * power cut leaves of it is not taken for a file to be applied. (On flash what was overwritten may still
 * be in the card: the manual says so.) */
int place_scrub(const struct place *p, struct diag *d) __attribute__((warn_unused_result));
/* What a power cut left of one, if there is any. */
int place_scrub_rest(const struct place *p, struct diag *d) __attribute__((warn_unused_result));
/* Pictures of codes that are not among these n names. */
void place_remove_pictures(const struct place *p, const char *const keep[], size_t n);
bool place_has(const struct place *p, const char *name);
