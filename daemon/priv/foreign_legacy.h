/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's old iptables tables, which nftables does not show: iptables-legacy's. Read only.
 */
#pragma once

#include "daemon/priv/flow.h"

/* Opens the kernel's list of old tables, which root alone may; -1: there is none now, or we are not root. */
int foreign_legacy_open(void);

enum foreign_legacy {
	FOREIGN_LEGACY_NONE,	/* no filter table: nothing is judged there */
	FOREIGN_LEGACY_UNKNOWN, /* it cannot be read, or followed to its end */
	FOREIGN_LEGACY_ADMITS,
	FOREIGN_LEGACY_DROPS,
};

/* What the filter table does with a flow. names: of foreign_legacy_open. */
enum foreign_legacy foreign_legacy_judge(int names, const struct flow *f);
