/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Renders the status page. Pure: no socket, no clock, no global state; called by main.c and by the
 * unit test. The stylesheet is inline because the page is one request; whoever edits it must update
 * PAGE_STYLE_SHA256, or browsers ignore it (and the unit test fails).
 */
#include "web/page.h"

#include <netinet/in.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/when.h"

const char page_style[] =
	":root{color-scheme:light dark}"
	"body{font:1.05rem/1.5 system-ui,sans-serif;max-width:38rem;margin:2rem auto;padding:0 "
	"1rem}"
	"h1{font-size:1.5rem;margin:0}"
	"h2{font-size:1.15rem;margin:1.6rem 0 .3rem}"
	"h3{font-size:1.05rem;margin:0 0 .2rem;overflow-wrap:anywhere}"
	"li.p{list-style:none;border:1px solid #8888;border-radius:.5rem;padding:.7rem 1rem;"
	"margin:.7rem 0}"
	"ul{padding:0;margin:0}"
	"li{margin-left:1.2rem}"
	"li.p{margin-left:0}"
	"a{display:inline-block;padding:.3rem 0;overflow-wrap:anywhere}"
	".up,.shut{display:inline-block;border-radius:1rem;padding:.1rem .8rem;margin:.6rem 0;"
	"color:#fff;background:#17663a}"
	".shut{background:#a3231b}"
	".dim{opacity:.75}";

/* Ports behind which a browser finds something, by which scheme. All else is shown as text. */
static const struct {
	uint16_t port;
	const char *scheme;
} web_ports[] = {
	{80, "http"},	 {443, "https"}, {5000, "http"},  {7125, "http"},
	{7130, "https"}, {8080, "http"}, {8443, "https"},
};

static const char *web_scheme(const struct service *s)
{
	if (s->protocol != IPPROTO_TCP || s->first != s->last)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(web_ports); i++)
		if (web_ports[i].port == s->first)
			return web_ports[i].scheme;
	return NULL;
}

static void put_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			fputc(*text, out);
		}
	}
}

static void put_link(FILE *out, const char *scheme, const char *address, uint16_t port)
{
	bool usual =
		strcmp(scheme, port == 443 ? "https" : "http") == 0 && (port == 80 || port == 443);
	char url[64];

	if (usual)
		(void)snprintf(url, sizeof(url), "%s://%s/", scheme, address);
	else
		(void)snprintf(url, sizeof(url), "%s://%s:%u/", scheme, address, port);
	fprintf(out, "<li><a href=\"%s\">%s</a>\n", url, url);
}

static void put_service(FILE *out, const struct control_printer *p, const struct service *s)
{
	const char *scheme = web_scheme(s);
	char address[PREFIX4_TEXT_BYTES];
	char text[SERVICE_TEXT_BYTES];

	prefix4_format(address, p->vpn);
	if (scheme && p->vpn.len == 32) {
		put_link(out, scheme, address, s->first);
		return;
	}
	service_format(text, *s);
	if (p->vpn.len == 32 && s->protocol == IPPROTO_TCP && s->first == 631 && s->last == 631)
		fprintf(out, "<li>ipp://%s/ipp/print\n", address);
	else
		fprintf(out, "<li>%s <span class=\"dim\">at %s</span>\n", text, address);
}

static void put_printer(FILE *out, const struct view_printer *vp)
{
	char when[WHEN_TEXT_BYTES];

	if (!vp->granted || vp->printer.services.count == 0)
		return;
	fputs("<li class=\"p\"><h3>", out);
	put_text(out, vp->printer.name.s);
	fputs("</h3>\n", out);
	if (vp->expires) {
		when_format(when, vp->expires);
		fprintf(out, "<p class=\"dim\">until %s</p>\n", when);
	}
	fputs("<ul>\n", out);
	for (unsigned i = 0; i < vp->printer.services.count; i++)
		put_service(out, &vp->printer, &vp->printer.services.item[i]);
	fputs("</ul>\n", out);
}

static void put_peer(FILE *out, const struct view *v)
{
	fputs("<h2>You are ", out);
	put_text(out, v->peer.name.s);
	fputs("</h2>\n", out);
	if (v->gateway.locked)
		fputs("<p>Your printers cannot be reached while the gateway is locked.</p>\n", out);
	if (v->count == 0) {
		fputs("<p>No printer is open to you yet. Ask the owner of this gateway.</p>\n",
		      out);
		return;
	}
	fputs("<p>Your printers:</p>\n<ul>\n", out);
	for (size_t i = 0; i < v->count; i++)
		put_printer(out, &v->printer[i]);
	fputs("</ul>\n", out);
	if (v->omitted)
		fprintf(out, "<p>… and %zu more.</p>\n", v->omitted);
}

static void put_gateway(FILE *out, const struct view *v)
{
	const struct control_counts *c = &v->counts;

	if (v->gateway.locked)
		fputs("<p class=\"shut\">locked: nobody reaches any printer</p>\n", out);
	else
		fputs("<p class=\"up\">up</p>\n", out);
	fprintf(out, "<p>%u %s enrolled, %u online.</p>\n", c->peers,
		c->peers == 1 ? "phone" : "phones", c->online);
}

void page_render(FILE *out, const struct view *v)
{
	fprintf(out,
		"<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
		"<title>printgate</title>\n<style>%s</style>\n<h1>printgate</h1>\n",
		page_style);
	if (!v) {
		fputs("<p class=\"shut\">no answer</p>\n<p>The gateway is busy or starting. "
		      "Printers that were open stay open. Load the page again in a moment.</p>\n",
		      out);
		return;
	}
	put_gateway(out, v);
	if (v->known)
		put_peer(out, v);
}
