/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections to core: those accepted on control.sock and the two inherited sockets of the
 * web process. Datagrams in, datagrams out, nothing about what they mean (request.c).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

#define CLIENTS_MAX	       64 /* at a time; more wait in the socket's backlog */
#define CLIENTS_OTHERS_MAX     48 /* of them, not root's; more are turned away */
#define CLIENTS_USER_MAX       16 /* of them, one user's who is not root */
#define CLIENT_IDLE_SECONDS    60 /* neither asks nor reads for so long: disconnected */
#define CLIENT_QUEUE_BYTES_MAX (64U << 20)

struct core;
struct client;
struct clients;

#define CLIENTS_WEB 2 /* of the web process: by one it looks, by the other it logs in */

/* Watches the listening socket and the web's (all become non-blocking). */
int clients_open(struct core *c, int listen_fd, const int web_fd[CLIENTS_WEB], struct diag *d)
	__attribute__((warn_unused_result));
void clients_free(struct clients *all);

bool client_is_web(const struct client *cl);
/* Who asks, for the log: a user's name, or "uid 1234", or "page". */
const char *client_actor(const struct client *cl);
/* Nothing is read from the client, and it is not taken for idle, until it is resumed: its answer is
 * still to come. It stays in place until then. */
void client_hold(struct client *cl);
void client_resume(struct client *cl); /* sends what is queued; may free the client */
/* Queues one message for the client; it goes out as its socket has room. */
void client_send(struct client *cl, uint16_t type, const void *msg);
