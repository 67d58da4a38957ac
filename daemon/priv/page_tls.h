/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page in the LAN: what printgated does at start-up to start printgate-tls. Certificate and
 * key are opened here, as root, and never read.
 */
#pragma once

#include "common/control.h"
#include "daemon/priv/conf.h"
#include "daemon/priv/dirs.h"
#include "daemon/priv/spawn.h"

/* Certificate and key among the descriptors of printgate-tls: the first of them, how many. */
#define PAGE_TLS_FILES_AT 2
#define PAGE_TLS_FILES	  2

struct page_tls {
	struct companion companion; /* printgate-tls; `line` tells whether it runs */
	int line; /* for printgate-web: where connections are handed over; -1 without */
	struct wire_viewers at;			     /* where it listens */
	char fingerprint[CONTROL_FINGERPRINT_BYTES]; /* of its certificate, as browsers show it */
};

/* Starts printgate-tls if it is configured, and waits until it has told its certificate's
 * fingerprint. What goes wrong is logged, and the page in the LAN left out then: it must not keep
 * phones from their printers. `lock` is inherited as by all companions. */
void page_tls_start(struct page_tls *t, const struct conf *c, const struct dirs *dirs, int lock);

/* Opens certificate and key, as root: those of the configuration or, made if they are missing, STATE/tls's.
 * Both descriptors are the caller's. ERR_CONFIG, ERR_SYSTEM. */
int page_tls_files(int out[PAGE_TLS_FILES], const struct conf *c, struct diag *d)
	__attribute__((warn_unused_result));
