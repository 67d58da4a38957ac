/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carrying out what a provisioning file says.
 */
#pragma once

#include "cli/answer.h"
#include "cli/provision.h"

struct provision_result {
	bool applied;	       /* now; false: this very file was applied before */
	bool conf_written;     /* … to conf_path */
	const char *conf_path; /* static */
	bool conf_ignored;     /* there is a configuration already */
	struct printer_list printers;
	struct name peer[PROVISION_ITEMS_MAX];
	unsigned peers;
	struct control_gateway gateway;
};

/* The configuration, if there is none yet: `path`, or NULL for where printgated looks for it. */
int provision_configure(const struct provision_file *f, const char *path,
			struct provision_result *out, struct diag *d)
	__attribute__((warn_unused_result));
/* Starts printgated by systemd, if it does not run and systemd does, and asks what gateway it is.
 * ERR_UNREACHABLE with the next step. */
int provision_start(struct cli *cli, struct provision_result *r, struct diag *d)
	__attribute__((warn_unused_result));
/* Everything else, in core's one transaction. ERR_CONFLICT where the file may not add to this gateway;
 * errors of a section begin with "line N: ". */
int provision_apply(struct cli *cli, const struct provision_file *f, struct provision_result *out,
		    struct diag *d) __attribute__((warn_unused_result));
/* After a power cut that left the file: fills in what it has brought to this gateway, as far as it is still
 * there. */
int provision_recall(struct cli *cli, const struct provision_file *f, struct provision_result *out,
		     struct diag *d) __attribute__((warn_unused_result));
/* Waits for a clock that is known to be right, ten minutes at most. ERR_BAD_TIME. */
int provision_await_clock(struct diag *d) __attribute__((warn_unused_result));
void provision_result_free(struct provision_result *r);
