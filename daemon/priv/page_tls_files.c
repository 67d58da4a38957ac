/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page's certificate and key: opened as root, read by printgate-tls alone.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "daemon/priv/page_tls.h"

#define CERTIFICATE_FILE "page.crt"
#define KEY_FILE	 "page.key"

/* The owner's. A key that everybody on the machine can read is none. */
static int open_given(const char *path, bool secret, int *out, struct diag *d)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return diag_errno(d, "cannot open %s", path);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return diag_set(d, ERR_CONFIG, "%s is not a file", path);
	if (secret && st.st_mode & S_IRWXO)
		return diag_set(d, ERR_CONFIG,
				"%s can be read by everybody on this machine: `chmod o= %s`", path,
				path);
	*out = take_fd(&fd);
	return 0;
}

/* Ours: the file stays root's and closed to everybody; only who is given the descriptor can use it. */
static int open_own(int dir, const char *name, int *out, struct diag *d)
{
	auto_close int fd = openat(dir, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return diag_errno(d, "cannot open tls/%s in the state folder", name);
	if (!S_ISREG(st.st_mode) || st.st_mode & 077)
		return diag_set(d, ERR_CONFIG,
				"tls/%s in the state folder is readable by others: delete it, and "
				"a new one is made",
				name);
	*out = take_fd(&fd);
	return 0;
}

int page_tls_files(int out[PAGE_TLS_FILES], const struct conf *c, struct diag *d)
{
	auto_close int certificate = -1, key = -1, dir = -1;
	int rc;

	if (c->certificate[0]) {
		rc = open_given(c->certificate, false, &certificate, d);
		if (!rc)
			rc = open_given(c->key, true, &key, d);
	} else {
		rc = dirs_tls(c, &dir, d);
		if (!rc)
			rc = open_own(dir, CERTIFICATE_FILE, &certificate, d);
		if (!rc)
			rc = open_own(dir, KEY_FILE, &key, d);
		if (!rc && fsync(dir))
			rc = diag_errno(d, "cannot sync the folder tls");
	}
	if (rc)
		return rc;
	out[0] = take_fd(&certificate);
	out[1] = take_fd(&key);
	return 0;
}
