/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What printgate-web gives up before it reads a first byte: the file system, every capability, and
 * all system calls but those that it needs to answer.
 */
#pragma once

#include "common/err.h"

#define SANDBOX_CALLS_MAX 28 /* in the list; tests/web counts those that are used */

/* The working folder, which must be empty, becomes the root: nothing can be opened any more. Takes
 * CAP_SYS_CHROOT, and leaves no capability. At most `files` descriptors, no child, no core dump, no
 * ptrace by the same user. ERR_SYSTEM. */
int sandbox_enter(unsigned files, struct diag *d) __attribute__((warn_unused_result));
/* The list of system calls; any other ends the process. After all has been set up. ERR_SYSTEM. */
int sandbox_seal(struct diag *d) __attribute__((warn_unused_result));
