/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Folders and the lock. Runs at start-up only, as root or as the service's own account; everything below
 * the folders that belong to the other users is theirs, so nothing there is opened by path from here.
 */
#include "daemon/priv/dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "daemon/priv/sock.h"
#include "daemon/priv/spawn.h"

#define LOCK_WAIT_MS 5000 /* for a printgated that is just ending */
#define LOCK_STEP_MS 20
#define EMPTY_NAME   "empty"
#define LOCK_NAME    "printgated.lock"

/* mkdir -p: what is missing is made 0755 root, whatever the umask: the group of control.sock must get
 * through RUNTIME. */
static int make_path(const char *path, struct diag *d)
{
	char part[PATH_MAX];
	int made;

	for (const char *p = path + 1;; p++) {
		if (*p && *p != '/')
			continue;
		(void)snprintf(part, sizeof(part), "%.*s", (int)(p - path), path);
		made = mkdir(part, 0755);
		if (made ? errno != EEXIST : chmod(part, 0755))
			return diag_errno(d, "cannot make the folder %s", part);
		if (!*p)
			return 0;
	}
}

int dirs_give(int fd, const struct conf_user *owner)
{
	return geteuid() == owner->uid ? 0 : fchown(fd, owner->uid, owner->gid);
}

static int check_owner(const struct stat *st, const struct conf_user *owner, const char *parent,
		       const char *name, struct diag *d)
{
	if (st->st_uid == owner->uid)
		return 0;
	return diag_set(d, ERR_CONFIG,
			"%s/%s belongs to user %u, but printgate runs that part as user %u: "
			"`chown -R %u:%u %s/%s`, or name the former user in [users]",
			parent, name, (unsigned)st->st_uid, (unsigned)owner->uid,
			(unsigned)owner->uid, (unsigned)owner->gid, parent, name);
}

/* A folder of one user's: made, or found with that owner. Left as it is otherwise: root does not
 * re-own what another user could have filled with links. */
static int make_private(int parent, const char *parent_path, const char *name,
			const struct conf_user *owner, int *out, struct diag *d)
{
	auto_close int fd = -1;
	struct stat st;
	bool made = mkdirat(parent, name, 0700) == 0;

	if (!made && errno != EEXIST)
		return diag_errno(d, "cannot make the folder %s/%s", parent_path, name);
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return diag_errno(d, "cannot open the folder %s/%s", parent_path, name);
	if (made && dirs_give(fd, owner))
		return diag_errno(d, "cannot hand over the folder %s/%s", parent_path, name);
	if (!made && check_owner(&st, owner, parent_path, name, d))
		return ERR_CONFIG;
	/* Only where it must be: on another user's folder it takes CAP_FOWNER, which the service has not. */
	if ((st.st_mode & 07777) != 0700 && fchmod(fd, 0700))
		return diag_errno(d, "cannot close the folder %s/%s to others", parent_path, name);
	*out = take_fd(&fd);
	return 0;
}

/* In a folder that others may write to, root would be led astray by what they put there. */
static int check_ours(const char *path, struct diag *d)
{
	struct stat st;

	if (lstat(path, &st))
		return diag_errno(d, "cannot look at the folder %s", path);
	if (!S_ISDIR(st.st_mode) || st.st_uid != 0 || st.st_mode & (S_IWGRP | S_IWOTH))
		return diag_set(d, ERR_CONFIG,
				"%s must be a folder that belongs to root and that nobody else may "
				"write to: `chown root %s; chmod 755 %s`",
				path, path, path);
	return 0;
}

/* Nothing is ever put there; what the page finds there keeps it from starting. */
static int make_empty(const char *runtime, int *out, struct diag *d)
{
	char path[PATH_MAX];
	struct stat st;
	int fd;

	(void)snprintf(path, sizeof(path), "%.*s/" EMPTY_NAME, PATH_MAX - 32, runtime);
	if (mkdir(path, 0555) && errno != EEXIST)
		return diag_errno(d, "cannot make the folder %s", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) || st.st_uid != 0 || fchmod(fd, 0555)) {
		if (fd >= 0)
			(void)close(fd);
		return diag_set(d, ERR_CONFIG, "%s must be an empty folder that belongs to root",
				path);
	}
	*out = fd;
	return 0;
}

int dirs_make(struct dirs *out, const struct conf *c, struct diag *d)
{
	auto_close int state = -1;
	int rc = make_path(c->state, d);

	if (!rc)
		rc = check_ours(c->state, d);
	if (rc)
		return rc;
	state = open(c->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state < 0)
		return diag_errno(d, "cannot open the folder %s", c->state);
	rc = make_private(state, c->state, DIRS_NET, &c->net, &out->net, d);
	out->core = out->empty = -1;
	if (rc || spawn_managed()) /* the others are the companions' units' */
		return rc;
	rc = make_private(state, c->state, DIRS_CORE, &c->core, &out->core, d);
	return rc ? rc : make_empty(c->runtime, &out->empty, d);
}

