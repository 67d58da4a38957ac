/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all pages have: the frame with its stylesheet and script, and the line about the gateway.
 */
#include "web/page.h"

#include <string.h>

#include "common/cleanup.h"
#include "web/html.h"
#include "web_assets.h" /* page_css, page_js and their hashes: made from web/page.css and page.js */

const char page_policy[] = "default-src 'none'; style-src 'sha256-" PAGE_CSS_SHA256
			   "'; script-src 'sha256-" PAGE_JS_SHA256
			   "'; connect-src 'self'; img-src data:; form-action 'self'; "
			   "base-uri 'none'; frame-ancestors 'none'";

/* ---- the line about the gateway ---------------------------------------------------------------- */

static const char *title_of(const struct view *v)
{
	if (!v->s->reached)
		return "no answer";
	if (v->s->gateway.locked)
		return "locked";
	return v->kind == VIEW_PEER ? "connected" : "open";
}

static void put_banner(FILE *out, const struct view *v)
{
	const char *title = title_of(v);

	fprintf(out, "<div id=s0 class=\"banner %s\" data-say=\"%s\"><strong>%s</strong>",
		!v->s->reached	       ? "mute"
		: v->s->gateway.locked ? "bad"
				       : "good",
		!v->s->reached	       ? "The gateway does not answer"
		: v->s->gateway.locked ? "The gateway is locked"
				       : "The gateway is open",
		title);
	if (!v->s->reached)
		fputs("<p>The gateway is busy or starting. What was open stays open. This page "
		      "goes on "
		      "by itself.</p>",
		      out);
	else if (v->s->gateway.locked)
		fprintf(out, "<p>Nobody reaches any printer%s.</p>",
			v->kind == VIEW_OWNER ? " until you run <code>sudo printgate unlock</code>"
					      : "");
	else if (v->kind == VIEW_PEER && v->me) {
		fputs("<p>You are ", out);
		html_text(out, v->me->peer.name.s);
		fputs(".</p>", out);
	}
	fputs("</div>", out);
}

static void put_counts(FILE *out, const struct view *v)
{
	const struct control_counts *c = &v->s->counts;

	fprintf(out, "<p id=s1>%u %s enrolled, %u online; %u %s.</p>", c->peers,
		c->peers == 1 ? "phone" : "phones", c->online, c->printers,
		c->printers == 1 ? "printer" : "printers");
}

void page_pieces(struct pieces *p, const struct view *v)
{
	put_banner(pieces_begin(p, 's', "s0"), v);
	if (!v->s->reached)
		return;
	if (v->kind != VIEW_PEER)
		put_counts(pieces_begin(p, 's', "s1"), v);
	if (v->kind == VIEW_OWNER)
		page_owner_pieces(p, v);
	else if (v->kind == VIEW_PEER)
		page_peer_pieces(p, v);
}

void page_printer_say(FILE *out, const struct snapshot *s, const struct control_printer *p)
{
	if (s->gateway.locked || (p->reach == REACH_UNKNOWN && p->state == PRINTER_OPEN))
		return;
	html_text(out, p->name.s);
	fputs(p->state == PRINTER_MOVED	  ? " is closed: it has moved"
	      : p->reach == REACH_ANSWERS ? " answers"
					  : " does not answer",
	      out);
}

void page_services(FILE *out, const struct control_printer *p, bool large)
{
	char address[PREFIX4_TEXT_BYTES], text[SERVICE_TEXT_BYTES], url[HTML_URL_BYTES];

	prefix4_format(address, p->vpn);
	fputs("<ul class=links>", out);
	for (unsigned i = 0; i < p->services.count; i++) {
		const struct service *s = &p->services.item[i];

		url[0] = '\0';
		if (p->vpn.len == 32)
			html_url(url, p->vpn.addr, s->protocol, s->first, s->last);
		service_format(text, *s);
		if (url[0])
			fprintf(out, "<li><a%s href=\"%s\">%s</a>", large ? " class=go" : "", url,
				url);
		else
			fprintf(out, "<li><span>%s at %s</span>", text, address);
	}
	fputs("</ul>", out);
}

/* ---- the frame --------------------------------------------------------------------------------- */

