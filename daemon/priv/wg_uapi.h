/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text that a userspace WireGuard speaks on its socket (www.wireguard.com/xplatform): lines of
 * key=value, an empty line at the end, keys in hex. Encoder and reader work on memory only, so they
 * are tested without a socket. What the reader is given comes from another process and may be
 * anything.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/priv/wg_allowed.h"
#include "daemon/priv/wg_backend.h"

#define UAPI_TEXT_BYTES 16384 /* longest request we send */
#define UAPI_LINE_BYTES 256   /* longest line we read; a peer's longest is 78 */

/* Each writes one whole request, ending in the empty line, and returns its length; key NULL and
 * port 0 mean "leave as it is". Wipe the text after use. */
size_t uapi_put_config(char out[UAPI_TEXT_BYTES], const struct wg_secret *key, uint16_t port);
/* As many of the n edits as fit; *taken says how many (at least one). */
size_t uapi_put_edits(char out[UAPI_TEXT_BYTES], const struct wg_edit *list, size_t n,
		      size_t *taken);

struct uapi_reader {
	struct wg_config config;
	struct wg_peer_state peer; /* the one being read */
	struct wg_allowed allowed; /* its allowed IPs so far */
	bool in_peer;
	bool config_only; /* stop at the first peer */
	bool done;	  /* the answer is complete */
	bool ended;	  /* errno= was read: only the empty line may follow */
	int error;	  /* what errno= said, 0 or positive */
	wg_peer_fn fn;	  /* may be NULL */
	void *arg;
	size_t line_n;
	char line[UAPI_LINE_BYTES];
};

/* Takes the next bytes of an answer. 0, ERR_PROTOCOL with a sentence, or what fn returned. */
int uapi_read(struct uapi_reader *r, const char *text, size_t n, struct diag *d)
	__attribute__((warn_unused_result));
