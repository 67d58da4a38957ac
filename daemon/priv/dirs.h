/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Folders and the lock (start-up only). Where the package has made RUNTIME/net and RUNTIME/core for these
 * accounts (tmpfiles.d), the lock and the control socket lie there, and RUNTIME/control.sock is a link to the
 * socket: so they can be made without being root, and replaced by nobody else.
 */
#pragma once

#include "daemon/priv/conf.h"

struct dirs {
	int core;  /* STATE/core: the core's, 0700; becomes its working folder */
	int net;   /* STATE/net: ours, 0700; holds gateway.key */
	int empty; /* RUNTIME/empty: root's, and nobody may write to it; the page's root */
};

/* Makes the folders that are missing. Descriptors are the caller's to close. ERR_SYSTEM; ERR_CONFIG
 * if a folder belongs to somebody else. */
int dirs_make(struct dirs *out, const struct conf *c, struct diag *d)
	__attribute__((warn_unused_result));

/* STATE/tls, root's, 0700: the page's own certificate and key. After dirs_make; the descriptor is the
 * caller's. ERR_SYSTEM, ERR_CONFIG as above. */
int dirs_tls(const struct conf *c, int *out, struct diag *d) __attribute__((warn_unused_result));

/* Hands what was just made over to `owner`; nothing to do where that is who we are. 0, or -1 and errno. */
int dirs_give(int fd, const struct conf_user *owner) __attribute__((warn_unused_result));

/* For companions that a service manager started: STATE/core, or with `page` RUNTIME/empty. The
 * descriptor is the caller's. ERR_SYSTEM; ERR_CONFIG if it belongs to somebody else. */
int dirs_of_companion(int *out, const struct conf *c, bool page, struct diag *d)
	__attribute__((warn_unused_result));

#define DIRS_CORE "core"
#define DIRS_NET  "net"

/* Fills in RUNTIME/name if that folder is there, and returns true; else RUNTIME. */
bool dirs_runtime(char out[PATH_MAX], const struct conf *c, const char *name);

/* Takes printgated.lock in RUNTIME/net, or else RUNTIME (flock(2); ends with the descriptor), waiting up to five seconds for
 * one that is ending. ERR_CONFLICT if another printgated has it. */
int dirs_lock(const struct conf *c, int *out, struct diag *d) __attribute__((warn_unused_result));

/* Removes control socket and lock, and RUNTIME itself if nothing else is in it. The state stays. */
int dirs_unmake(const struct conf *c, struct diag *d) __attribute__((warn_unused_result));
