/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The folder of a provisioning file: see the header.
 */
#include "cli/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/cleanup.h"

/* .txt: what Windows makes of it, which does not show such endings. */
static const char *const files[] = {"printgate.conf", "printgate.conf.txt"};

static int explain(const char *path, const char *name, struct diag *d)
{
	const enum err code = errno == ENOENT			  ? ERR_NOT_FOUND
			      : errno == EACCES || errno == EPERM ? ERR_NOT_PERMITTED
								  : ERR_SYSTEM;

	return diag_set(d, code, "%s%s%s: %s", path, *name ? "/" : "", name,
			errno == ELOOP ? "is a symbolic link, which is not followed here"
				       : strerror(errno));
}

int place_open(struct place *p, const char *folder, struct diag *d)
{
	(void)snprintf(p->path, sizeof(p->path), "%s", folder);
	p->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return p->folder < 0 ? explain(folder, "", d) : 0;
}

int place_of_file(struct place *p, const char *path, struct diag *d)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char folder[PATH_MAX];

	if (!*name || strlen(name) > NAME_MAX || strlen(path) >= sizeof(folder))
		return diag_set(d, ERR_USAGE, "%.200s is not the name of a file", path);
	(void)snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1,
		       slash ? path : ".");
	(void)snprintf(p->file, sizeof(p->file), "%s", name);
	return place_open(p, folder, d);
}

static bool is_fat(int fd)
{
	struct statfs s;

	return !fstatfs(fd, &s) && s.f_type == MSDOS_SUPER_MAGIC;
}

static void find_file(struct place *p)
{
	for (size_t i = 0; i < ARRAY_LEN(files) && !p->file[0]; i++)
		if (place_has(p, files[i]))
			(void)snprintf(p->file, sizeof(p->file), "%s", files[i]);
}

/* Where fstab names the partition otherwise, or the mount failed, there is no file and nothing to do. */
int place_of_boot(struct place *p, const char *folder, struct diag *d)
{
	struct diag ignored;
	int rc;

	if (folder) {
		rc = place_open(p, folder, d);
		if (!rc)
			find_file(p);
		return rc;
	}
	rc = place_open(p, "/boot/firmware", d);
	if (rc == ERR_NOT_PERMITTED) /* somebody's who is not root: that is said */
		return rc;
	if (!rc) {
		find_file(p);
		if (p->file[0] || is_fat(p->folder))
			return 0;
	}
	place_close(p);
	if (place_open(p, "/boot", &ignored) == 0 && is_fat(p->folder))
		find_file(p);
	else
		place_close(p);
	return 0;
}

void place_close(struct place *p)
{
	if (p->folder >= 0)
		(void)close(p->folder);
	p->folder = -1;
}

bool place_has(const struct place *p, const char *name)
{
	return p->folder >= 0 && !faccessat(p->folder, name, F_OK, AT_SYMLINK_NOFOLLOW);
}

/* An existing regular file. */
static int open_file(const struct place *p, const char *name, int flags, struct diag *d)
{
	auto_close int fd = openat(p->folder, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return explain(p->path, name, d);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return diag_set(d, ERR_CONFIG, "%s/%s is not a file", p->path, name);
	return take_fd(&fd);
}

int place_read(const struct place *p, char *out, size_t size, size_t *n, struct diag *d)
{
	auto_close int fd = open_file(p, p->file, O_RDONLY, d);
	ssize_t got;

	*n = 0;
	if (fd < 0)
		return fd;
	while (*n < size) {
		got = read(fd, out + *n, size - *n);
		if (got < 0)
			return explain(p->path, p->file, d);
		if (got == 0)
			return 0;
		*n += (size_t)got;
	}
	if (read(fd, &(char){0}, 1) != 0)
		return diag_set(d, ERR_LIMIT, "%s/%s is longer than %zu bytes", p->path, p->file,
				size);
	return 0;
}

static int write_all(int fd, const char *content, size_t n)
{
	while (n) {
		const ssize_t put = write(fd, content, n);

		if (put < 0 && errno != EINTR)
			return -1;
		content += put > 0 ? put : 0;
		n -= put > 0 ? (size_t)put : 0;
	}
	return fsync(fd);
}

/* FAT has no rename that replaces atomically on a power cut, but it has one that replaces. */
int place_write(const struct place *p, const char *name, const void *content, size_t n,
		struct diag *d)
{
	auto_close int fd = -1;

	(void)unlinkat(p->folder, PLACE_TEMPORARY, 0);
	fd = openat(p->folder, PLACE_TEMPORARY,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && !write_all(fd, content, n) &&
	    !renameat(p->folder, PLACE_TEMPORARY, p->folder, name))
		return fsync(p->folder) ? explain(p->path, name, d) : 0;
	(void)explain(p->path, name, d);
	(void)unlinkat(p->folder, PLACE_TEMPORARY, 0);
	return d->code;
}

bool place_remove(const struct place *p, const char *name)
{
	return p->folder < 0 || !unlinkat(p->folder, name, 0) || errno == ENOENT;
}

int place_scrub_rest(const struct place *p, struct diag *d)
{
	auto_close int fd = -1;
	static const char blank[512];
	struct stat st;

	if (!place_has(p, PLACE_OLD))
		return 0;
	fd = open_file(p, PLACE_OLD, O_WRONLY, d);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st))
		return explain(p->path, PLACE_OLD, d);
	for (off_t left = st.st_size; left > 0; left -= (off_t)sizeof(blank)) {
		const size_t n = left < (off_t)sizeof(blank) ? (size_t)left : sizeof(blank);

		if (write(fd, blank, n) != (ssize_t)n)
			return explain(p->path, PLACE_OLD, d);
	}
	if (fsync(fd) || unlinkat(p->folder, PLACE_OLD, 0) || syncfs(p->folder))
		return explain(p->path, PLACE_OLD, d);
	return 0;
}

int place_scrub(const struct place *p, struct diag *d)
{
	const int rc = place_scrub_rest(p, d);

	if (rc)
		return rc;
	if (renameat(p->folder, p->file, p->folder, PLACE_OLD) || fsync(p->folder))
		return explain(p->path, p->file, d);
	return place_scrub_rest(p, d);
}

static bool is_picture(const char *name)
{
	const size_t n = strlen(name);

	return !strncmp(name, PLACE_PICTURE, strlen(PLACE_PICTURE)) && n > 4 &&
	       !strcmp(name + n - 4, ".png");
}

void place_remove_pictures(const struct place *p, const char *const keep[], size_t n)
{
	const int fd = p->folder < 0 ? -1 : openat(p->folder, ".", O_RDONLY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (!folder) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	while ((e = readdir(folder)) != NULL) {
		bool kept = !is_picture(e->d_name);

		for (size_t i = 0; i < n && !kept; i++)
			kept = !strcmp(e->d_name, keep[i]);
		if (!kept)
			(void)place_remove(p, e->d_name);
	}
	(void)closedir(folder);
	(void)fsync(p->folder);
}
