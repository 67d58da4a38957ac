/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the machine's clock is kept right. The kernel tells everybody, by a call that may also set the
 * clock: where a service is shut off from it (ProtectClock= of systemd.exec(5)), one is asked that is not,
 * and that can do nothing else: printgate-clock.socket.
 */
#pragma once

#include <stdbool.h>

/* Of printgate-clock.socket: a sequence of packets. Who connects gets one byte, SYNCHRONISED_YES or
 * SYNCHRONISED_NO, and the end. */
#define SYNCHRONISED_SOCKET "/run/printgate-clock.sock"
#define SYNCHRONISED_YES    '1'
#define SYNCHRONISED_NO	    '0'
/* Milliseconds that its answer is awaited: on a Pi it takes a tenth of a second. */
#define SYNCHRONISED_PATIENCE 3000

/* Does somebody (NTP) keep the machine's clock right? False also where nobody says so. May take
 * SYNCHRONISED_PATIENCE, where only the service may be asked. */
bool synchronised(void);

/* As the kernel says: 1 yes, 0 no, -1 if it may not be asked (EPERM). */
int synchronised_kernel(void);
/* As the service at that socket says within so many milliseconds. Whatever is not exactly
 * SYNCHRONISED_YES is false. */
bool synchronised_service(const char *path, int patience_ms);
