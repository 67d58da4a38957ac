/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Core's end of the privilege line (common/privmsg.h): synchronous, one change or dump at a time. A
 * line that is broken, or that says what it may not, ends the process: without printgated there is
 * nothing to be done here. So only what the kernel may refuse returns an error.
 */
#pragma once

#include <stdbool.h>

#include "common/privmsg.h"

struct priv;

/* Takes the socket and waits for HELLO, which it copies to *hello after a check of what configs
 * for phones are made from. */
int priv_open(struct priv **out, int fd, struct privmsg_hello *hello, struct diag *d)
	__attribute__((warn_unused_result));
void priv_free(struct priv *p);

/* One change: begin, any number of items, commit. The items travel together, many in a datagram. */
void priv_begin(struct priv *p, struct privmsg_begin how);
void priv_item(struct priv *p, enum privmsg_type type, const void *msg);
/* Waits for the answer: 0, or the kernel's refusal with its sentence. */
int priv_commit(struct priv *p, struct diag *d) __attribute__((warn_unused_result));

/* Calls fn for each peer of the device, in no order. */
typedef void (*priv_stats_fn)(void *arg, const struct privmsg_stats *s);
int priv_dump(struct priv *p, priv_stats_fn fn, void *arg, struct diag *d)
	__attribute__((warn_unused_result));

/* Calls fn for each finding about other firewalls. */
typedef void (*priv_finding_fn)(void *arg, const struct privmsg_finding *f);
int priv_check(struct priv *p, priv_finding_fn fn, void *arg, struct diag *d)
	__attribute__((warn_unused_result));

/* Who is at that address: on ASKED, ask again a little later. Never waits for a machine of the LAN. */
struct privmsg_neighbour_is priv_neighbour(struct priv *p, uint32_t address);

/* Tells printgated that requests are answered from now on. */
void priv_ready(struct priv *p);

/* To be called when the socket is readable between exchanges: notes RESYNC and HANDSHAKE; ends the process at
 * end of file. */
void priv_readable(struct priv *p);
/* Did printgated ask for a full change since the last call? */
bool priv_resync_wanted(struct priv *p);
/* Has printgated told of a handshake since the last call? */
bool priv_handshake_told(struct priv *p);
/* Either of them was said and is not yet taken: perhaps during an exchange. */
bool priv_has_news(const struct priv *p);
