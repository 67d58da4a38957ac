/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Items of the protocol as JSON objects. Long lists are written item by item, so at most one peer
 * is held as an object. Texts have been checked to be UTF-8 by the protocol's decoder: jansson need
 * not do it again, ten times a peer.
 */
#include "cli/json.h"

#include <stdlib.h>
#include <string.h>

#include "common/when.h"

json_t *json_time(int64_t at)
{
	char text[WHEN_TEXT_BYTES];

	if (!at)
		return json_null();
	when_format(text, at);
	return json_string_nocheck(text);
}

json_t *json_text(const char *s)
{
	return *s ? json_string_nocheck(s) : json_null();
}

/* A prefix or address of IPv6 as text; null for none. */
static json_t *json_prefix6(const struct prefix6 *p)
{
	char text[PREFIX6_TEXT_BYTES];

	prefix6_format(text, p);
	return json_text(text);
}

json_t *json_services(const struct services *list)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < list->count; i++) {
		const struct service *s = &list->item[i];
		json_t *o = json_object();

		json_object_set_new_nocheck(o, "protocol",
					    json_string_nocheck(protocol_name(s->protocol)));
		json_object_set_new_nocheck(o, "first", json_integer(s->first));
		json_object_set_new_nocheck(o, "last", json_integer(s->last));
		json_array_append_new(array, o);
	}
	return array;
}

json_t *json_printer(const struct control_printer *p)
{
	char address[PREFIX4_TEXT_BYTES], vpn[PREFIX4_TEXT_BYTES];
	json_t *o = json_object();

	prefix4_format(address, p->address);
	prefix4_format(vpn, p->vpn);
	json_object_set_new_nocheck(o, "name", json_string_nocheck(p->name.s));
	json_object_set_new_nocheck(
		o, "address", json_string_nocheck(p->kind == PRINTER_SELF ? "self" : address));
	json_object_set_new_nocheck(o, "vpn_address", json_string_nocheck(vpn));
	json_object_set_new_nocheck(o, "vpn_address6", json_prefix6(&p->vpn6));
	json_object_set_new_nocheck(o, "services", json_services(&p->services));
	json_object_set_new_nocheck(o, "preset", json_text(p->preset));
	json_object_set_new_nocheck(o, "host", json_text(p->host.s));
	json_object_set_new_nocheck(o, "state", json_string_nocheck(printer_state_name(p->state)));
	return o;
}

json_t *json_printers(const struct printer_list *l)
{
	json_t *array = json_array();

	for (size_t i = 0; i < l->count; i++)
		json_array_append_new(array, json_printer(&l->items[i]));
	return array;
}

static json_t *json_grants(const struct peer_view *v)
{
	json_t *array = json_array();

	for (size_t i = 0; i < v->count; i++) {
		json_t *o = json_object();

		json_object_set_new_nocheck(o, "name", json_string_nocheck(v->grants[i].printer.s));
		json_object_set_new_nocheck(o, "expires", json_time(v->grants[i].expires));
		json_array_append_new(array, o);
	}
	return array;
}

json_t *json_peer(const struct peer_view *v)
{
	const struct control_peer *p = &v->peer;
	char key[WG_KEY_TEXT_BYTES], address[IP4_TEXT_BYTES], endpoint[ENDPOINT_TEXT_BYTES];
	json_t *o = json_object();

	key_format(key, &p->public_key);
	ip4_format(address, p->address);
	endpoint_format(endpoint, &p->endpoint);
	json_object_set_new_nocheck(o, "name", json_string_nocheck(p->name.s));
	json_object_set_new_nocheck(o, "public_key", json_string_nocheck(key));
	json_object_set_new_nocheck(o, "address", json_string_nocheck(address));
	json_object_set_new_nocheck(o, "address6", json_prefix6(&p->address6));
	json_object_set_new_nocheck(o, "state", json_string_nocheck(peer_state_name(p->state)));
	json_object_set_new_nocheck(o, "printers", json_grants(v));
	json_object_set_new_nocheck(o, "created", json_time(p->created));
	json_object_set_new_nocheck(o, "expires", json_time(p->expires));
	json_object_set_new_nocheck(o, "last_handshake", json_time(p->last_handshake));
	json_object_set_new_nocheck(o, "endpoint", json_text(endpoint));
	json_object_set_new_nocheck(o, "rx_bytes", json_integer((json_int_t)p->rx_bytes));
	json_object_set_new_nocheck(o, "tx_bytes", json_integer((json_int_t)p->tx_bytes));
	return o;
}

json_t *json_gateway(const struct control_gateway *g)
{
	char key[WG_KEY_TEXT_BYTES], tunnel[PREFIX4_TEXT_BYTES];
	json_t *o = json_object();

	key_format(key, &g->public_key);
	prefix4_format(tunnel, g->tunnel);
	json_object_set_new_nocheck(o, "interface", json_text(g->interface));
	json_object_set_new_nocheck(o, "backend", json_text(g->backend));
	json_object_set_new_nocheck(o, "public_key", json_string_nocheck(key));
	json_object_set_new_nocheck(o, "listen_port", json_integer(g->listen_port));
	json_object_set_new_nocheck(o, "endpoint", json_text(g->endpoint));
	json_object_set_new_nocheck(o, "tunnel", json_string_nocheck(tunnel));
	json_object_set_new_nocheck(o, "tunnel6", json_prefix6(&g->tunnel6));
	json_object_set_new_nocheck(o, "locked", json_boolean(g->locked));
	json_object_set_new_nocheck(o, "lock_reason", json_text(g->lock_reason));
	json_object_set_new_nocheck(o, "provision_code", json_text(g->provision_code));
	json_object_set_new_nocheck(o, "uptime", json_integer((json_int_t)g->uptime));
	return o;
}

/* By way of a string: jansson writes to a FILE token by token, which is slow for long lists. */
int json_put(struct cli *cli, json_t *object, struct diag *d)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	if (!text)
		return diag_set(d, ERR_INTERNAL, "cannot write JSON");
	fputs(text, cli->out);
	key_wipe(text, strlen(text)); /* it may hold a phone's config */
	free(text);
	return 0;
}

int json_answer(struct cli *cli, json_t *object, struct diag *d)
{
	int rc = json_put(cli, object, d);

	fputc('\n', cli->out);
	return rc;
}
