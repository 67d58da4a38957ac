/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store's file as a file: is it ours, is it private, and how a new one comes to be. SQLite
 * never gets to open a file that is not a printgate store, because opening alone can change it (a
 * journal that lies beside it would be played back).
 */
#include "db/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/mem.h"

/* SQLite's file format, section 1.3, all numbers big-endian. */
#define HEADER_BYTES	   100
#define HEADER_MAGIC	   "SQLite format 3"
#define HEADER_VERSION	   60
#define HEADER_APPLICATION 68

#define WHAT_TO_DO "keep it, restore a backup or move it away, and start again"

char *store_file_path(const char *path, const char *suffix)
{
	size_t n = strlen(path) + strlen(suffix) + 1;
	char *out = mem_zalloc(n, 1);

	(void)snprintf(out, n, "%s%s", path, suffix);
	return out;
}

static int file_errno(const char *what, const char *path, struct diag *d)
{
	return diag_set(d, ERR_STORE, "cannot %s %s: %s", what, path, strerror(errno));
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int header_check(const char *path, int version, int fd, struct diag *d)
{
	uint8_t h[HEADER_BYTES];
	ssize_t n = pread(fd, h, sizeof(h), 0);

	if (n < 0)
		return file_errno("read", path, d);
	if (n == 0)
		return diag_set(d, ERR_STORE,
				"%s is empty, which no printgate store is; restore a backup, or "
				"remove it to begin anew without any phones and printers",
				path);
	if (n < (ssize_t)sizeof(h) || memcmp(h, HEADER_MAGIC, sizeof(HEADER_MAGIC)) != 0)
		return diag_set(d, ERR_STORE, "%s is not a printgate store or is damaged; %s", path,
				WHAT_TO_DO);
	if (be32(h + HEADER_APPLICATION) != STORE_APPLICATION_ID)
		return diag_set(d, ERR_STORE, "%s is a database of another program; move it away",
				path);
	if (be32(h + HEADER_VERSION) > (uint32_t)version)
		return diag_set(
			d, ERR_STORE,
			"%s was written by a newer printgate (format %u, this one knows %d); "
			"install the newer one again",
			path, be32(h + HEADER_VERSION), version);
	return 0;
}

/* Private: it holds preshared keys. Tightened, not refused: a restored copy often has 0644. */
static int file_check(const char *path, int version, int fd, struct diag *d)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return file_errno("look at", path, d);
	if (!S_ISREG(st.st_mode))
		return diag_set(d, ERR_STORE, "%s is not a regular file", path);
	int err = header_check(path, version, fd, d);

	if (err)
		return err;
	if ((st.st_mode & 07777) != 0600 && fchmod(fd, 0600) < 0)
		return file_errno("make private", path, d);
	return 0;
}

/* A journal without its store belongs to one that was moved away or lost; SQLite would play it into
 * the new file. */
static int check_absent(const char *path, struct diag *d)
{
	static const char *const suffixes[] = {"-wal", "-journal"};

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		auto_free char *beside = store_file_path(path, suffixes[i]);

		if (access(beside, F_OK) == 0)
			return diag_set(
				d, ERR_STORE,
				"%s is missing, but %s is there and belongs to it; put both "
				"back, or move this one away too",
				path, beside);
	}
	return 0;
}

int store_file_check(const char *path, int version, bool *exists, struct diag *d)
{
	/* Read-write, so that a store that cannot be written is found out now; O_NONBLOCK because
	 * it might be a FIFO. */
	auto_close int fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	*exists = fd >= 0 || errno != ENOENT;
	if (fd >= 0)
		return file_check(path, version, fd, d);
	if (!*exists)
		return check_absent(path, d);
	return file_errno("open", path, d);
}

int store_file_make(const char *path, struct diag *d)
{
	auto_close int fd = -1;

	if (unlink(path) == 0 || errno == ENOENT)
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0 && fchmod(fd, 0600) == 0)
		return 0;
	return file_errno("create", path, d);
}

static int sync_path(const char *path, int flags)
{
	auto_close int fd = open(path, flags | O_CLOEXEC);

	return fd >= 0 && fsync(fd) == 0 ? 0 : -1;
}

int store_file_rename(const char *from, const char *to, bool replace, struct diag *d)
{
	auto_free char *copy = mem_strdup(to);

	if (sync_path(from, O_RDWR) == 0 &&
	    renameat2(AT_FDCWD, from, AT_FDCWD, to, replace ? 0 : RENAME_NOREPLACE) == 0 &&
	    sync_path(dirname(copy), O_RDONLY | O_DIRECTORY) == 0)
		return 0;
	return file_errno("write", to, d);
}
