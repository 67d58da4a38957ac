/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file that provisions a gateway: printgate.conf's own sections, [printer NAME], [enroll NAME] and
 * [provision]. It may lie where others can write (a boot partition), so its text is looked at only by
 * a process that can do nothing but compute; what comes out of it are requests to core, which are
 * checked once more where they are received, and lines of configuration, which printgated checks.
 */
#pragma once

#include <stdbool.h>

#include "common/control.h"

#define PROVISION_FILE_BYTES 16384
#define PROVISION_MINUTES    60 /* unless the file says otherwise */

struct provision_printer {
	unsigned line; /* of its section */
	struct control_printer_add msg;
};

struct provision_peer {
	unsigned line;
	struct control_provision_peer msg;
};

struct provision_file {
	struct control_provision head; /* with the file's hash */
	unsigned printers, peers;
	struct provision_printer printer[PROVISION_ITEMS_MAX];
	struct provision_peer peer[PROVISION_ITEMS_MAX];
	/* The configuration's sections, cleaned, each line where it stands in the file and all others
	 * empty: so printgated's sentences name the right one. */
	char conf[PROVISION_FILE_BYTES + 1];
	bool has_conf, has_endpoint, has_tunnel, has_end;
};

/* What a file's text says: pure computation, without allocation or any system call. ERR_CONFIG with
 * "line N: …". */
int provision_parse(struct provision_file *out, const char *text, size_t n, struct diag *d)
	__attribute__((warn_unused_result));

/* The same in a process of its own without rights, which may do nothing but end. *out is to be
 * given back with provision_free. */
int provision_read(struct provision_file **out, const char *text, size_t n, struct diag *d)
	__attribute__((warn_unused_result));
void provision_free(struct provision_file *p);

/* What that process left is nobody's word: counts within their arrays, texts that end. ERR_SYSTEM if not even
 * that can be had of it. */
int provision_settle(struct provision_file *f, struct diag *d) __attribute__((warn_unused_result));

/* The configuration: printgated says whether it is good (ERR_CONFIG, "line N: …"). */
int provision_conf_check(const struct provision_file *p, struct diag *d)
	__attribute__((warn_unused_result));
