/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the owner sees: the gateway, all printers, all phones.
 */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "web/html.h"
#include "web/page.h"

#define SPARK_WIDTH  60 /* of a sparkline, in its own units: two a sample */
#define SPARK_HEIGHT 16

static const char *const states[] = {
	[PEER_WAITING] = "waiting",	  [PEER_ONLINE] = "online",   [PEER_OFFLINE] = "offline",
	[PEER_DISABLED] = "switched off", [PEER_EXPIRED] = "expired",
};

/* ---- the gateway ------------------------------------------------------------------------------- */

static void put_gateway(FILE *out, const struct snapshot *s)
{
	fputs("<p id=s2 class=dim>", out);
	if (s->gateway.endpoint[0]) {
		fputs("Phones connect to ", out);
		html_text(out, s->gateway.endpoint);
	} else {
		fputs("No endpoint is set: phones cannot be enrolled. Put <code>endpoint = "
		      "…</code> into "
		      "the configuration",
		      out);
	}
	fprintf(out, " · %s · UDP port %u</p>",
		strcmp(s->gateway.backend, "kernel") == 0 ? "WireGuard of the kernel"
							  : "WireGuard in userspace",
		s->gateway.listen_port);
}

static void put_findings(FILE *out, const struct control_web_findings *f)
{
	const unsigned more = (unsigned)f->warnings + f->failures - 1;

	fprintf(out, "<p id=s3 class=\"finding %s\">", f->worst == CHECK_FAIL ? "bad" : "warn");
	html_text(out, f->message);
	if (more)
		fprintf(out, " (and %u more)", more);
	fputs(" What to do: <code>sudo printgate doctor</code></p>", out);
}

/* ---- printers ---------------------------------------------------------------------------------- */

static void put_printer_state(FILE *out, const struct snapshot *s, const struct control_printer *p)
{
	if (s->gateway.locked)
		fputs("<p class=\"state bad\">closed by the lock</p>", out);
	else if (p->state == PRINTER_MOVED)
		fputs("<p class=\"state bad\">closed: it has moved. If it is yours: <code>sudo "
		      "printgate "
		      "printer confirm</code></p>",
		      out);
	else if (p->reach == REACH_ANSWERS)
		fputs("<p class=\"state good\">answers</p>", out);
	else if (p->reach == REACH_SILENT)
		fputs("<p class=\"state warn\">does not answer</p>", out);
	else
		fprintf(out, "<p class=\"state dim\">%s</p>",
			p->kind == PRINTER_SUBNET ? "a network of printers" : "not asked yet");
}

static void put_printer(FILE *out, const struct snapshot *s, const struct control_printer *p)
{
	char at[PREFIX4_TEXT_BYTES], vpn[PREFIX4_TEXT_BYTES];

	prefix4_format(at, p->address);
	prefix4_format(vpn, p->vpn);
	fprintf(out, "<li id=p%x data-say=\"", p->vpn.addr);
	page_printer_say(out, s, p);
	fputs("\"><h3>", out);
	html_text(out, p->name.s);
	fputs("</h3>", out);
	put_printer_state(out, s, p);
	page_services(out, p, false);
	fputs("<p class=dim>", out);
	if (p->kind == PRINTER_SELF) {
		fputs("this machine", out);
	} else if (p->host.s[0]) {
		html_text(out, p->host.s);
		fprintf(out, ", now %s", at);
	} else {
		fputs(at, out);
	}
	fprintf(out, "; phones use %s</p></li>", vpn);
}

static void printers(struct pieces *p, const struct snapshot *s)
{
	char id[PIECE_ID_BYTES];

	for (size_t i = 0; i < s->printers; i++) {
		(void)snprintf(id, sizeof(id), "p%x", s->printer[i].vpn.addr);
		put_printer(pieces_begin(p, 'p', id), s, &s->printer[i]);
	}
	if (s->printers == 0)
		fputs("<li id=p0><p>No printer yet: <code>sudo printgate printer add NAME ADDRESS "
		      "--preset "
		      "octoprint</code></p></li>",
		      pieces_begin(p, 'p', "p0"));
}

/* ---- phones ------------------------------------------------------------------------------------ */

/* Half a minute of traffic; the text beside it says the same, so nothing is read out. */
static void put_spark(FILE *out, const struct rate *r)
{
	uint32_t most = 1000; /* a kilobyte a second is not a mountain */

	for (unsigned i = RATE_SAMPLES - r->n; i < RATE_SAMPLES; i++)
		most = r->sample[i] > most ? r->sample[i] : most;
	fprintf(out, "<svg viewBox=\"0 -1 %d %d\" aria-hidden=true><polyline points=\"",
		SPARK_WIDTH, SPARK_HEIGHT + 2);
	for (unsigned i = RATE_SAMPLES - r->n; i < RATE_SAMPLES; i++)
		fprintf(out, "%u,%u ", 2 * i,
			(unsigned)(SPARK_HEIGHT - (uint64_t)r->sample[i] * SPARK_HEIGHT / most));
	fputs("\"/></svg>", out);
}

static bool has_moved_bytes(const struct rate *r)
{
	for (unsigned i = RATE_SAMPLES - r->n; i < RATE_SAMPLES; i++)
		if (r->sample[i])
			return true;
	return false;
}

