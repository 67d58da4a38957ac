/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The UAPI socket of a userspace WireGuard, /run/wireguard/INTERFACE.sock, where wg(8) looks for it
 * too. The path is the same in every network namespace, so a live socket may belong to another
 * one's interface. The socket's own mode and owner are never touched: wireguard-go takes that as
 * the sign to end.
 */
#pragma once

#include <net/if.h>
#include <stddef.h>
#include <sys/types.h>

#include "daemon/priv/wg_uapi.h"

enum wg_sock_state {
	WG_SOCK_NONE,
	WG_SOCK_STALE, /* nobody listens any more */
	WG_SOCK_LIVE,
};

/* As root: the folder, writable for the group `gid` (sticky: nobody removes another's socket). */
int wg_sock_folder(gid_t gid, struct diag *d) __attribute__((warn_unused_result));
/* ERR_NOT_PERMITTED: a socket of another user's is there. */
int wg_sock_state(const char *interface, enum wg_sock_state *state, struct diag *d)
	__attribute__((warn_unused_result));
/* Removes a stale one; none is no error. */
int wg_sock_remove(const char *interface, struct diag *d) __attribute__((warn_unused_result));
/* A bound socket that does not listen yet. */
int wg_sock_bind(const char *interface, int *fd, struct diag *d)
	__attribute__((warn_unused_result));

/* Sends one request and reads the answer through *r. *pidfd (unless NULL): the process that
 * answered, sure to be it, since it answered after the descriptor was opened. */
int wg_sock_ask(const char *interface, const char *text, size_t n, struct uapi_reader *r,
		int *pidfd, struct diag *d) __attribute__((warn_unused_result));
