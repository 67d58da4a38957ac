/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `tunnel6 = auto`: the prefix that printgated chose at its first start so, in STATE/net/tunnel6, one
 * line of text. It is kept while tunnel6 is something else: phones may hold addresses of it.
 */
#pragma once

#include "daemon/priv/conf.h"

/* With tunnel6_auto, fills conf's tunnel6 from the file in the folder `dir`, which is made if it is
 * missing (durable before this returns, 0600, of user net); otherwise does nothing. A file that is
 * damaged or that others may write to is refused, never replaced. ERR_CONFIG, ERR_SYSTEM. */
int tunnel6_settle(struct conf *conf, int dir, struct diag *d) __attribute__((warn_unused_result));
