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

/* The companion's side, to begin with: takes the manager's listening socket (sd_listen_fds(3)), and waits
 * there for printgated. Comes before all that may fail, for a connection that nobody takes has the manager
 * start us again and again, and printgated learn nothing. Returns the connection, the caller's; ERR_USAGE. */
int join_take(const char *program, struct diag *d) __attribute__((warn_unused_result));

/* Then: becomes `program`, as the user that c gives it, with what printgated says on `call`. Returns only
 * if that fails. */
int join_answer(const char *program, int call, const struct conf *c, struct diag *d)
	__attribute__((warn_unused_result));
