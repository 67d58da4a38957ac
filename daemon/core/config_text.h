/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The config that a phone gets: exactly the lines that the Android and iOS apps both take, in a
 * fixed order, without comments. No DNS (it would lead all of the phone's look-ups into the tunnel)
 * and no MTU (both apps have a safe default).
 */
#pragma once

#include "common/privmsg.h"
#include "db/store.h"

/* Fills *out; wipe it after use. secret NULL: the peer has its private key itself, and the config
 * has no PrivateKey line. ERR_CONFIG if the gateway has no endpoint. */
int config_text(struct control_config *out, const struct privmsg_hello *gateway,
		const struct store_peer *peer, const struct wg_secret *secret, struct diag *d)
	__attribute__((warn_unused_result));

/* ERR_CONFIG, with what to do, if no config could be made. */
int config_possible(const struct privmsg_hello *gateway, struct diag *d)
	__attribute__((warn_unused_result));
