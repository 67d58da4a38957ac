/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * New files: written under another name in the same folder and renamed when whole. A file that
 * exists is never overwritten, a half-written one is never left.
 */
#pragma once

#include <limits.h>
#include <stdio.h>
#include <sys/types.h>

#include "common/err.h"

struct outfile {
	FILE *file; /* write here; NULL when not begun */
	char path[PATH_MAX];
	char temp[PATH_MAX + 8];
};

/* Opens the file under its temporary name, readable by us only. ERR_CONFLICT if path exists,
 * ERR_NOT_PERMITTED or ERR_SYSTEM if the folder does not let us. */
int outfile_begin(struct outfile *f, const char *path, struct diag *d)
	__attribute__((warn_unused_result));
/* Gives it its mode and its name. ERR_CONFLICT if the name was taken meanwhile. */
int outfile_commit(struct outfile *f, mode_t mode, struct diag *d)
	__attribute__((warn_unused_result));
/* Removes it if it was not committed. */
void outfile_end(struct outfile *f);

#define auto_outfile __attribute__((cleanup(outfile_end))) struct outfile
