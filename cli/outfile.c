/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * New files, whole or not at all: for codes and configs (which hold a phone's private key, so 0600
 * from the first byte) and for the configuration written by init.
 */
#include "cli/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

static int taken(const char *path, struct diag *d)
{
	return diag_set(d, ERR_CONFLICT,
			"%s exists already, and printgate never overwrites a file: choose another "
			"name or move it away",
			path);
}

static int cannot_create(const char *path, struct diag *d)
{
	if (errno != EACCES && errno != EPERM && errno != EROFS)
		return diag_errno(d, "cannot create %s", path);
	return diag_set(d, ERR_NOT_PERMITTED, "cannot create %s: %s (run it as root?)", path,
			strerror(errno));
}

/* "folder/.printgate-XXXXXX" beside the path. */
static int temp_name(struct outfile *f, struct diag *d)
{
	const char *slash = strrchr(f->path, '/');
	int folder = slash ? (int)(slash - f->path) + 1 : 0;
	int n = snprintf(f->temp, sizeof(f->temp), "%.*s.printgate-XXXXXX", folder, f->path);

	if (n < 0 || (size_t)n >= sizeof(f->temp))
		return diag_set(d, ERR_LIMIT, "the file's path is too long");
	return 0;
}

int outfile_begin(struct outfile *f, const char *path, struct diag *d)
{
	struct stat st;
	int fd, rc;

	*f = (struct outfile){0};
	if (snprintf(f->path, sizeof(f->path), "%s", path) >= (int)sizeof(f->path))
		return diag_set(d, ERR_LIMIT, "the file's path is too long");
	if (!lstat(path, &st))
		return taken(path, d);
	rc = temp_name(f, d);
	if (rc)
		return rc;
	fd = mkostemp(f->temp, O_CLOEXEC); /* O_EXCL, 0600 */
	if (fd < 0)
		return cannot_create(path, d);
	f->file = fdopen(fd, "w");
	if (f->file)
		return 0;
	rc = diag_errno(d, "cannot create %s", path);
	(void)close(fd);
	(void)unlink(f->temp);
	return rc;
}

/* Renames without overwriting; file systems that cannot (NFS) get a second name instead. */
static int settle(const struct outfile *f)
{
	if (!renameat2(AT_FDCWD, f->temp, AT_FDCWD, f->path, RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (link(f->temp, f->path))
		return -1;
	(void)unlink(f->temp);
	return 0;
}

int outfile_commit(struct outfile *f, mode_t mode, struct diag *d)
{
	int fd = fileno(f->file);

	if (fflush(f->file) || ferror(f->file) || fchmod(fd, mode) || fsync(fd))
		return diag_errno(d, "cannot write %s", f->path);
	if (settle(f))
		return errno == EEXIST ? taken(f->path, d)
				       : diag_errno(d, "cannot create %s", f->path);
	(void)fclose(f->file);
	f->file = NULL;
	return 0;
}

void outfile_end(struct outfile *f)
{
	if (!f->file)
		return;
	(void)fclose(f->file);
	(void)unlink(f->temp);
	f->file = NULL;
}
