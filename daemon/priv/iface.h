/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network interface by its name: what it is, whether it is ours, marking and removing it. Shared
 * by the WireGuard back ends and link.c, with the route netlink socket and its error sentences.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

#define IFACE_KIND_BYTES 16

struct nl_msg;
struct nl_sock;

struct iface {
	int index; /* 0: there is no such interface */
	bool ours; /* bears LINK_ALIAS */
	bool up;
	bool carrier;		     /* of a tun: some process is attached to it */
	char kind[IFACE_KIND_BYTES]; /* "wireguard", "tun"; "" for hardware */
};

int iface_socket(struct nl_sock **out, struct diag *d) __attribute__((warn_unused_result));
/* An absent interface is no error: out->index is 0 then. */
int iface_get(struct nl_sock *sk, const char *name, struct iface *out, struct diag *d)
	__attribute__((warn_unused_result));
int iface_create(struct nl_sock *sk, const char *name, const char *kind, unsigned mtu,
		 struct diag *d) __attribute__((warn_unused_result));
int iface_mark(struct nl_sock *sk, int index, struct diag *d) __attribute__((warn_unused_result));
int iface_delete(struct nl_sock *sk, int index, struct diag *d)
	__attribute__((warn_unused_result)); /* absent is no error */

/* Sends and frees the message, waits for its acknowledgement. Returns libnl's code, 0 or negative. */
int iface_talk(struct nl_sock *sk, struct nl_msg *m) __attribute__((warn_unused_result));
/* ERR_KERNEL, or ERR_NOT_PERMITTED with the missing capability named; ": " and the reason for
 * libnl's error code are appended. */
int iface_fail(struct diag *d, int nlerr, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A message whose buffer holds at least `room` bytes; aborts when there is no memory. */
struct nl_msg *iface_message(uint16_t type, int flags, unsigned long room)
	__attribute__((returns_nonnull));
/* ERR_CONFLICT: an interface of that name is there and does not bear our mark. */
int iface_foreign(const char *name, struct diag *d);
