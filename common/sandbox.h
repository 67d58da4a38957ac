/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a program that talks to strangers gives up before it reads a first byte: the file system,
 * every capability, and all system calls but those on its list. For printgate-web and printgate-tls.
 */
#pragma once

#include <stddef.h>

#include "common/err.h"

/* The working folder, which must be empty, becomes the root: nothing can be opened any more. Takes
 * CAP_SYS_CHROOT, and leaves no capability. At most `files` descriptors, no child, no core dump, no
 * ptrace by the same user. ERR_SYSTEM. */
int sandbox_enter(unsigned files, struct diag *d) __attribute__((warn_unused_result));

/* These n system calls, by name, and ioctl(FIONREAD); any other ends the process. Names that an
 * architecture does not have are passed over, and what 32-bit machines call instead is allowed too.
 * After all has been set up. ERR_SYSTEM. */
int sandbox_seal(const char *const *calls, size_t n, struct diag *d)
	__attribute__((warn_unused_result));
