/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the two WireGuard back ends have in common: wg.c calls them through this table only. A back
 * end executes edits; which edits are needed is wg.c's to find out.
 */
#pragma once

#include "daemon/priv/wg.h"

#define WG_PEERS_MAX (1u << 20) /* a /12 tunnel holds fewer; a dump beyond it is refused */

/* What is set of a peer that is there; one that is not there is not made. */
struct wg_hail {
	uint16_t keepalive;	  /* seconds, 0: off */
	struct endpoint endpoint; /* family 0: left as it is */
};

/* One change of one peer. */
struct wg_edit {
	const struct wg_key *key;
	const struct wg_peer *put;  /* NULL: remove the peer, or … */
	const struct wg_hail *hail; /* … this, if it is not NULL */
};

/* The device apart from its peers. Wipe after use. */
struct wg_config {
	struct wg_secret key;
	uint16_t listen_port;
};

/* Dumped peers; owns the memory. */
struct wg_list {
	struct wg_peer_state *item;
	size_t n, cap;
};

/* ERR_LIMIT beyond WG_PEERS_MAX. `list` is a struct wg_list: this is a wg_peer_fn. */
int wg_list_add(void *list, const struct wg_peer_state *p) __attribute__((warn_unused_result));
void wg_list_free(struct wg_list *l); /* wipes; empty afterwards */

struct wg_ops {
	const char *name;
	/* Fills w->state. ERR_NOT_FOUND: this machine does not have this back end. */
	int (*open)(struct wg *w, struct diag *d);
	void (*free)(struct wg *w);
	int (*attach)(struct wg *w, bool *created, struct diag *d);
	/* key NULL and port 0 mean "leave as it is". */
	int (*config_set)(struct wg *w, const struct wg_secret *key, uint16_t port, struct diag *d);
	/* Executes the edits in order, split over messages as needed. */
	int (*edit)(struct wg *w, const struct wg_edit *list, size_t n, struct diag *d);
	/* Either may be NULL: not wanted. On failure the list may be half full. */
	int (*dump)(struct wg *w, struct wg_config *config, struct wg_list *peers, struct diag *d);
	int (*watch_fd)(const struct wg *w);
	int (*down)(struct wg *w, struct diag *d);
};

struct wg {
	const struct wg_ops *ops;
	char interface[IFNAMSIZ];
	struct conf_user owner;
	void *state;	      /* the back end's own */
	struct wg_seen *seen; /* wg_greet.c's */
	size_t seen_n;
	bool lost, anew; /* since the last greeting: was down; was made anew, without its peers */
};

/* wg_greet.c: remembers who is online from a dump, beside those that the device has lost. */
void wg_seen_note(struct wg *w, const struct wg_list *peers);

extern const struct wg_ops wg_kernel_ops;
extern const struct wg_ops wg_user_ops;
