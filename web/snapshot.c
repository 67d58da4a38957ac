/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An answer of core, item by item, and what has changed since the one before.
 */
#include "web/snapshot.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/mem.h"

void snapshot_clear(struct snapshot *s)
{
	free(s->by_name);
	s->by_name = NULL;
	s->owners = s->printers = s->peers = s->grants = 0;
	s->findings = (struct control_web_findings){0};
}

void snapshot_free(struct snapshot *s)
{
	free(s->by_name);
	free(s->printer);
	free(s->peer);
	free(s->grant);
	*s = (struct snapshot){0};
}

/* ---- items ------------------------------------------------------------------------------------- */

/* What the running sort is about: qsort(3) hands nothing through. */
static const struct snapshot *sorting;

static int compare_printers(const void *a, const void *b)
{
	const size_t *i = a, *k = b;

	return strcmp(sorting->printer[*i].name.s, sorting->printer[*k].name.s);
}

static void sort_printers(struct snapshot *s)
{
	s->by_name = mem_zalloc(s->printers + 1, sizeof(*s->by_name));
	for (size_t i = 0; i < s->printers; i++)
		s->by_name[i] = i;
	sorting = s;
	qsort(s->by_name, s->printers, sizeof(*s->by_name), compare_printers);
}

static int find_printer(struct snapshot *s, const struct name *name, uint32_t *out)
{
	size_t low = 0, high = s->printers;

	if (!s->by_name)
		sort_printers(s);
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int c = strcmp(s->printer[s->by_name[middle]].name.s, name->s);

		if (c == 0) {
			*out = (uint32_t)s->by_name[middle];
			return 0;
		}
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

static int take_grant(struct snapshot *s, const struct control_grant *g, struct diag *d)
{
	struct seen_grant seen = {.expires = g->expires};

	if (!s->peers || find_printer(s, &g->printer, &seen.printer) < 0)
		return diag_set(d, ERR_PROTOCOL, "core told of a grant without its printer");
	s->grant = mem_grow(s->grant, &s->grants_cap, s->grants + 1, sizeof(*s->grant));
	s->grant[s->grants++] = seen;
	s->peer[s->peers - 1].grants++;
	return 0;
}

static int take_printer(struct snapshot *s, const struct control_printer *p, struct diag *d)
{
	if (s->by_name)
		return diag_set(d, ERR_PROTOCOL, "core told of a printer after its grants");
	s->printer = mem_grow(s->printer, &s->printers_cap, s->printers + 1, sizeof(*s->printer));
	s->printer[s->printers++] = *p;
	return 0;
}

int snapshot_item(struct snapshot *s, uint16_t type, const union control_any *m, struct diag *d)
{
	switch (type) {
	case CTL_GATEWAY:
		s->gateway = m->gateway;
		return 0;
	case CTL_COUNTS:
		s->counts = m->counts;
		return 0;
	case CTL_WEB_FINDINGS:
		s->findings = m->web_findings;
		return 0;
	case CTL_WEB_OWNER:
		if (s->owners == WEB_OWNERS_MAX || m->web_owner.index >= WEB_OWNERS_MAX)
			break;
		s->owner[s->owners++].is = m->web_owner;
		return 0;
	case CTL_PRINTER:
		return take_printer(s, &m->printer, d);
	case CTL_PEER:
		s->peer = mem_grow(s->peer, &s->peers_cap, s->peers + 1, sizeof(*s->peer));
		s->peer[s->peers++] =
			(struct seen_peer){.peer = m->peer, .first = s->grants, .grants = 0};
		return 0;
	case CTL_GRANT:
		return take_grant(s, &m->grant, d);
	default:
		break;
	}
	return diag_set(d, ERR_PROTOCOL, "core answered with message %u", type);
}

/* ---- rates ------------------------------------------------------------------------------------- */

static void add_sample(struct seen_peer *p, const struct seen_peer *was, int64_t ms)
{
	const uint64_t now = p->peer.rx_bytes + p->peer.tx_bytes;
	const uint64_t then = was->peer.rx_bytes + was->peer.tx_bytes;
	uint64_t rate;

	p->rate = was->rate;
	if (ms <= 0)
		return;
	rate = now > then ? (now - then) * 1000 / (uint64_t)ms : 0; /* less: counted anew */
	memmove(p->rate.sample, p->rate.sample + 1, sizeof(p->rate.sample) - sizeof(uint32_t));
	p->rate.sample[RATE_SAMPLES - 1] = rate > UINT32_MAX ? UINT32_MAX : (uint32_t)rate;
	if (p->rate.n < RATE_SAMPLES)
		p->rate.n++;
}

/* Peers come in the store's order both times, so the one that is sought stands near the last found. */
void snapshot_end(struct snapshot *s, const struct snapshot *before)
{
	size_t at = 0;

	for (size_t i = 0; i < s->peers; i++)
		for (size_t tried = 0; tried < before->peers; tried++) {
			const struct seen_peer *was = &before->peer[(at + tried) % before->peers];

			if (memcmp(&was->peer.public_key, &s->peer[i].peer.public_key,
				   sizeof(was->peer.public_key)) != 0)
				continue;
			add_sample(&s->peer[i], was, s->mono - before->mono);
			at = (at + tried + 1) % before->peers;
			break;
		}
}

/* ---- questions --------------------------------------------------------------------------------- */

const struct seen_peer *snapshot_peer(const struct snapshot *s, const struct endpoint *e)
{
	uint32_t address;

	memcpy(&address, e->addr, sizeof(address));
	address = ntohl(address);
	for (size_t i = 0; i < s->peers; i++) {
		const struct control_peer *p = &s->peer[i].peer;

		if ((e->family == 4 && p->address == address) ||
		    (e->family == 6 && p->address6.len &&
		     memcmp(p->address6.addr, e->addr, sizeof(e->addr)) == 0))
			return &s->peer[i];
	}
	return NULL;
}

const struct control_web_owner *snapshot_owner(const struct snapshot *s,
					       const struct web_secret *secret)
{
	for (size_t i = 0; i < s->owners; i++)
		if (web_secret_equal(&s->owner[i].secret, secret))
			return &s->owner[i].is;
	return NULL;
}

bool snapshot_is_gateway(const struct snapshot *s, const struct endpoint *e)
{
	const uint32_t gateway = tunnel_gateway(s->gateway.tunnel), net = htonl(gateway);
	const struct prefix6 six = tunnel6_host(&s->gateway.tunnel6, gateway);

	if (e->family == 6)
		return six.len && memcmp(e->addr, six.addr, sizeof(six.addr)) == 0;
	return e->family == 4 && memcmp(e->addr, &net, sizeof(net)) == 0;
}