int dirs_of_companion(int *out, const struct conf *c, bool page, struct diag *d)
{
	static const struct conf_user root = {0, 0};
	const char *parent = page ? c->runtime : c->state, *name = page ? EMPTY_NAME : DIRS_CORE;
	auto_close int fd = -1;
	char path[PATH_MAX];
	struct stat st;
	int rc;

	(void)snprintf(path, sizeof(path), "%.*s/%s", PATH_MAX - 32, parent, name);
	fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return diag_errno(d, "cannot open the folder %s", path);
	rc = check_owner(&st, page ? &root : &c->core, parent, name, d);
	if (!rc)
		*out = take_fd(&fd);
	return rc;
}

int dirs_tls(const struct conf *c, int *out, struct diag *d)
{
	static const struct conf_user root = {0, 0};
	auto_close int state = open(c->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (state < 0)
		return diag_errno(d, "cannot open the folder %s", c->state);
	return make_private(state, c->state, "tls", &root, out, d);
}

bool dirs_runtime(char out[PATH_MAX], const struct conf *c, const char *name)
{
	struct stat st;

	(void)snprintf(out, PATH_MAX, "%.*s/%s", PATH_MAX - 32, c->runtime, name);
	if (!lstat(out, &st) && S_ISDIR(st.st_mode))
		return true;
	(void)snprintf(out, PATH_MAX, "%s", c->runtime);
	return false;
}

/* The next one to take it may be root or the service's account; what was there before stays whose it is. */
static int open_lock(int *out, const char *folder, const struct conf *c, struct diag *d)
{
	char path[PATH_MAX];
	auto_close int fd = -1;
	struct stat st;
	bool made;

	(void)snprintf(path, sizeof(path), "%.*s/" LOCK_NAME, PATH_MAX - 32, folder);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	made = fd >= 0;
	if (!made && errno == EEXIST)
		fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) || (made && dirs_give(fd, &c->net)))
		return diag_errno(d, "cannot open %s", path);
	/* The companions are given it: it must not be another file by a second name. */
	if (!S_ISREG(st.st_mode) || st.st_nlink > 1)
		return diag_set(d, ERR_CONFIG, "%s is no lock of printgated's: remove it", path);
	*out = take_fd(&fd);
	return 0;
}

static int await_lock(int fd, const char *folder, const struct conf *c, int *waited, struct diag *d)
{
	const struct timespec step = {.tv_nsec = LOCK_STEP_MS * 1000000L};

	for (; flock(fd, LOCK_EX | LOCK_NB); *waited += LOCK_STEP_MS) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return diag_errno(d, "cannot lock " LOCK_NAME " in %s", folder);
		if (*waited >= LOCK_WAIT_MS)
			return diag_set(
				d, ERR_CONFLICT,
				"another printgated runs with %s, or what it started still does: "
				"end that first, or give this one its own [paths]",
				c->runtime);
		(void)nanosleep(&step, NULL);
	}
	return 0;
}

/* By `printgated --down`, which had it before us: the next one would take another. */
static bool was_removed(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_nlink == 0;
}

int dirs_lock(const struct conf *c, int *out, struct diag *d)
{
	char folder[PATH_MAX];
	auto_close int fd = -1;
	int rc = make_path(c->runtime, d), waited = 0;

	if (!rc)
		rc = check_ours(c->runtime, d);
	(void)dirs_runtime(folder, c, DIRS_NET);
	while (!rc) {
		cleanup_close(&fd);
		rc = open_lock(&fd, folder, c, d);
		if (!rc)
			rc = await_lock(fd, folder, c, &waited, d);
		if (!rc && !was_removed(fd))
			break;
	}
	if (!rc)
		*out = take_fd(&fd);
	return rc;
}

static int unmake_file(const struct conf *c, const char *folder, const char *name, struct diag *d)
{
	char path[PATH_MAX];
	const bool packaged = dirs_runtime(path, c, folder);
	auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : diag_errno(d, "cannot open %s", path);
	if (unlinkat(fd, name, 0) && errno != ENOENT)
		return diag_errno(d, "cannot remove %s/%s", path, name);
	return packaged;
}

/* The package's folders stay for the next start. */
int dirs_unmake(const struct conf *c, struct diag *d)
{
	char empty[PATH_MAX];
	int rc = unmake_file(c, DIRS_CORE, SOCK_CONTROL_NAME, d);

	if (rc >= 0)
		rc = unmake_file(c, DIRS_NET, LOCK_NAME, d);
	if (rc)
		return rc < 0 ? rc : 0;
	(void)snprintf(empty, sizeof(empty), "%.*s/" EMPTY_NAME, PATH_MAX - 32, c->runtime);
	(void)rmdir(empty);
	(void)rmdir(c->runtime); /* it may hold what is somebody else's */
	return 0;
}
