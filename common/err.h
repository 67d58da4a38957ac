/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors. One enum for the whole project; a function that can fail returns 0 or one of these
 * (all negative) and puts the sentence for a person into a struct diag. The code's name
 * (err_name) is what `--json` prints as "code", so names are part of the contract.
 */
#pragma once

#define DIAG_TEXT_BYTES 384

enum err {
	ERR_NONE = 0,
	ERR_INTERNAL = -1,	 /* "internal": should not happen; a bug of ours */
	ERR_USAGE = -2,		 /* "usage": the command line is wrong */
	ERR_BAD_NAME = -3,	 /* "bad_name" */
	ERR_NAME_TAKEN = -4,	 /* "name_taken" */
	ERR_NOT_FOUND = -5,	 /* "not_found": no such peer or printer */
	ERR_BAD_ADDRESS = -6,	 /* "bad_address": address or prefix unusable as a printer */
	ERR_BAD_PREFIX = -7,	 /* "bad_prefix": tunnel prefix unusable */
	ERR_BAD_SERVICE = -8,	 /* "bad_service": protocol or port */
	ERR_BAD_PRESET = -9,	 /* "bad_preset" */
	ERR_BAD_KEY = -10,	 /* "bad_key": not a usable WireGuard public key */
	ERR_KEY_TAKEN = -11,	 /* "key_taken": another peer, or the gateway itself, has it */
	ERR_POOL_FULL = -12,	 /* "pool_full": no address left in the tunnel prefix */
	ERR_BAD_TIME = -13,	 /* "bad_time" */
	ERR_NOT_PERMITTED = -14, /* "not_permitted": exit status 3 */
	ERR_UNREACHABLE = -15,	 /* "unreachable": the daemon; exit status 4 */
	ERR_PROTOCOL = -16,	 /* "protocol": a message that does not decode */
	ERR_STORE = -17,	 /* "store": SQLite said no */
	ERR_KERNEL = -18,	 /* "kernel": netlink or the WireGuard back end said no */
	ERR_CONFIG = -19,	 /* "config": the configuration file */
	ERR_CONFLICT = -20,	 /* "conflict": the state of things forbids it */
	ERR_SYSTEM = -21,	 /* "system": a system call failed */
	ERR_EXPIRED = -22,	 /* "expired" */
	ERR_LIMIT = -23,	 /* "limit": a named bound was exceeded */
	ERR_NO_CONFIG = -24,	 /* "no_config": the peer's config is not kept (any more) */
	ERR_DENIED = -25, /* "denied": a wrong password, or a form that is not of its session */
	ERR_LAST = ERR_DENIED
};

/* What to tell a person: filled by whoever fails, printed once by the program. */
struct diag {
	enum err code;
	char text[DIAG_TEXT_BYTES];
};

/* Sets code and sentence, returns code. NULL diag is allowed (then only the code is returned).
 * A text that is too long is cut. */
int diag_set(struct diag *d, enum err code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* As diag_set with ERR_SYSTEM, ": " and strerror(errno) appended. */
int diag_errno(struct diag *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The stable lower-case name of a code ("name_taken"); "internal" for an unknown one. */
const char *err_name(int code);
