/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prepared statements: each is made at its first use and kept. A query binds its parameters in
 * order and is reset when it goes out of scope; the first error sticks, so that callers check once.
 */
#pragma once

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct store;

enum query_id {
	Q_META_GET,
	Q_META_SET,
	Q_PEER_INSERT,
	Q_PEER_BY_NAME,
	Q_PEER_BY_ADDRESS,
	Q_PEER_BY_KEY,
	Q_PEER_RENAME,
	Q_PEER_REKEY,
	Q_PEER_DISABLE,
	Q_PEER_CONNECTED,
	Q_PEER_REVOKE,
	Q_PEER_EACH,
	Q_PEER_COUNT,
	Q_PEER_NEXT_EXPIRY,
	Q_PEER_HAS_ADDRESS,
	Q_PEER_GAP,
	Q_PRINTER_INSERT,
	Q_PRINTER_BY_NAME,
	Q_PRINTER_BY_ID,
	Q_PRINTER_MOVE,
	Q_PRINTER_DELETE,
	Q_PRINTER_EACH,
	Q_PRINTER_VPN_UP,
	Q_PRINTER_VPN_DOWN,
	Q_SERVICE_INSERT,
	Q_SERVICE_EACH,
	Q_GRANT_PUT,
	Q_GRANT_DELETE,
	Q_GRANT_DELETE_OF_PEER,
	Q_GRANT_EACH,
	Q_GRANT_EACH_OF_PEER,
	Q_GRANT_EACH_OF_PRINTER,
	Q_SEALED_PUT,
	Q_SEALED_GET,
	Q_SEALED_ERASE,
	Q_SEALED_ERASE_BEFORE,
	Q_SEALED_COUNT,
	Q_EVENT_ADD,
	Q_EVENT_TRIM,
	Q_EVENT_EACH,
	Q_EVENT_EACH_OF,
	Q_PAGE_GET,
	Q_PAGE_PASSWORD,
	Q_PAGE_TOKEN,
	Q_CLAIM_PUT,
	Q_CLAIM_DELETE,
	Q_CLAIM_EACH,
	QUERY_COUNT
};

/* By enum query_id. */
extern const char *const query_sql[QUERY_COUNT];

struct query {
	struct store *s;
	sqlite3_stmt *st; /* borrowed from the store; NULL if it could not be had */
	int rc;		  /* first error */
	int bound;	  /* parameters bound so far */
};

#define auto_query __attribute__((cleanup(query_close))) struct query

struct query query_open(struct store *s, enum query_id id);
void query_close(struct query *q);

/* Bind the next parameter; texts and blobs must live until the query is closed. */
void query_int(struct query *q, int64_t v);
void query_text(struct query *q, const char *v);
void query_blob(struct query *q, const void *v, size_t n);
void query_null(struct query *q);

/* 1: there is a row; 0: no more; or an error. */
int query_row(struct query *q, struct diag *d) __attribute__((warn_unused_result));
/* Runs a statement that has no rows. ERR_CONFLICT when a constraint refused it. */
int query_run(struct query *q, struct diag *d) __attribute__((warn_unused_result));
/* As query_run, and ERR_NOT_FOUND with the sentence "there is no such WHAT" if no row changed. */
int query_change(struct query *q, const char *what, struct diag *d)
	__attribute__((warn_unused_result));

/* Columns of the current row. One that does not fit is an error of the query (query_good): the
 * CHECKs exclude it, a damaged file does not. */
int64_t query_get_int(struct query *q, int col);
void query_get_text(struct query *q, int col, char *out, size_t size);
void query_get_blob(struct query *q, int col, void *out, size_t n);
int query_good(struct query *q, struct diag *d) __attribute__((warn_unused_result));
