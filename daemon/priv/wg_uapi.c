/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UAPI text: encoder and reader (wg_uapi.h). No system call is made here. Used by wg_user.c.
 */
#include "daemon/priv/wg_uapi.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "common/cleanup.h"

#define EDIT_BYTES 320 /* more than the longest edit: see put_edit */
#define HEX_BYTES  (2 * WG_KEY_BYTES + 1)

/* ---- encoder --------------------------------------------------------------------------------- */

/* Appends to a text whose room was reckoned beforehand. */
static void put(char *out, size_t *n, const char *key, const char *value)
{
	*n += (size_t)snprintf(out + *n, UAPI_TEXT_BYTES - *n, "%s=%s\n", key, value);
}

static void put_hex(char *out, size_t *n, const char *key, const uint8_t raw[WG_KEY_BYTES])
{
	char hex[HEX_BYTES];

	(void)sodium_bin2hex(hex, sizeof(hex), raw, WG_KEY_BYTES);
	put(out, n, key, hex);
	sodium_memzero(hex, sizeof(hex));
}

static void put_number(char *out, size_t *n, const char *key, unsigned value)
{
	char number[12];

	(void)snprintf(number, sizeof(number), "%u", value);
	put(out, n, key, number);
}

size_t uapi_put_config(char out[UAPI_TEXT_BYTES], const struct wg_secret *key, uint16_t port)
{
	size_t n = 0;

	put(out, &n, "set", "1");
	if (key)
		put_hex(out, &n, "private_key", key->b);
	if (port)
		put_number(out, &n, "listen_port", port);
	out[n++] = '\n';
	return n;
}

/* The keepalive comes last: it is sent to the endpoint. */
static void put_hail(char *out, size_t *n, const struct wg_hail *h)
{
	char endpoint[ENDPOINT_TEXT_BYTES];

	put(out, n, "update_only", "true");
	endpoint_format(endpoint, &h->endpoint);
	if (h->endpoint.family)
		put(out, n, "endpoint", endpoint);
	put_number(out, n, "persistent_keepalive_interval", h->keepalive);
}

static void put_edit(char *out, size_t *n, const struct wg_edit *e)
{
	char ip[IP4_TEXT_BYTES], ip6[PREFIX6_TEXT_BYTES];
	char allowed[PREFIX6_TEXT_BYTES];

	put_hex(out, n, "public_key", e->key->b);
	if (e->hail) {
		put_hail(out, n, e->hail);
		return;
	}
	if (!e->put) {
		put(out, n, "remove", "true");
		return;
	}
	put_hex(out, n, "preshared_key", e->put->preshared.b);
	put(out, n, "replace_allowed_ips", "true");
	ip4_format(ip, e->put->address);
	(void)snprintf(allowed, sizeof(allowed), "%s/32", ip);
	put(out, n, "allowed_ip", allowed);
	if (!e->put->address6.len)
		return;
	prefix6_format(ip6, &e->put->address6);
	(void)snprintf(allowed, sizeof(allowed), "%.45s/128", ip6);
	put(out, n, "allowed_ip", allowed);
}

size_t uapi_put_edits(char out[UAPI_TEXT_BYTES], const struct wg_edit *list, size_t n,
		      size_t *taken)
{
	size_t used = 0;
	size_t i;

	put(out, &used, "set", "1");
	for (i = 0; i < n && used + EDIT_BYTES < UAPI_TEXT_BYTES; i++)
		put_edit(out, &used, &list[i]);
	out[used++] = '\n';
	*taken = i;
	return used;
}

/* ---- reader ---------------------------------------------------------------------------------- */

static bool hex_read(uint8_t out[WG_KEY_BYTES], const char *value)
{
	size_t n = 0;

	return strlen(value) == 2 * WG_KEY_BYTES &&
	       sodium_hex2bin(out, WG_KEY_BYTES, value, 2 * WG_KEY_BYTES, NULL, &n, NULL) == 0 &&
	       n == WG_KEY_BYTES;
}

