/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The listening sockets: bound by printgated at start-up, used by core (control.sock) and web (the
 * page's). Rights come from which socket a message came in on.
 */
#pragma once

#include "daemon/priv/conf.h"

#define SOCK_CONTROL_NAME "control.sock"
#define SOCK_GROUP	  "printgate" /* who may use control.sock besides root */

/* The page on the gateway's tunnel address is not bound at the port that phones use: a web server of
 * this machine's own on 0.0.0.0:80 (an OctoPi's) and a socket on 10.x.y.1:80 exclude each other.
 * It is bound here or at the next free port, and a constant rule of the table leads tunnel:80 to it. */
#define SOCK_PAGE_PORT	51880
#define SOCK_PAGE_TRIES 16

/* control.sock in dirs_runtime's folder, SOCK_SEQPACKET, 0660 with the group printgate (0600 root where there
 * is no such group). A socket left behind is replaced; the caller holds the lock. */
int sock_control(int *out, const struct conf *c, struct diag *d)
	__attribute__((warn_unused_result));

/* Binds one of the page's addresses; *bound_port is where. ERR_SYSTEM: in use, say. */
int sock_page(const struct conf_listen *l, int *out, uint16_t *bound_port, struct diag *d)
	__attribute__((warn_unused_result));

/* Binds one of the addresses in the LAN for printgate-tls. ERR_SYSTEM: in use, say. */
int sock_tls(const struct endpoint *at, int *out, struct diag *d)
	__attribute__((warn_unused_result));

/* A close-on-exec SOCK_SEQPACKET pair. */
int sock_pair(int out[2], struct diag *d) __attribute__((warn_unused_result));
