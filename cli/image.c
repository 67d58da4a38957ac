/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking into an image: see the header.
 */
#include "cli/image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"

static int open_how(int root, const char *path, int flags, unsigned resolve)
{
	/* openat2(2) refuses with O_PATH what has no meaning there. */
	const int also = flags & O_PATH ? O_CLOEXEC : O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	const struct open_how how = {.flags = (unsigned)(flags | also),
				     .resolve = resolve | RESOLVE_NO_MAGICLINKS};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static int open_in(int root, const char *path, int flags)
{
	return open_how(root, path, flags, RESOLVE_IN_ROOT);
}

/* A link that leads nowhere or in a circle does so on the machine, too. */
static bool is_absent(int error)
{
	return error == ENOENT || error == ELOOP;
}

int image_open(const char *root, struct diag *d)
{
	const int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? diag_set(d, errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM, "%s: %s", root,
				 strerror(errno))
		      : fd;
}

bool image_has(int root, const char *path)
{
	auto_close int fd = open_in(root, path, O_PATH | O_NOFOLLOW);

	return fd >= 0;
}

bool image_is_plain(int root, const char *path)
{
	auto_close int fd = open_how(root, path, O_PATH, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);

	return fd >= 0;
}

static enum image_kind kind_of(int root, const char *path)
{
	auto_close int fd = open_in(root, path, O_PATH);
	struct stat st;

	if (fd < 0)
		return is_absent(errno) || errno == ENOTDIR ? IMAGE_NONE : IMAGE_UNKNOWN;
	if (fstat(fd, &st))
		return IMAGE_UNKNOWN;
	return S_ISREG(st.st_mode) ? IMAGE_FILE : S_ISDIR(st.st_mode) ? IMAGE_FOLDER : IMAGE_NONE;
}

enum image_kind image_text(int root, const char *path, char out[IMAGE_TEXT_BYTES])
{
	const enum image_kind kind = kind_of(root, path);
	auto_close int fd = kind == IMAGE_FILE ? open_in(root, path, O_RDONLY) : -1;
	size_t used = 0;
	ssize_t n = -1;

	out[0] = '\0';
	if (kind != IMAGE_FILE)
		return kind;
	while (fd >= 0 && used < IMAGE_TEXT_BYTES &&
	       (n = read(fd, out + used, IMAGE_TEXT_BYTES - used)) > 0)
		used += (size_t)n;
	if (n != 0) {
		out[0] = '\0';
		return IMAGE_UNKNOWN;
	}
	for (size_t i = 0; i < used; i++)
		out[i] = out[i] ? out[i] : '\n';
	out[used] = '\0';
	return IMAGE_FILE;
}

static bool is_entry(const char *name)
{
	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(name, "lost+found") != 0;
}

int image_each(int root, const char *folder, bool (*fn)(void *arg, const char *name), void *arg)
{
	auto_close int fd = open_in(root, folder, O_RDONLY | O_DIRECTORY);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e = NULL;
	bool found = false;

	if (!dir)
		return fd < 0 && is_absent(errno) ? 0 : -1;
	(void)take_fd(&fd); /* the stream's now */
	errno = 0;
	while (!found && (e = readdir(dir)) != NULL) {
		found = is_entry(e->d_name) && fn(arg, e->d_name);
		errno = 0;
	}
	if (!e && errno) {
		(void)closedir(dir);
		return -1;
	}
	(void)closedir(dir);
	return found;
}
