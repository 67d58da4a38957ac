/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Times that nobody sets: how long something lasts, and until when it is waited for.
 */
#pragma once

#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC, which stands still while the machine is suspended. */
int64_t mono_ms(void);
/* Milliseconds of CLOCK_BOOTTIME, which does not. */
int64_t mono_boot_ms(void);

/* As poll(2) for one descriptor, but signals neither end nor lengthen it. Negative timeout_ms: no end. */
int mono_poll(int fd, short events, int timeout_ms);
