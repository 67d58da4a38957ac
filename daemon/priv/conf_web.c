/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parsers of the values of [web]: where the page is served, by which names, with which certificate.
 * Called by conf.c and conf_value.c only.
 */
#include "daemon/priv/conf_value.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "common/cleanup.h"

/* An IPv4 address, or an IPv6 address in brackets. */
static int parse_address(struct endpoint *e, const char *host)
{
	char text[INET6_ADDRSTRLEN];
	size_t n = strlen(host);
	uint32_t v4;

	if (!ip4_parse(&v4, host)) {
		const uint32_t wire = htonl(v4);

		e->family = 4;
		memcpy(e->addr, &wire, sizeof(wire));
		return 0;
	}
	if (n < 3 || n - 2 >= sizeof(text) || host[0] != '[' || host[n - 1] != ']')
		return -1;
	memcpy(text, host + 1, n - 2);
	text[n - 2] = '\0';
	e->family = 6;
	return inet_pton(AF_INET6, text, e->addr) == 1 ? 0 : -1;
}

/* Splits "HOST:PORT", writing a NUL over the colon. */
static int split_port(char *item, uint16_t *port)
{
	char *colon = strrchr(item, ':');

	if (!colon || conf_parse_port(port, colon + 1))
		return -1;
	*colon = '\0';
	return 0;
}

static int listen_item(struct conf *c, char *item)
{
	struct conf_listen l = {.tunnel = false};

	if (c->listen_count == CONF_LISTEN_MAX || split_port(item, &l.at.port))
		return -1;
	l.tunnel = !strcmp(item, "tunnel");
	if (!l.tunnel && (parse_address(&l.at, item) || !endpoint_is_loopback(&l.at)))
		return -1;
	for (unsigned i = 0; i < c->listen_count; i++)
		if (l.tunnel && c->listen[i].tunnel)
			return -1;
	c->listen[c->listen_count++] = l;
	return 0;
}

static int tls_item(struct conf *c, char *item)
{
	struct conf_listen l = {.tunnel = false};

	if (c->tls_count == CONF_TLS_MAX || split_port(item, &l.at.port) ||
	    parse_address(&l.at, item))
		return -1;
	c->tls[c->tls_count++] = l;
	return 0;
}

/* Kept in lower case: names are compared without regard to it. */
static int name_item(struct conf *c, char *item)
{
	const size_t n = strlen(item);

	if (c->name_count == CONF_NAMES_MAX || n >= CONF_NAME_BYTES || !conf_host_valid(item))
		return -1;
	for (size_t i = 0; i <= n; i++)
		c->names[c->name_count][i] = (char)tolower((unsigned char)item[i]);
	c->name_count++;
	return 0;
}

/* A list, by commas or blanks, of at least one item. */
static int parse_list(struct conf *c, const char *value, int (*add)(struct conf *c, char *item))
{
	char text[1024], *save = NULL;
	unsigned n = 0;

	if (strlen(value) >= sizeof(text))
		return -1;
	memcpy(text, value, strlen(value) + 1);
	for (char *p = strtok_r(text, ", \t", &save); p; p = strtok_r(NULL, ", \t", &save), n++)
		if (add(c, p))
			return -1;
	return n ? 0 : -1;
}

int conf_value_listen(struct conf_draft *draft, const char *value)
{
	draft->conf.listen_count = 0;
	return strcmp(value, "off") ? parse_list(&draft->conf, value, listen_item) : 0;
}

int conf_value_tls(struct conf_draft *draft, const char *value)
{
	return strcmp(value, "off") ? parse_list(&draft->conf, value, tls_item) : 0;
}

int conf_value_names(struct conf_draft *draft, const char *value)
{
	return parse_list(&draft->conf, value, name_item);
}

int conf_value_certificate(struct conf_draft *draft, const char *value)
{
	return conf_parse_path(draft->conf.certificate, sizeof(draft->conf.certificate), value);
}

int conf_value_key(struct conf_draft *draft, const char *value)
{
	return conf_parse_path(draft->conf.key, sizeof(draft->conf.key), value);
}

/* ---- what depends on several values ------------------------------------------------------------ */

static void settle_listen(struct conf *c)
{
	const uint32_t gw = htonl(tunnel_gateway(c->tunnel));

	for (unsigned i = 0; i < c->listen_count; i++) {
		if (!c->listen[i].tunnel)
			continue;
		c->listen[i].at.family = 4;
		memcpy(c->listen[i].at.addr, &gw, sizeof(gw));
	}
}

/* By TLS the page is for the LAN; in the tunnel it is `listen`'s. */
static bool in_tunnel(const struct conf *c, const struct endpoint *e)
{
	uint32_t v4;

	memcpy(&v4, e->addr, sizeof(v4));
	return e->family == 4 && prefix4_contains(c->tunnel, ntohl(v4));
}

int conf_web_finish(struct conf *c, const char *path, struct diag *d)
{
	settle_listen(c);
	if (!c->certificate[0] != !c->key[0])
		return diag_set(d, ERR_CONFIG,
				"%s: [web] certificate and key belong together: give both, or none "
				"for a certificate that printgate makes itself",
				path);
	for (unsigned i = 0; i < c->tls_count; i++)
		if (in_tunnel(c, &c->tls[i].at))
			return diag_set(d, ERR_CONFIG,
					"%s: [web] tls is for the local network; inside the tunnel "
					"the page is served by listen = tunnel:PORT",
					path);
	return 0;
}
