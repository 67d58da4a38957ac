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

static int open_in(int root, const char *path, int flags)
{
	/* openat2(2) refuses with O_PATH what has no meaning there. */
	const int also = flags & O_PATH ? O_CLOEXEC : O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	const struct open_how how = {.flags = (unsigned)(flags | also),
				     .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
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

bool image_text(int root, const char *path, char out[IMAGE_TEXT_BYTES])
{
	auto_close int fd = open_in(root, path, O_RDONLY);
	size_t used = 0;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return false;
	while ((n = read(fd, out + used, IMAGE_TEXT_BYTES - 1 - used)) > 0)
		used += (size_t)n;
	out[used] = '\0';
	return n == 0;
}

bool image_each(int root, const char *folder, bool (*fn)(void *arg, const char *name), void *arg)
{
	auto_close int fd = open_in(root, folder, O_RDONLY | O_DIRECTORY);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	bool found = false;

	if (!dir)
		return false;
	(void)take_fd(&fd); /* the stream's now */
	while (!found && (e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		    strcmp(e->d_name, "lost+found") != 0)
			found = fn(arg, e->d_name);
	(void)closedir(dir);
	return found;
}
