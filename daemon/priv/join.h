/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The companions under a service manager. It starts each in a unit of its own when printgated connects
 * to that unit's socket, RUNTIME/PROGRAM.start, so that printgated need never have been root. What a
 * companion otherwise inherits goes over this connection: arguments and descriptors.
 */
#pragma once

#include "daemon/priv/spawn.h"

/* printgated's side: has s->program started, and sends it s->args and s->fds but for those of -1,
 * which the companion makes itself. Returns a descriptor, the caller's, on which end of file is the companion's end.
 * ERR_UNREACHABLE if no manager listens. */
int join_call(const struct spawn *s, struct diag *d) __attribute__((warn_unused_result));

/* The companion's side: takes the manager's listening socket (sd_listen_fds(3)), waits there for
 * printgated and becomes `program`, as the user that c gives it. Returns only if that fails. */
int join_answer(const char *program, const struct conf *c, struct diag *d)
	__attribute__((warn_unused_result));
