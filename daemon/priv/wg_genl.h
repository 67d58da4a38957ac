/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WGDEVICE messages (linux/wireguard.h) in memory: encoder and reader, tested without a socket. The
 * sizes are chosen so that a message holds rtnl_lock for some 70 new peers only, and no nest comes
 * near the 65,535 bytes an attribute can tell.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/priv/wg_allowed.h"
#include "daemon/priv/wg_backend.h"

#define WG_GENL_BYTES 8192 /* longest message we send */

struct nl_msg;
struct nlattr;

/* Messages with everything but the netlink header's sequence number; wg_genl_free wipes them.
 * `family` is WireGuard's generic netlink family. */
struct nl_msg *wg_genl_get(int family, const char *interface) __attribute__((returns_nonnull));
/* key NULL and port 0: left as they are. */
struct nl_msg *wg_genl_config(int family, const char *interface, const struct wg_secret *key,
			      uint16_t port) __attribute__((returns_nonnull));
/* As many of the n edits as fit; *taken says how many (at least one). */
struct nl_msg *wg_genl_edits(int family, const char *interface, const struct wg_edit *list,
			     size_t n, size_t *taken) __attribute__((returns_nonnull));
/* Removes all peers. */
struct nl_msg *wg_genl_empty(int family, const char *interface) __attribute__((returns_nonnull));
void wg_genl_free(struct nl_msg *m);

/* A dump is any number of messages, and a peer may go on in the next one. */
struct wg_genl_reader {
	struct wg_config config;
	struct wg_peer_state peer; /* the one that may still go on */
	struct wg_allowed allowed; /* its allowed IPs so far */
	bool has_peer;
	wg_peer_fn fn; /* may be NULL */
	void *arg;
};

/* Takes one message's attributes. 0, ERR_PROTOCOL with a sentence, or what fn returned. */
int wg_genl_read(struct wg_genl_reader *r, struct nlattr *attrs, int len, struct diag *d)
	__attribute__((warn_unused_result));
/* After the last message: hands on the last peer. */
int wg_genl_read_end(struct wg_genl_reader *r) __attribute__((warn_unused_result));
