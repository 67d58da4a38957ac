/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does the state folder keep what is written to it? Used by core's start and by doctor.
 */
#pragma once

/* Takes the kind of file system. */
#define VOLATILE_STATE_TEXT                                                                        \
	"The state folder lies on a file system (%s) that forgets at the next boot: phones and "   \
	"printers would be lost. Put it on a partition of its own (raspi-config's overlay also "   \
	"covers that one, unless overlayroot=tmpfs:recurse=0)."

/* The kind of the file system that the working folder, core's state folder, is on, if it is one that
 * loses its content with the power: "tmpfs", "ramfs" or "overlay". NULL: it is not, or cannot be
 * told. */
const char *volatile_state(void);
