/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gateway's private key: STATE/net/gateway.key, 44 characters of base64 and a line feed, 0600,
 * made at first start on this machine. Nobody but printgated reads it.
 */
#pragma once

#include "common/key.h"
#include "daemon/priv/conf.h"

/* Reads the key from the folder. A file that is missing, damaged or readable by others is an error,
 * never replaced: phones know its public half. ERR_CONFIG, ERR_SYSTEM. The caller wipes *out. */
int gatekey_load(struct wg_secret *out, int dir, struct diag *d)
	__attribute__((warn_unused_result));

/* As gatekey_load, but makes a missing key (durable before it returns) and gives the file to `owner`:
 * for the first start only. */
int gatekey_make(struct wg_secret *out, int dir, const struct conf_user *owner, struct diag *d)
	__attribute__((warn_unused_result));