static bool number_read(uint64_t *out, const char *value, uint64_t max)
{
	uint64_t v = 0;

	if (!*value)
		return false;
	for (; *value; value++) {
		unsigned digit = (unsigned)(*value - '0');

		if (digit > 9 || v > (max - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return true;
}

static bool take_private_key(struct uapi_reader *r, const char *value)
{
	return hex_read(r->config.key.b, value);
}

static bool take_listen_port(struct uapi_reader *r, const char *value)
{
	uint64_t v;

	if (!number_read(&v, value, UINT16_MAX))
		return false;
	r->config.listen_port = (uint16_t)v;
	return true;
}

static bool take_preshared(struct uapi_reader *r, const char *value)
{
	return hex_read(r->peer.peer.preshared.b, value);
}

static bool take_handshake(struct uapi_reader *r, const char *value)
{
	uint64_t v;

	if (!number_read(&v, value, INT64_MAX))
		return false;
	r->peer.last_handshake = (int64_t)v;
	return true;
}

static bool take_keepalive(struct uapi_reader *r, const char *value)
{
	uint64_t v;

	if (!number_read(&v, value, UINT16_MAX))
		return false;
	r->peer.keepalive = (uint16_t)v;
	return true;
}

static bool take_rx(struct uapi_reader *r, const char *value)
{
	return number_read(&r->peer.rx_bytes, value, UINT64_MAX);
}

static bool take_tx(struct uapi_reader *r, const char *value)
{
	return number_read(&r->peer.tx_bytes, value, UINT64_MAX);
}

/* "192.0.2.1:51820", "[2001:db8::1]:51820", "[fe80::1%eth0]:51820" */
static bool take_endpoint(struct uapi_reader *r, const char *value)
{
	struct endpoint e = {0};
	const char *colon = strrchr(value, ':');
	char text[UAPI_LINE_BYTES];
	uint64_t port;
	size_t n;

	if (!colon || !number_read(&port, colon + 1, UINT16_MAX))
		return false;
	e.family = value[0] == '[' ? 6 : 4;
	e.port = (uint16_t)port;
	n = (size_t)(colon - value);
	if (e.family == 6 && (n < 2 || value[n - 1] != ']'))
		return false;
	memcpy(text, value, n);
	text[e.family == 6 ? n - 1 : n] = '\0';
	if (e.family == 6)
		text[1 + strcspn(text + 1, "%")] = '\0';
	if (inet_pton(e.family == 6 ? AF_INET6 : AF_INET, text + (e.family == 6), e.addr) != 1)
		return false;
	r->peer.endpoint = e;
	return true;
}

static bool take_allowed_ip(struct uapi_reader *r, const char *value)
{
	const char *slash = strchr(value, '/');
	uint8_t addr[IP6_BYTES];
	char text[UAPI_LINE_BYTES];
	uint64_t len;
	bool six;

	if (!slash)
		return false;
	memcpy(text, value, (size_t)(slash - value));
	text[slash - value] = '\0';
	six = inet_pton(AF_INET, text, addr) != 1;
	if (six && inet_pton(AF_INET6, text, addr) != 1)
		return false;
	if (!number_read(&len, slash + 1, six ? 128 : 32))
		return false;
	wg_allowed_take(&r->allowed, &r->peer, six, addr, (unsigned)len);
	return true;
}

static int peer_end(struct uapi_reader *r)
{
	int rc = r->in_peer && r->fn ? r->fn(r->arg, &r->peer) : 0;

	sodium_memzero(&r->peer, sizeof(r->peer));
	r->in_peer = false;
	r->allowed = (struct wg_allowed){0};
	return rc;
}

static const struct row {
	const char *key;
	bool of_peer;
	bool (*take)(struct uapi_reader *r, const char *value);
} rows[] = {
	{"private_key", false, take_private_key},
	{"listen_port", false, take_listen_port},
	{"preshared_key", true, take_preshared},
	{"endpoint", true, take_endpoint},
	{"last_handshake_time_sec", true, take_handshake},
	{"persistent_keepalive_interval", true, take_keepalive},
	{"rx_bytes", true, take_rx},
	{"tx_bytes", true, take_tx},
	{"allowed_ip", true, take_allowed_ip},
};

/* A key that we do not know (fwmark, protocol_version, …) is passed over. */
static bool take_row(struct uapi_reader *r, const char *key, const char *value)
{
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(rows[i].key, key) == 0)
			return rows[i].of_peer == r->in_peer && rows[i].take(r, value);
	}
	return true;
}

static int bad(struct diag *d, const char *what)
{
	return diag_set(d, ERR_PROTOCOL, "the userspace WireGuard's answer is malformed: %s", what);
}

static int take_errno(struct uapi_reader *r, const char *value, struct diag *d)
{
	uint64_t v;

	/* wireguard-go writes some of them with a minus sign. */
	if (!number_read(&v, value + (*value == '-'), INT32_MAX))
		return bad(d, "errno is not a number");
	r->error = (int)v;
	r->ended = true;
	return peer_end(r);
}

static int take_peer(struct uapi_reader *r, const char *value, struct diag *d)
{
	int rc = peer_end(r);

	if (rc)
		return rc;
	if (r->config_only) {
		r->done = true;
		return 0;
	}
	if (!hex_read(r->peer.peer.public_key.b, value))
		return bad(d, "public_key is not a key");
	r->in_peer = true;
	return 0;
}

static int take_line(struct uapi_reader *r, struct diag *d)
{
	char *equals = strchr(r->line, '=');
	char what[64];

	if (r->ended && r->line_n)
		return bad(d, "a line follows errno");
	if (!r->line_n) {
		r->done = r->ended;
		return r->ended ? 0 : bad(d, "it ends before errno");
	}
	if (!equals || strlen(r->line) != r->line_n)
		return bad(d, "a line is not key=value");
	*equals = '\0';
	if (strcmp(r->line, "errno") == 0)
		return take_errno(r, equals + 1, d);
	if (strcmp(r->line, "public_key") == 0)
		return take_peer(r, equals + 1, d);
	if (take_row(r, r->line, equals + 1))
		return 0;
	(void)snprintf(what, sizeof(what), "the value or place of %.30s", r->line);
	return bad(d, what);
}

int uapi_read(struct uapi_reader *r, const char *text, size_t n, struct diag *d)
{
	for (size_t i = 0; i < n; i++) {
		int rc;

		if (r->done && r->config_only)
			return 0; /* the rest is not wanted */
		if (r->done)
			return bad(d, "something follows its end");
		if (text[i] != '\n') {
			if (r->line_n == sizeof(r->line) - 1)
				return bad(d, "a line is too long");
			r->line[r->line_n++] = text[i];
			continue;
		}
		r->line[r->line_n] = '\0';
		rc = take_line(r, d);
		if (rc)
			return rc;
		r->line_n = 0;
	}
	return 0;
}
