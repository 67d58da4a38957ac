/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sealing key and its use. The key lies in guarded memory that is not swapped out and is wiped
 * when freed (sodium_malloc).
 */
#include "daemon/core/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/mem.h"

#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES   crypto_aead_xchacha20poly1305_ietf_ABYTES
#define KEY_BYTES   crypto_aead_xchacha20poly1305_ietf_KEYBYTES

_Static_assert(SEAL_BYTES == NONCE_BYTES + WG_KEY_BYTES + TAG_BYTES, "what seal.h promises");

struct seal {
	unsigned char *key;
};

/* ERR_NOT_FOUND: there is no such file. One of another length is not replaced: the configs that
 * its owner wanted kept depend on it. */
static int key_read(unsigned char *key, const char *path, struct diag *d)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return ERR_NOT_FOUND;
	if (fd < 0 || fstat(fd, &st))
		return diag_errno(d, "cannot read %s", path);
	if (!S_ISREG(st.st_mode) || st.st_size != KEY_BYTES ||
	    read(fd, key, KEY_BYTES) != (ssize_t)KEY_BYTES)
		return diag_set(d, ERR_SYSTEM,
				"%s is damaged; delete it, and phones' configs kept so far with it",
				path);
	return 0;
}

static int key_write_to(int fd, const unsigned char *key)
{
	if (write(fd, key, KEY_BYTES) != (ssize_t)KEY_BYTES)
		return -1;
	return fsync(fd);
}

/* Written under another name first: a file that is there is whole. */
static int key_write(const unsigned char *key, const char *path, struct diag *d)
{
	auto_close int dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_close int fd = -1;
	char tmp[64];

	(void)snprintf(tmp, sizeof(tmp), "%s.new", path);
	(void)unlink(tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (dir < 0 || fd < 0 || key_write_to(fd, key) || rename(tmp, path) || fsync(dir))
		return diag_errno(d, "cannot write %s", path);
	return 0;
}

static int key_keep(unsigned char *key, const char *path, bool *fresh, struct diag *d)
{
	int r = key_read(key, path, d);

	*fresh = r == ERR_NOT_FOUND;
	if (*fresh) {
		randombytes_buf(key, KEY_BYTES);
		r = key_write(key, path, d);
	}
	return r;
}

int seal_open(struct seal **out, const char *path, bool *fresh, struct diag *d)
{
	unsigned char *key = sodium_malloc(KEY_BYTES);
	int r = 0;

	if (!key)
		return diag_set(d, ERR_SYSTEM, "no guarded memory for the sealing key");
	*fresh = true;
	if (path)
		r = key_keep(key, path, fresh, d);
	else
		randombytes_buf(key, KEY_BYTES);
	if (r) {
		sodium_free(key);
		return r;
	}
	(void)sodium_mprotect_readonly(key);
	*out = mem_zalloc(1, sizeof(**out));
	(*out)->key = key;
	return 0;
}

void seal_free(struct seal *s)
{
	if (!s)
		return;
	sodium_free(s->key);
	free(s);
}

void seal_close(const struct seal *s, uint8_t out[SEAL_BYTES], const struct wg_secret *secret,
		const struct wg_key *public_key)
{
	randombytes_buf(out, NONCE_BYTES);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE_BYTES, NULL, secret->b,
							 WG_KEY_BYTES, public_key->b, WG_KEY_BYTES,
							 NULL, out, s->key);
}

int seal_reveal(const struct seal *s, struct wg_secret *out, const uint8_t *sealed, unsigned long n,
		const struct wg_key *public_key)
{
	if (n != SEAL_BYTES)
		return ERR_NO_CONFIG;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(out->b, NULL, NULL, sealed + NONCE_BYTES,
						       SEAL_BYTES - NONCE_BYTES, public_key->b,
						       WG_KEY_BYTES, sealed, s->key))
		return ERR_NO_CONFIG;
	return 0;
}
