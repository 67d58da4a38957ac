/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tunnel's own IPv6 prefix: drawn once, kept beside the gateway's key. Runs at start-up.
 */
#include "daemon/priv/tunnel6.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "common/cleanup.h"
#include "daemon/priv/dirs.h"

#define FILE_NAME     "tunnel6"
#define FILE_NAME_NEW "tunnel6.new"
#define RANDOM_BYTES  7 /* RFC 4193, 3.1: 40 bits of global ID, then 16 of subnet ID */

static int read_prefix(struct prefix6 *out, int fd, struct diag *d)
{
	char text[PREFIX6_TEXT_BYTES + 1] = "";
	ssize_t n = read(fd, text, sizeof(text) - 1);

	if (n < 0)
		return diag_errno(d, "cannot read " FILE_NAME);
	if (n > 0 && text[n - 1] == '\n')
		text[n - 1] = '\0';
	if (prefix6_parse(out, text) || tunnel6_check(out, NULL))
		return diag_set(d, ERR_CONFIG,
				FILE_NAME " in the state folder is damaged: restore it from a "
					  "backup; if you delete it, a new prefix is chosen, and "
					  "phones have IPv6 again once they scan a new code");
	return 0;
}

static int load(struct prefix6 *out, int dir, struct diag *d)
{
	auto_close int fd = openat(dir, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return diag_errno(d, "cannot open " FILE_NAME);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_mode & 022)
		return diag_set(d, ERR_CONFIG,
				FILE_NAME " in the state folder may be written to by others: "
					  "`chmod 600` it");
	return read_prefix(out, fd, d);
}

static int draw(struct prefix6 *out, struct diag *d)
{
	if (sodium_init() < 0)
		return diag_set(d, ERR_SYSTEM, "no random numbers for tunnel6 = auto");
	*out = (struct prefix6){.addr = {0xfd}, .len = TUNNEL6_LEN_MIN};
	randombytes_buf(out->addr + 1, RANDOM_BYTES);
	return 0;
}

static int make(struct prefix6 *out, int dir, const struct conf_user *owner, struct diag *d)
{
	auto_close int fd = -1;
	char text[PREFIX6_TEXT_BYTES];
	size_t n;
	int rc = draw(out, d);

	if (rc)
		return rc;
	prefix6_format(text, out);
	n = strlen(text);
	text[n++] = '\n';
	(void)unlinkat(dir, FILE_NAME_NEW, 0); /* left by a start that was cut off */
	fd = openat(dir, FILE_NAME_NEW, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return diag_errno(d, "cannot make " FILE_NAME);
	if (write(fd, text, n) != (ssize_t)n || dirs_give(fd, owner) || fsync(fd) ||
	    renameat(dir, FILE_NAME_NEW, dir, FILE_NAME) || fsync(dir))
		return diag_errno(d, "cannot write " FILE_NAME);
	return 0;
}

int tunnel6_settle(struct conf *conf, int dir, struct diag *d)
{
	if (!conf->tunnel6_auto)
		return 0;
	if (!faccessat(dir, FILE_NAME, F_OK, AT_SYMLINK_NOFOLLOW) || errno != ENOENT)
		return load(&conf->tunnel6, dir, d);
	return make(&conf->tunnel6, dir, &conf->net, d);
}
