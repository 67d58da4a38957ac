/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers put together from their items: a peer with its grants, a config, a list of printers.
 */
#pragma once

#include "cli/client.h"

struct peer_view {
	struct control_peer peer;
	struct control_grant *grants; /* ours */
	size_t count, cap;
};

/* Answer to a verb about one peer. Wiped and freed by answer_free. */
struct answer {
	struct peer_view view;
	bool has_peer, has_config;
	struct control_config config;
};

/* Peers one after the other: each is handed to `done` when its last grant has come. */
struct peer_stream {
	struct peer_view view;
	bool open;
	int (*done)(void *ctx, const struct peer_view *view, struct diag *d);
	void *ctx;
};

struct printer_list {
	struct control_printer *items; /* ours */
	size_t count, cap;
};

/* "open", "moved" */
const char *printer_state_name(uint8_t state);
/* "waiting", "online" … */
const char *peer_state_name(uint8_t state);

/* Asks for something that is answered with one peer. ERR_PROTOCOL if there is none. */
int answer_ask(struct cli *cli, uint16_t type, const void *msg, struct answer *out, struct diag *d)
	__attribute__((warn_unused_result));
void answer_free(struct answer *a);

/* To be called for PEER and GRANT, and once after the end. */
int peer_stream_item(struct peer_stream *s, uint16_t type, const union control_any *item,
		     struct diag *d) __attribute__((warn_unused_result));
int peer_stream_end(struct peer_stream *s, struct diag *d) __attribute__((warn_unused_result));
void peer_stream_free(struct peer_stream *s);

/* Asks for something that is answered with one printer. ERR_PROTOCOL if there is none. */
int printer_ask(struct cli *cli, uint16_t type, const void *msg, struct control_printer *out,
		struct diag *d) __attribute__((warn_unused_result));

/* All printers. */
int printer_list_ask(struct cli *cli, struct printer_list *out, struct diag *d)
	__attribute__((warn_unused_result));
void printer_list_add(struct printer_list *l, const struct control_printer *p);
const struct control_printer *printer_list_find(const struct printer_list *l,
						const struct name *name);
void printer_list_free(struct printer_list *l);

#define auto_answer   __attribute__((cleanup(answer_free))) struct answer
#define auto_printers __attribute__((cleanup(printer_list_free))) struct printer_list
#define auto_stream   __attribute__((cleanup(peer_stream_free))) struct peer_stream
