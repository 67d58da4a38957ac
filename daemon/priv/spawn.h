/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting the companions without any privilege, and giving up our own.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "daemon/priv/companion.h"
#include "daemon/priv/conf.h"

#define SPAWN_FDS_MAX  24
#define SPAWN_ARGS_MAX 16

struct spawn {
	const char
		*program; /* file name; looked for beside printgated, then in the library folder */
	const char *runtime;		  /* RUNTIME, where a service manager may listen */
	const char *args[SPAWN_ARGS_MAX]; /* up to the first NULL */
	struct conf_user user;
	bool may_chroot;	/* keeps CAP_SYS_CHROOT, as an ambient capability */
	int folder;		/* becomes its working folder; -1: / */
	int fds[SPAWN_FDS_MAX]; /* become descriptors 3, 4, … */
	unsigned fd_count;
};

/* Did a service manager start us as who we are to be, and does it start the companions? Otherwise we
 * are root, and fork. */
bool spawn_managed(void);

/* May a companion be given CAP_SYS_CHROOT? Not in a container that withholds it. */
bool spawn_may_chroot(void);

/* Forks and executes. In the child: own uid and gid, no groups, no capability in any set (but the
 * one that it may have), bounding set as well, no_new_privs, no descriptor but 0-2 and the given ones. The binary is opened as root and
 * executed by descriptor, since its folder may be closed to the child's user. Under a service manager:
 * join_call; user, may_chroot and folder are its units' part then. ERR_SYSTEM, ERR_UNREACHABLE. */
int spawn_start(const struct spawn *s, struct companion *out, struct diag *d)
	__attribute__((warn_unused_result));

/* Is this process root or `user`, so that it can be `program`? ERR_CONFIG if neither. */
int spawn_may_be(const char *program, const struct conf_user *user, struct diag *d)
	__attribute__((warn_unused_result));

/* This process takes the user, capabilities and limits of spawn_start's child. ERR_SYSTEM; ERR_CONFIG if it
 * is neither root nor s->user. */
int spawn_identity(const struct spawn *s, struct diag *d) __attribute__((warn_unused_result));

/* This process, after spawn_identity, becomes s->program. Returns only on failure: ERR_SYSTEM. */
int spawn_become(const struct spawn *s, struct diag *d) __attribute__((warn_unused_result));

/* This process becomes `user` with CAP_NET_ADMIN permitted, effective and inheritable (for
 * wireguard-go) and nothing else, and no_new_privs. Under a service manager it only makes sure of
 * the former, and that nothing else is passed on.
 * ERR_NOT_PERMITTED if CAP_NET_ADMIN is missing. */
int spawn_drop(const struct conf_user *user, struct diag *d) __attribute__((warn_unused_result));
