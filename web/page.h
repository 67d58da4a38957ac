/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pages: a view of a snapshot in, HTML out. Pure.
 */
#pragma once

#include "web/piece.h"
#include "web/snapshot.h"

#define PAGE_ROWS	25 /* phones in the first view; the rest by "show all" or by finding */
#define PAGE_FIND_BYTES 65 /* what is sought, with its NUL */

enum view_kind {
	VIEW_PUBLIC, /* numbers */
	VIEW_PEER,   /* what a phone may see: itself */
	VIEW_OWNER,  /* everything */
};

struct view {
	enum view_kind kind;
	const struct snapshot *s;
	const struct seen_peer *me; /* with VIEW_PEER, and with VIEW_OWNER if there is one */
	const struct control_web_owner *owner; /* with VIEW_OWNER */
	char find[PAGE_FIND_BYTES];	       /* "" for all; one line of UTF-8 */
	bool all;			       /* more than PAGE_ROWS, if there are */
};

/* The Content-Security-Policy of every answer: style and script by their hashes. */
extern const char page_policy[];

void page_pieces(struct pieces *p, const struct view *v);
/* The whole page. key: under which the stream finds what this page has; 0: none. */
void page_write(FILE *out, const struct view *v, const struct pieces *p, uint32_t key);
/* The form for the password. token: hexadecimal; sentence: what went wrong before, or "". */
void page_login(FILE *out, const char *token, const char *sentence);

/* page_owner.c and page_peer.c, for page.c. */
void page_owner_pieces(struct pieces *p, const struct view *v);
void page_peer_pieces(struct pieces *p, const struct view *v);
/* What is read out when it changes: whether the printer answers. Nothing under the lock, which has a
 * sentence of its own. */
void page_printer_say(FILE *out, const struct snapshot *s, const struct control_printer *p);
/* A printer's services, as links where a browser has a use for them. */
void page_services(FILE *out, const struct control_printer *p, bool large);
