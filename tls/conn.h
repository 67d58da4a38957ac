/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections from the LAN: let in, brought through the handshake, handed over to printgate-web, and
 * from then on carried byte by byte. What the bytes mean is not known here.
 */
#pragma once

#include <event2/event.h>

#include <openssl/ssl.h>

#include "common/inet.h"
#include "common/inet6.h"

#define CONN_MAX	       256 /* at a time */
#define CONN_ADDRESS_MAX       16  /* of them, from one address (IPv6: one /64) */
#define CONN_HANDSHAKE_SECONDS 10  /* from accept to the end of the handshake */
#define CONN_CLOSE_SECONDS     15 /* from the page's end to the client's: the rest is to be taken */
#define CONN_SILENT_SECONDS    60 /* without a sign of life from the client's machine (TCP) */

struct door;

/* `line` leads to printgate-web. Who comes from the tunnel is turned away: the page in the tunnel is
 * another. tunnel6 of length 0: none. */
struct door *door_new(struct event_base *base, SSL_CTX *context, int line, struct prefix4 tunnel,
		      const struct prefix6 *tunnel6) __attribute__((returns_nonnull));
/* Accepts on a listening TCP socket (taken over). ERR_SYSTEM if it is not one. */
int door_listen(struct door *door, int listener, struct diag *d)
	__attribute__((warn_unused_result));
/* Ends all connections. NULL is allowed. */
void door_free(struct door *door);
