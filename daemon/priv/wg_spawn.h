/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting and ending wireguard-go. It is a process that outlives this one: own session, no
 * descriptor but its tun and its listening socket, no right but CAP_NET_ADMIN, no way to gain more.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>

#include "common/err.h"

/* Where Debian or a local build puts it; NULL: not installed. PATH is not asked. */
const char *wg_spawn_program(void);

/* The flags (TUNSETIFF) of a tun that this program can serve when it is handed over: releases until
 * WG_SPAWN_LAST_WITH_PI expect the four bytes of packet information, later ones a virtio header. That one's
 * name is the next release's (20231211, Debian 13) too: these two are told apart by a function's name, which
 * Go programs hold. */
#define WG_SPAWN_LAST_WITH_PI 20230223
int wg_spawn_tun_flags(const char *program, short *flags, struct diag *d)
	__attribute__((warn_unused_result));

/* Starts `program` for the interface that `tun` is attached to; `listener` is bound, not yet
 * listening (the process listens itself, so that SO_PEERCRED names it and not us). Neither is taken
 * over. *pidfd becomes readable when the process has ended. */
int wg_spawn(const char *program, const char interface[IFNAMSIZ], int tun, int listener, int *pidfd,
	     struct diag *d) __attribute__((warn_unused_result));

/* Waits until the process has ended, at most timeout_ms; reaps it if it is our child. True: ended. */
bool wg_spawn_ended(int pidfd, int timeout_ms);
/* Ends it: SIGTERM, after a second SIGKILL. */
int wg_spawn_end(int pidfd, struct diag *d) __attribute__((warn_unused_result));
