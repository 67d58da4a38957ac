/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a key looks like in the files that hold one: wg-quick's, systemd-networkd's, NetworkManager's,
 * and our own.
 */
#pragma once

#include <stdbool.h>

/* A line that sets a private or preshared key, or a file that is one and nothing else (such as `wg
 * genkey >wg0.key` makes; of two of the same form the name tells which is the public one). */
bool imagekey_is_in(const char *name, const char *text);
/* In a folder where no such thing is ever needed: any key of WireGuard's form, even a public or a
 * commented one, a private key in PEM, a store. */
bool imagekey_is_in_ours(const char *text);
