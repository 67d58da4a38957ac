/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Collects the items of an answer in the order the protocol prescribes and refuses any other: a
 * grant belongs to the peer before it.
 */
#include "cli/answer.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

const char *peer_state_name(uint8_t state)
{
	static const char *const names[] = {"waiting", "online", "offline", "disabled", "expired"};

	return state <= PEER_EXPIRED ? names[state] : "unknown"; /* the decoder bounds it */
}

const char *printer_state_name(uint8_t state)
{
	return state == PRINTER_OPEN ? "open" : "moved";
}

static void view_add(struct peer_view *v, const struct control_grant *g)
{
	v->grants = mem_grow(v->grants, &v->cap, v->count + 1, sizeof(*v->grants));
	v->grants[v->count++] = *g;
}

static int answer_item(void *ctx, uint16_t type, const union control_any *item, struct diag *d)
{
	struct answer *a = ctx;

	if (type == CTL_PEER && !a->has_peer) {
		a->view.peer = item->peer;
		a->has_peer = true;
	} else if (type == CTL_GRANT && a->has_peer) {
		view_add(&a->view, &item->grant);
	} else if (type == CTL_CONFIG && a->has_peer && !a->has_config) {
		a->config = item->config;
		a->has_config = true;
	} else {
		return client_unexpected(type, d);
	}
	return 0;
}

int answer_ask(struct cli *cli, uint16_t type, const void *msg, struct answer *out, struct diag *d)
{
	bool config = type == CTL_ENROLL || type == CTL_QR || type == CTL_REKEY;
	int rc = client_ask(cli, type, msg, answer_item, out, d);

	if (!rc && (!out->has_peer || out->has_config != config))
		return diag_set(d, ERR_PROTOCOL, "printgated's answer is incomplete");
	return rc;
}

void answer_free(struct answer *a)
{
	free(a->view.grants);
	key_wipe(a, sizeof(*a));
}

int peer_stream_item(struct peer_stream *s, uint16_t type, const union control_any *item,
		     struct diag *d)
{
	int rc;

	if (type == CTL_GRANT && s->open) {
		view_add(&s->view, &item->grant);
		return 0;
	}
	if (type != CTL_PEER)
		return client_unexpected(type, d);
	rc = peer_stream_end(s, d);
	s->view.peer = item->peer;
	s->open = true;
	return rc;
}

int peer_stream_end(struct peer_stream *s, struct diag *d)
{
	int rc = s->open ? s->done(s->ctx, &s->view, d) : 0;

	s->open = false;
	s->view.count = 0;
	return rc;
}

void peer_stream_free(struct peer_stream *s)
{
	free(s->view.grants);
	*s = (struct peer_stream){0};
}

static int printer_item(void *ctx, uint16_t type, const union control_any *item, struct diag *d)
{
	if (type != CTL_PRINTER)
		return client_unexpected(type, d);
	printer_list_add(ctx, &item->printer);
	return 0;
}

int printer_list_ask(struct cli *cli, struct printer_list *out, struct diag *d)
{
	return client_ask(cli, CTL_PRINTERS, NULL, printer_item, out, d);
}

int printer_ask(struct cli *cli, uint16_t type, const void *msg, struct control_printer *out,
		struct diag *d)
{
	auto_printers one = {0};
	int rc = client_ask(cli, type, msg, printer_item, &one, d);

	if (!rc && one.count != 1)
		rc = diag_set(d, ERR_PROTOCOL, "printgated's answer is incomplete");
	if (!rc)
		*out = one.items[0];
	return rc;
}

void printer_list_add(struct printer_list *l, const struct control_printer *p)
{
	l->items = mem_grow(l->items, &l->cap, l->count + 1, sizeof(*l->items));
	l->items[l->count++] = *p;
}

const struct control_printer *printer_list_find(const struct printer_list *l,
						const struct name *name)
{
	for (size_t i = 0; i < l->count; i++) {
		if (!strcmp(l->items[i].name.s, name->s))
			return &l->items[i];
	}
	return NULL;
}

void printer_list_free(struct printer_list *l)
{
	free(l->items);
	*l = (struct printer_list){0};
}
