/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel knows of the peers: handshakes, traffic, endpoints. Asked for when somebody wants
 * to see it, kept in memory only. A first handshake found on the way is recorded, and ends the time
 * in which the phone's config can be shown again.
 */
#pragma once

#include "db/store.h"

struct core;
struct event;
struct privmsg_stats;

#define LIVE_CONFIG_SECONDS 86400 /* how long a config of a phone that never came can be shown */

struct live {
	struct privmsg_stats *stats; /* sorted by key */
	size_t n, cap;
	int64_t at;		  /* CLOCK_MONOTONIC in ms of the dump; 0: none yet */
	struct live_fresh *fresh; /* first handshakes seen and not yet recorded */
	size_t fresh_n, fresh_cap;
	struct event *timer;
};

/* The state as `list` shows it. wall is the machine's clock, by which the kernel notes handshakes;
 * ended: the peer's time is over. */
enum peer_state live_state(const struct store_peer *p, int64_t last_handshake, int64_t wall,
			   bool ended);

int live_open(struct core *c, struct diag *d) __attribute__((warn_unused_result));
void live_free(struct core *c);

/* Asks the kernel unless the last answer is less than max_age milliseconds old. */
int live_refresh(struct core *c, int64_t max_age, struct diag *d)
	__attribute__((warn_unused_result));
/* The peer as clients are told of it, with what the last refresh found. */
void live_peer(struct core *c, const struct store_peer *p, struct control_peer *out);
/* Peers with a handshake under PEER_ONLINE_SECONDS old. */
uint32_t live_online(const struct core *c);
/* Records what live_peer found to be first handshakes; outside a transaction. A store that refuses
 * is logged: nothing is lost, the next refresh finds them again. */
void live_settle(struct core *c);
/* Finds first handshakes that came while no core ran, and arms. */
void live_begin(struct core *c);
/* Watches for first handshakes as long as there is a sealed config; after each change. */
void live_arm(struct core *c);
