/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a phone sees of itself: its printers, whether they answer, and until when they are open.
 */
#include "web/html.h"
#include "web/page.h"

/* The words for a printer's state: the lock first, for nothing else matters then. */
static void put_state(FILE *out, const struct view *v, const struct control_printer *p)
{
	const char *class = "dim", *words = "not asked yet";

	if (v->s->gateway.locked) {
		class = "bad";
		words = "closed by the lock";
	} else if (p->state == PRINTER_MOVED) {
		class = "bad";
		words = "closed: it has moved, and the owner has to confirm it";
	} else if (p->reach == REACH_ANSWERS) {
		class = "good";
		words = "answers";
	} else if (p->reach == REACH_SILENT) {
		class = "warn";
		words = "does not answer: is it switched on?";
	} else if (p->kind == PRINTER_SUBNET) {
		words = "a whole network of printers";
	}
	fprintf(out, "<p class=\"state %s\">%s</p>", class, words);
}

static void put_printer(FILE *out, const struct view *v, const struct seen_grant *g)
{
	const struct control_printer *p = &v->s->printer[g->printer];
	char until[HTML_WHEN_BYTES];

	fprintf(out, "<li id=p%x data-say=\"", p->vpn.addr);
	page_printer_say(out, v->s, p);
	fputs("\"><h3>", out);
	html_text(out, p->name.s);
	fputs("</h3>", out);
	put_state(out, v, p);
	page_services(out, p, true);
	if (g->expires) {
		html_until(until, g->expires, v->s->wall);
		fprintf(out, "<p class=dim>open until %s</p>", until);
	}
	fputs("</li>", out);
}

void page_peer_pieces(struct pieces *p, const struct view *v)
{
	const struct seen_peer *me = v->me;
	char id[PIECE_ID_BYTES], until[HTML_WHEN_BYTES];

	if (me->peer.expires) {
		html_until(until, me->peer.expires, v->s->wall);
		fprintf(pieces_begin(p, 's', "s2"), "<p id=s2>Your access ends %s.</p>", until);
	}
	for (size_t i = 0; i < me->grants; i++) {
		const struct seen_grant *g = &v->s->grant[me->first + i];

		if (g->expires && g->expires <= v->s->wall)
			continue;
		(void)snprintf(id, sizeof(id), "p%x", v->s->printer[g->printer].vpn.addr);
		put_printer(pieces_begin(p, 'p', id), v, g);
	}
	if (me->grants == 0)
		fputs("<li id=p0><p>No printer is open to you yet. Ask the owner of this "
		      "gateway.</p></li>",
		      pieces_begin(p, 'p', "p0"));
}