/* Forms need a referrer policy that lets browsers name their origin: with the header's no-referrer
 * they send "Origin: null" (Fetch standard, "append a request Origin header"). */
static void put_head(FILE *out, const char *title)
{
	fprintf(out,
		"<!doctype html><html lang=en><meta charset=utf-8>"
		"<meta name=viewport content=\"width=device-width,initial-scale=1\">"
		"<meta name=referrer content=same-origin><meta name=color-scheme content=\"light "
		"dark\">"
		"<title>%s · printgate</title><link rel=icon href=\"data:,\"><style>%s</style>",
		title, page_css);
}

static void put_header(FILE *out, const struct view *v)
{
	char csrf[WEB_SECRET_TEXT_BYTES];

	fputs("<header><h1>printgate</h1><nav>", out);
	if (v->kind == VIEW_OWNER) {
		web_secret_format(csrf, &v->owner->csrf);
		if (v->me)
			fputs("<a href=\"/me\">My printers</a>", out);
		fprintf(out,
			"<form method=post action=\"/logout\"><input type=hidden name=token "
			"value=%s>"
			"<button>Log out</button></form>",
			csrf);
	} else {
		fputs("<a href=\"/login\">Owner's view</a>", out);
	}
	fputs("</nav></header>", out);
}

static void put_find(FILE *out, const struct view *v)
{
	fputs("<form role=search method=get action=\"/\"><label for=q>Find a phone</label>"
	      "<input id=q name=q type=search maxlength=64 autocomplete=off value=\"",
	      out);
	html_text(out, v->find);
	fputs("\"><button>Find</button></form>", out);
}

static void put_main(FILE *out, const struct view *v, const struct pieces *p)
{
	fputs("<main><div id=s>", out);
	pieces_put_box(out, p, 's');
	fputs("</div>", out);
	if (v->kind != VIEW_PUBLIC) {
		fprintf(out, "<section><h2>%s</h2><ul id=p class=cards>",
			v->kind == VIEW_OWNER ? "Printers" : "Your printers");
		pieces_put_box(out, p, 'p');
		fputs("</ul></section>", out);
	}
	if (v->kind == VIEW_OWNER) {
		fputs("<section><div class=bar><h2>Phones</h2>", out);
		put_find(out, v);
		fputs("</div><ul id=c class=rows>", out);
		pieces_put_box(out, p, 'c');
		fputs("</ul><div id=n>", out);
		pieces_put_box(out, p, 'n');
		fputs("</div></section>", out);
	}
	fputs("</main>", out);
}

/* What the script opens. Only unreserved characters are left as they are (RFC 3986, 2.3). */
static void put_stream(FILE *out, const struct view *v, uint32_t key)
{
	fprintf(out, "<body data-e=\"/events?k=%08x&amp;me=%d&amp;own=%d&amp;all=%d\">", key,
		v->kind == VIEW_PEER, v->kind == VIEW_OWNER, v->all);
}

void page_write(FILE *out, const struct view *v, const struct pieces *p, uint32_t key)
{
	put_head(out, title_of(v));
	put_stream(out, v, key);
	put_header(out, v);
	put_main(out, v, p);
	fputs("<noscript><p><a href=\"\">Load the page again</a> to see what has "
	      "changed.</p></noscript>"
	      "<p id=say class=vh role=status aria-live=polite></p>",
	      out);
	fprintf(out, "<script>%s</script>", page_js);
}

void page_login(FILE *out, const char *token, const char *sentence)
{
	put_head(out, "Log in");
	fputs("<body><header><h1>printgate</h1><nav><a href=\"/\">Back</a></nav></header><main>"
	      "<form class=login method=post action=\"/login\"><h2>Owner's view</h2>",
	      out);
	if (sentence[0]) {
		fputs("<p role=alert class=\"banner bad\">", out);
		html_text(out, sentence);
		fputs("</p>", out);
	}
	fprintf(out,
		"<input type=hidden name=token value=%s>"
		"<input type=text name=user value=owner autocomplete=username hidden>"
		"<label for=pw>Password</label><input id=pw name=password type=password required "
		"autofocus maxlength=128 autocomplete=current-password><button>Log in</button>"
		"<p class=dim>The password is set on the gateway: <code>sudo printgate page "
		"password</code></p></form></main>",
		token);
}
