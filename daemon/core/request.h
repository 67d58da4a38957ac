/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests: one table from a message's type to the function that carries it out. Each of those is
 * in a req_*.c; it queues items (request_item) and returns 0 or an error with its sentence. END or
 * ERROR is sent here.
 */
#pragma once

#include "common/control.h"

struct client;
struct core;

struct request {
	struct core *core;
	struct client *client;
	const char *actor; /* for events */
};

/* Of a request_fn: the answer comes later (request_later, request_end). */
#define REQUEST_LATER 1

typedef int (*request_fn)(const struct request *r, const union control_any *msg, struct diag *d);

/* Carries out one decoded message of the client's and queues the whole answer. */
void request_run(struct core *c, struct client *cl, uint16_t type, const union control_any *msg);
/* To be called before REQUEST_LATER is returned; *r must be kept, and given to request_end. */
void request_later(const struct request *r);
/* Ends the answer of a request that came later; code and *d as a request_fn returns them. */
void request_end(const struct request *r, int code, const struct diag *d);
void request_item(const struct request *r, uint16_t type, const void *msg);

int req_status(const struct request *r, const union control_any *msg, struct diag *d);
int req_peers(const struct request *r, const union control_any *msg, struct diag *d);
int req_lock(const struct request *r, const union control_any *msg, struct diag *d);
int req_unlock(const struct request *r, const union control_any *msg, struct diag *d);
int req_doctor(const struct request *r, const union control_any *msg, struct diag *d);
int req_log(const struct request *r, const union control_any *msg, struct diag *d);
int req_page(const struct request *r, const union control_any *msg, struct diag *d);
int req_page_password(const struct request *r, const union control_any *msg, struct diag *d);
int req_page_token(const struct request *r, const union control_any *msg, struct diag *d);
int req_provision_begin(const struct request *r, const union control_any *msg, struct diag *d);
int req_provision_printer(const struct request *r, const union control_any *msg, struct diag *d);
int req_provision_peer(const struct request *r, const union control_any *msg, struct diag *d);
int req_provision_commit(const struct request *r, const union control_any *msg, struct diag *d);
int req_provision_codes(const struct request *r, const union control_any *msg, struct diag *d);
int req_provision_done(const struct request *r, const union control_any *msg, struct diag *d);
int req_web_look(const struct request *r, const union control_any *msg, struct diag *d);
int req_web_login(const struct request *r, const union control_any *msg, struct diag *d);
int req_web_logout(const struct request *r, const union control_any *msg, struct diag *d);
int req_peer_show(const struct request *r, const union control_any *msg, struct diag *d);
int req_rename(const struct request *r, const union control_any *msg, struct diag *d);
int req_disable(const struct request *r, const union control_any *msg, struct diag *d);
int req_enable(const struct request *r, const union control_any *msg, struct diag *d);
int req_revoke(const struct request *r, const union control_any *msg, struct diag *d);
int req_enroll(const struct request *r, const union control_any *msg, struct diag *d);
int req_qr(const struct request *r, const union control_any *msg, struct diag *d);
int req_rekey(const struct request *r, const union control_any *msg, struct diag *d);
int req_allow(const struct request *r, const union control_any *msg, struct diag *d);
int req_deny(const struct request *r, const union control_any *msg, struct diag *d);
int req_printers(const struct request *r, const union control_any *msg, struct diag *d);
int req_printer_add(const struct request *r, const union control_any *msg, struct diag *d);
int req_printer_confirm(const struct request *r, const union control_any *msg, struct diag *d);
int req_printer_remove(const struct request *r, const union control_any *msg, struct diag *d);
