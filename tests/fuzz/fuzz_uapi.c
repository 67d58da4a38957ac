/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a userspace WireGuard's answer. It comes from a socket, in pieces of any size: read
 * at once and byte by byte it must mean the same.
 */
#include "daemon/priv/wg_uapi.h"

#include <string.h>

#include "tests/fuzz/fuzz.h"

/* What was read, in a form that can be compared. */
struct result {
	int rc;
	struct uapi_reader end;
	struct wg_list peers;
};

static void check_peer(const struct wg_peer_state *p)
{
	fuzz_assert(p->endpoint.family == 0 || p->endpoint.family == 4 || p->endpoint.family == 6);
	fuzz_assert(p->last_handshake >= 0);
}

static void read_in_pieces(struct result *out, const uint8_t *data, size_t size, size_t piece,
			   bool config_only)
{
	struct uapi_reader *r = &out->end;
	struct diag d = {0};

	memset(out, 0, sizeof(*out));
	r->config_only = config_only;
	r->fn = wg_list_add;
	r->arg = &out->peers;
	for (size_t at = 0; at < size && out->rc == 0; at += piece) {
		size_t n = size - at < piece ? size - at : piece;

		out->rc = uapi_read(r, (const char *)data + at, n, &d);
	}
	fuzz_assert(out->rc == 0 || (out->rc == ERR_PROTOCOL && d.text[0] != '\0'));
	fuzz_assert(r->line_n < sizeof(r->line));
	for (size_t i = 0; i < out->peers.n; i++)
		check_peer(&out->peers.item[i]);
}

static bool same_peer(const struct wg_peer_state *a, const struct wg_peer_state *b)
{
	return key_equal(&a->peer.public_key, &b->peer.public_key) &&
	       secret_equal(&a->peer.preshared, &b->peer.preshared) &&
	       a->peer.address == b->peer.address &&
	       prefix6_equal(&a->peer.address6, &b->peer.address6) && a->exact == b->exact &&
	       a->last_handshake == b->last_handshake && a->rx_bytes == b->rx_bytes &&
	       a->tx_bytes == b->tx_bytes && a->endpoint.family == b->endpoint.family &&
	       a->endpoint.port == b->endpoint.port &&
	       memcmp(a->endpoint.addr, b->endpoint.addr, sizeof(a->endpoint.addr)) == 0;
}

static void compare(const struct result *a, const struct result *b)
{
	fuzz_assert(a->rc == b->rc);
	fuzz_assert(a->peers.n == b->peers.n);
	for (size_t i = 0; i < a->peers.n; i++)
		fuzz_assert(same_peer(&a->peers.item[i], &b->peers.item[i]));
	if (a->rc)
		return;
	fuzz_assert(a->end.done == b->end.done && a->end.error == b->end.error);
	fuzz_assert(secret_equal(&a->end.config.key, &b->end.config.key));
	fuzz_assert(a->end.config.listen_port == b->end.config.listen_port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result whole, bytes;

	for (int config_only = 0; config_only < 2; config_only++) {
		read_in_pieces(&whole, data, size, size ? size : 1, config_only);
		read_in_pieces(&bytes, data, size, 1, config_only);
		compare(&whole, &bytes);
		wg_list_free(&whole.peers);
		wg_list_free(&bytes.peers);
	}
	return 0;
}
