/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sentences and tables about peers and printers. Nothing is asked for here: the verbs bring what
 * is to be shown.
 */
#include "cli/report.h"

#include <netinet/in.h>
#include <string.h>
#include <time.h>

#include "cli/text.h"

#define PRINTER_COLUMNS 4
#define PEER_COLUMNS	5

/* "http://10.77.16.2/" for what a browser opens, else the bare address. */
static void where(char *out, size_t room, const struct control_printer *p)
{
	char vpn[PREFIX4_TEXT_BYTES];
	bool http = false, https = false;

	prefix4_format(vpn, p->vpn);
	for (unsigned i = 0; i < p->services.count; i++) {
		const struct service *s = &p->services.item[i];

		http |= s->protocol == IPPROTO_TCP && s->first <= 80 && s->last >= 80;
		https |= s->protocol == IPPROTO_TCP && s->first <= 443 && s->last >= 443;
	}
	if (p->kind == PRINTER_SUBNET || !(http || https))
		(void)snprintf(out, room, "%s", vpn);
	else
		(void)snprintf(out, room, "%s://%s/", http ? "http" : "https", vpn);
}

static void reach_table(FILE *out, const struct peer_view *v, const struct printer_list *printers)
{
	auto_table t = {.columns = 3, .shrink = 1};
	char at[64], end[TEXT_AGO_BYTES], services[TEXT_SERVICES_BYTES];
	int64_t now = time(NULL);

	for (size_t i = 0; i < v->count; i++) {
		const struct control_grant *g = &v->grants[i];
		const struct control_printer *p = printer_list_find(printers, &g->printer);

		text_ago(end, g->expires, now);
		table_add(&t, "%s", g->printer.s);
		if (p)
			where(at, sizeof(at), p);
		table_add(&t, "%s", p ? at : "");
		table_add(&t, "%s%s%s%s%s",
			  p && p->state == PRINTER_MOVED ? "closed, it moved: " : "",
			  p ? text_services(services, &p->services) : "",
			  g->expires ? " (ends " : "", g->expires ? end : "",
			  g->expires ? ")" : "");
	}
	table_print(&t, out, 2);
}

void report_reach(FILE *out, const struct peer_view *v, const struct printer_list *printers)
{
	char name[TEXT_QUOTE_BYTES], first[TEXT_QUOTE_BYTES] = "PRINTER";

	if (v->count) {
		fprintf(out, "It may reach, with the tunnel on:\n");
		reach_table(out, v, printers);
		return;
	}
	fprintf(out, "It may not reach any printer yet. Grant one with\n");
	if (printers->count == 1)
		(void)text_quote(first, &printers->items[0].name);
	fprintf(out, "  printgate allow %s %s\n", text_quote(name, &v->peer.name), first);
	if (!printers->count)
		fprintf(out, "once there is one: printgate printer add NAME ADDRESS --preset P\n");
}

static void peer_facts(struct table *t, const struct control_peer *p, int64_t now)
{
	char key[WG_KEY_TEXT_BYTES], address[IP4_TEXT_BYTES], from[ENDPOINT_TEXT_BYTES];
	char ago[TEXT_AGO_BYTES], rx[TEXT_SIZE_BYTES], tx[TEXT_SIZE_BYTES];

	key_format(key, &p->public_key);
	ip4_format(address, p->address);
	endpoint_format(from, &p->endpoint);
	text_size(rx, p->rx_bytes);
	text_size(tx, p->tx_bytes);
	table_add(t, "state");
	table_add(t, "%s", peer_state_name(p->state));
	table_add(t, "address");
	table_add(t, "%s", address);
	table_add(t, "public key");
	table_add(t, "%s", key);
	text_ago(ago, p->last_handshake, now);
	table_add(t, "last seen");
	table_add(t, "%s%s%s", ago, from[0] ? ", from " : "", from);
	table_add(t, "traffic");
	table_add(t, "%s from the phone, %s to it", rx, tx);
	text_ago(ago, p->created, now);
	table_add(t, "enrolled");
	table_add(t, "%s", p->created ? ago : "unknown");
	text_ago(ago, p->expires, now);
	table_add(t, "ends");
	table_add(t, "%s", ago);
}

