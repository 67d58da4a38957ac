/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page in the LAN: what printgated does, as root at start-up, to start printgate-tls. It opens
 * certificate and key and never reads them.
 */
#pragma once

#include <sys/types.h>

#include "common/control.h"
#include "daemon/priv/conf.h"
#include "daemon/priv/dirs.h"

struct page_tls {
	pid_t pid; /* of printgate-tls; 0: it does not run */
	int line;  /* for printgate-web: where connections are handed over; -1 without */
	struct wire_viewers at;			     /* where it listens */
	char fingerprint[CONTROL_FINGERPRINT_BYTES]; /* of its certificate, as browsers show it */
};

/* Starts printgate-tls if it is configured, and waits until it has told its certificate's
 * fingerprint. What goes wrong is logged, and the page in the LAN left out then: it must not keep
 * phones from their printers. `lock` is inherited as by all companions. */
void page_tls_start(struct page_tls *t, const struct conf *c, const struct dirs *dirs, int lock);
