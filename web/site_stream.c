/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes after a page: server-sent events (HTML standard, 9.2) with the pieces that have changed.
 */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "web/form.h"
#include "web/site_own.h"

/* The page that opened this stream has these already. */
static void take_kept(struct visit *v, const char *query)
{
	char text[9];
	unsigned long key = 0;

	if (form_value(query, "k", text, sizeof(text)))
		key = strtoul(text, NULL, 16);
	for (size_t i = 0; key && i < SITE_KEPT; i++) {
		struct kept *k = &v->site->kept[i];

		if (k->key != key)
			continue;
		pieces_forget(&v->known);
		v->known = k->known;
		*k = (struct kept){0};
	}
}

static void end(struct visit *v, const char *last)
{
	struct http_conn *c = v->conn;

	visit_free(v);
	if (last)
		(void)http_stream_send(c, last, strlen(last));
	http_stream_end(c);
}

static void send_changes(struct visit *v, const struct pieces *p)
{
	auto_free char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	bool any;

	if (!out)
		abort();
	any = pieces_changes(out, p, &v->known);
	if (fclose(out) != 0)
		abort();
	/* A viewer that reads too slowly gets all of it anew when it has caught up. */
	if (any && !http_stream_send(v->conn, text, n))
		pieces_forget(&v->known);
}

/* Core does not answer: what was shown stays, under another banner. */
static void send_banner(struct visit *v, const struct pieces *p)
{
	static const char begin[] = "event: s\ndata: ";

	(void)http_stream_send(v->conn, begin, strlen(begin));
	(void)http_stream_send(v->conn, p->text, p->n);
	(void)http_stream_send(v->conn, "\n\n", 2);
	pieces_forget(&v->known);
}

static void on_look(void *arg, const struct snapshot *s, const struct control_web_owner *owner)
{
	struct visit *v = arg;
	struct view view = visit_view(v, s, owner);
	struct pieces p;

	if (s->reached && v->owner && view.kind != VIEW_OWNER) {
		end(v, "event: end\ndata: \n\n");
		return;
	}
	v->owner |= view.kind == VIEW_OWNER;
	pieces_open(&p);
	page_pieces(&p, &view);
	pieces_close(&p);
	if (s->reached)
		send_changes(v, &p);
	else if (!v->mute)
		send_banner(v, &p);
	v->mute = !s->reached;
	pieces_free(&p);
}

void site_stream(struct site *s, struct http_conn *c, const struct http_request *r)
{
	char flag[2];
	struct visit *v;

	if (r->head.method != HTTP_GET) {
		site_reply_text(c, 405, "This stream can only be read.\n");
		return;
	}
	v = visit_new(s, c, r);
	v->own = form_value(r->head.query, "me", flag, sizeof(flag)) && flag[0] == '1';
	v->owner = form_value(r->head.query, "own", flag, sizeof(flag)) && flag[0] == '1';
	v->all = form_value(r->head.query, "all", flag, sizeof(flag)) && flag[0] == '1';
	take_kept(v, r->head.query);
	http_stream(c, "text/event-stream; charset=utf-8");
	v->looker = look_begin(s->look, &v->who, true, on_look, v);
}