void report_peer(FILE *out, const struct peer_view *v, const struct printer_list *printers)
{
	auto_table t = {.columns = 2};

	text_para(out, 0, "%s", v->peer.name.s);
	peer_facts(&t, &v->peer, time(NULL));
	table_print(&t, out, 2);
	report_reach(out, v, printers);
}

void report_peers_begin(struct table *t)
{
	static const char *const head[PEER_COLUMNS] = {"PEER", "STATE", "ADDRESS", "LAST SEEN",
						       "PRINTERS"};

	t->columns = PEER_COLUMNS;
	t->shrink = 1;
	for (unsigned i = 0; i < PEER_COLUMNS; i++)
		table_add(t, "%s", head[i]);
}

void report_peers_row(struct table *t, const struct peer_view *v)
{
	char address[IP4_TEXT_BYTES], ago[TEXT_AGO_BYTES], names[TEXT_BYTES] = "";
	size_t used = 0;

	for (size_t i = 0; i < v->count && used < sizeof(names) - NAME_BYTES - 8; i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i ? ", " : "",
					 v->grants[i].printer.s);
	ip4_format(address, v->peer.address);
	text_ago(ago, v->peer.last_handshake, time(NULL));
	table_add(t, "%s", v->peer.name.s);
	table_add(t, "%s", peer_state_name(v->peer.state));
	table_add(t, "%s", address);
	table_add(t, "%s", ago);
	table_add(t, "%s", v->count ? names : "none");
}

void report_peers(FILE *out, const struct table *t)
{
	if (t->count > PEER_COLUMNS)
		table_print(t, out, 0);
	else
		fprintf(out, "No phone is enrolled yet. Enroll one with\n"
			     "  printgate enroll NAME --printer PRINTER\n");
}

/* Which are closed, and what to do. */
static void report_moved(FILE *out, const struct printer_list *printers)
{
	char name[TEXT_QUOTE_BYTES];

	for (size_t i = 0; i < printers->count; i++) {
		const struct control_printer *p = &printers->items[i];

		if (p->state != PRINTER_MOVED)
			continue;
		text_para(out, 0,
			  "%s is closed: what %s leads to is not known to be it ('printgate log' "
			  "says why). If it is right:",
			  p->name.s, p->host.s);
		fprintf(out, "  printgate printer confirm %s\n", text_quote(name, &p->name));
	}
}

void report_printers(FILE *out, const struct printer_list *printers)
{
	auto_table t = {.columns = PRINTER_COLUMNS, .shrink = 1};
	char address[PREFIX4_TEXT_BYTES], vpn[PREFIX4_TEXT_BYTES];
	char services[TEXT_SERVICES_BYTES];

	if (!printers->count) {
		fprintf(out, "No printer is protected yet. Add one with\n"
			     "  printgate printer add NAME ADDRESS --preset PRESET\n"
			     "(presets: 'printgate presets'; this machine itself: ADDRESS self)\n");
		return;
	}
	table_add(&t, "PRINTER");
	table_add(&t, "VPN ADDRESS");
	table_add(&t, "ADDRESS");
	table_add(&t, "SERVICES");
	for (size_t i = 0; i < printers->count; i++) {
		const struct control_printer *p = &printers->items[i];

		prefix4_format(address, p->address);
		prefix4_format(vpn, p->vpn);
		table_add(&t, "%s", p->name.s);
		table_add(&t, "%s", vpn);
		table_add(&t, "%s%s%s%s", p->kind == PRINTER_SELF ? "self" : address,
			  p->host.s[0] ? " (" : "", p->host.s, p->host.s[0] ? ")" : "");
		table_add(&t, "%s", text_services(services, &p->services));
	}
	table_print(&t, out, 0);
	report_moved(out, printers);
}