static void put_traffic(FILE *out, const struct seen_peer *p)
{
	char now[HTML_AMOUNT_BYTES], rx[HTML_AMOUNT_BYTES], tx[HTML_AMOUNT_BYTES];

	fputs("<p class=rate>", out);
	if (has_moved_bytes(&p->rate)) {
		html_amount(now, p->rate.sample[RATE_SAMPLES - 1]);
		put_spark(out, &p->rate);
		fprintf(out, "%s/s", now);
	}
	fputs("</p><p class=sum>", out);
	if (p->peer.rx_bytes || p->peer.tx_bytes) {
		html_amount(rx, p->peer.tx_bytes);
		html_amount(tx, p->peer.rx_bytes);
		fprintf(out,
			"<span title=\"to the phone\">↓ %s</span> <span title=\"from the "
			"phone\">↑ %s</span>",
			rx, tx);
	}
	fputs("</p>", out);
}

static void put_grants(FILE *out, const struct snapshot *s, const struct seen_peer *p)
{
	char until[HTML_WHEN_BYTES];

	fputs("<p class=may>", out);
	for (size_t i = 0; i < p->grants; i++) {
		const struct seen_grant *g = &s->grant[p->first + i];

		fputs(i ? ", " : "", out);
		html_text(out, s->printer[g->printer].name.s);
		if (g->expires) {
			html_until(until, g->expires, s->wall);
			fprintf(out, " until %s", until);
		}
	}
	if (p->grants == 0)
		fputs("<span class=dim>no printer</span>", out);
	fputs("</p>", out);
}

static void put_peer(FILE *out, const struct snapshot *s, const struct seen_peer *p)
{
	const enum peer_state state = (enum peer_state)p->peer.state;
	char when[HTML_WHEN_BYTES];

	fprintf(out, "<li id=c%x class=\"%s\" data-say=\"", p->peer.address,
		state == PEER_ONLINE ? "on" : "off");
	html_text(out, p->peer.name.s);
	fprintf(out, " is %s\"><h3>", states[state]);
	html_text(out, p->peer.name.s);
	fprintf(out, "</h3><p class=\"state %s\">%s</p><p class=seen>",
		state == PEER_ONLINE ? "good" : "dim", states[state]);
	if (p->peer.last_handshake) {
		html_ago(when, p->peer.last_handshake, s->wall);
		fputs(when, out);
	}
	fputs("</p>", out);
	put_traffic(out, p);
	put_grants(out, s, p);
	if (p->peer.expires) {
		html_until(when, p->peer.expires, s->wall);
		fprintf(out, "<p class=end>access ends %s</p>", when);
	}
	fputs("</li>", out);
}

/* Who is online first, then who was last, then by name. */
static int compare(const void *a, const void *b)
{
	const struct control_peer *x = &(*(const struct seen_peer *const *)a)->peer;
	const struct control_peer *y = &(*(const struct seen_peer *const *)b)->peer;
	const bool on_x = x->state == PEER_ONLINE, on_y = y->state == PEER_ONLINE;

	if (on_x != on_y)
		return on_x ? -1 : 1;
	/* Handshakes of those who are online come every two minutes, and would shuffle them. */
	if (!on_x && x->last_handshake != y->last_handshake)
		return x->last_handshake > y->last_handshake ? -1 : 1;
	return strcmp(x->name.s, y->name.s);
}

static void put_rest(struct pieces *p, const struct view *v, size_t found)
{
	FILE *out;

	if (found == 0) {
		out = pieces_begin(p, 'n', "n0");
		fputs(v->s->peers
			      ? "<p id=n0>No phone has such a name.</p>"
			      : "<p id=n0>No phone yet: <code>sudo printgate enroll \"my phone\" "
				"--printer NAME</code></p>",
		      out);
	} else if (found > PAGE_ROWS && !v->all) {
		out = pieces_begin(p, 'n', "n0");
		fprintf(out, "<p id=n0>%d of %zu are shown. <a href=\"/?all=1\">Show all</a></p>",
			PAGE_ROWS, found);
	}
}

static void peers(struct pieces *p, const struct view *v)
{
	const struct snapshot *s = v->s;
	const struct seen_peer **list = mem_zalloc(s->peers + 1, sizeof(const struct seen_peer *));
	char id[PIECE_ID_BYTES];
	size_t found = 0;

	for (size_t i = 0; i < s->peers; i++)
		if (strcasestr(s->peer[i].peer.name.s, v->find))
			list[found++] = &s->peer[i];
	qsort(list, found, sizeof(const struct seen_peer *), compare);
	for (size_t i = 0; i < found && (v->all || i < PAGE_ROWS); i++) {
		(void)snprintf(id, sizeof(id), "c%x", list[i]->peer.address);
		put_peer(pieces_begin(p, 'c', id), s, list[i]);
	}
	put_rest(p, v, found);
	free(list);
}

void page_owner_pieces(struct pieces *p, const struct view *v)
{
	put_gateway(pieces_begin(p, 's', "s2"), v->s);
	if (v->s->findings.message[0])
		put_findings(pieces_begin(p, 's', "s3"), &v->s->findings);
	printers(p, v->s);
	peers(p, v);
}
