/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The items that answers are made of, and the look-ups that several requests share.
 */
#pragma once

#include "daemon/core/core.h"
#include "daemon/core/request.h"

void answer_gateway(const struct request *r);
void answer_printer(const struct request *r, const struct store_printer *p);
/* What clients are told of a printer. */
struct control_printer answer_printer_item(const struct core *c, const struct store_printer *p);
int answer_printers(const struct request *r, struct diag *d) __attribute__((warn_unused_result));

/* PEER and its GRANTs. Asks the kernel first; a peer that is new to it needs no such question. */
int answer_peer(const struct request *r, const struct store_peer *p, struct diag *d)
	__attribute__((warn_unused_result));
int answer_new_peer(const struct request *r, const struct store_peer *p, struct diag *d)
	__attribute__((warn_unused_result));
/* The same of all peers, by what the kernel said max_age milliseconds ago at most. */
int answer_peers(const struct request *r, int64_t max_age, struct diag *d)
	__attribute__((warn_unused_result));

/* As store_printer_by_name; if there is none the sentence names those that there are. */
int answer_find_printer(struct core *c, const struct name *name, struct store_printer *out,
			struct diag *d) __attribute__((warn_unused_result));

/* ERR_EXPIRED, with the date, if the peer's time is over. */
int answer_peer_ended(struct core *c, const struct store_peer *p, struct diag *d)
	__attribute__((warn_unused_result));

/* ERR_LIMIT if n more grants would be too many. */
int answer_grant_room(struct core *c, size_t n, struct diag *d) __attribute__((warn_unused_result));

/* A peer's or a printer's grants, in memory: so that the kernel part of a change cannot fail. */
struct grants {
	struct store_grant *item;
	size_t n, cap;
};
int grants_of_peer(struct core *c, int64_t peer_id, struct grants *out, struct diag *d)
	__attribute__((warn_unused_result));
int grants_of_printer(struct core *c, int64_t printer_id, struct grants *out, struct diag *d)
	__attribute__((warn_unused_result));
void grants_free(struct grants *g);
#define auto_grants __attribute__((cleanup(grants_free))) struct grants

/* A store_peer on the stack holds a preshared key. */
static inline void peer_cleanup(struct store_peer *p)
{
	key_wipe(&p->preshared, sizeof(p->preshared));
}
#define auto_peer __attribute__((cleanup(peer_cleanup))) struct store_peer
