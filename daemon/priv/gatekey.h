/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gateway's private key: STATE/net/gateway.key, 44 characters of base64 and a line feed, 0600,
 * made at first start on this machine. Nobody but printgated reads it.
 */
#pragma once

#include "common/key.h"
#include "daemon/priv/conf.h"

/* Reads the key from the folder, or makes it there (durable before it returns) and gives the file to
 * `owner`. A key file that is damaged is an error, never replaced: phones know its public half.
 * ERR_CONFIG, ERR_SYSTEM. The caller wipes *out. */
int gatekey_load(struct wg_secret *out, int dir, const struct conf_user *owner, struct diag *d)
	__attribute__((warn_unused_result));
