/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gateway's key file. Runs at start-up, and as the file's owner later.
 */
#include "daemon/priv/gatekey.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "daemon/priv/dirs.h"

#define KEY_FILE     "gateway.key"
#define KEY_FILE_NEW "gateway.key.new"

static int read_key(struct wg_secret *out, int fd, struct diag *d)
{
	char text[WG_KEY_TEXT_BYTES + 1] = "";
	ssize_t n = read(fd, text, sizeof(text) - 1);
	int rc;

	if (n < 0)
		return diag_errno(d, "cannot read " KEY_FILE);
	if (n == WG_KEY_TEXT_BYTES && text[n - 1] == '\n')
		text[n - 1] = '\0';
	rc = secret_parse(out, text);
	key_wipe(text, sizeof(text));
	if (rc || secret_is_zero(out))
		return diag_set(d, ERR_CONFIG,
				KEY_FILE
				" in the state folder is damaged: restore it from a backup; "
				"if you delete it, a new one is made and every phone must be "
				"enrolled again");
	return 0;
}

static int write_key(int dir, const struct wg_secret *key, const struct conf_user *owner,
		     struct diag *d)
{
	auto_close int fd = -1;
	char text[WG_KEY_TEXT_BYTES];
	ssize_t n;

	(void)unlinkat(dir, KEY_FILE_NEW, 0); /* left by a start that was cut off */
	fd = openat(dir, KEY_FILE_NEW, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return diag_errno(d, "cannot make " KEY_FILE);
	secret_format(text, key);
	text[WG_KEY_TEXT_BYTES - 1] = '\n';
	n = write(fd, text, sizeof(text));
	key_wipe(text, sizeof(text));
	if (n != sizeof(text) || dirs_give(fd, owner) || fsync(fd) ||
	    renameat(dir, KEY_FILE_NEW, dir, KEY_FILE) || fsync(dir))
		return diag_errno(d, "cannot write " KEY_FILE);
	return 0;
}

int gatekey_load(struct wg_secret *out, int dir, struct diag *d)
{
	auto_close int fd = openat(dir, KEY_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return diag_errno(d, "cannot open " KEY_FILE);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_mode & 077)
		return diag_set(d, ERR_CONFIG,
				KEY_FILE " in the state folder is readable by others: if "
					 "nobody has read it, `chmod 600` it");
	return read_key(out, fd, d);
}

int gatekey_make(struct wg_secret *out, int dir, const struct conf_user *owner, struct diag *d)
{
	if (!faccessat(dir, KEY_FILE, F_OK, AT_SYMLINK_NOFOLLOW) || errno != ENOENT)
		return gatekey_load(out, dir, d);
	secret_generate(out);
	return write_key(dir, out, owner, d);
}
