/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The field tables of privmsg.h. Two tables, one a direction: printgated cannot decode a message
 * that has text in it, because its table has none.
 */
#include "common/privmsg.h"

static const struct wire_field begin_fields[] = {
	WIRE_FIELD(privmsg_begin, full, WIRE_BOOL),
	WIRE_FIELD(privmsg_begin, locked, WIRE_BOOL),
};

static const struct wire_field printer_fields[] = {
	WIRE_FIELD(privmsg_printer, vpn, WIRE_PREFIX4),
	WIRE_FIELD(privmsg_printer, target, WIRE_PREFIX4),
	WIRE_FIELD(privmsg_printer, self, WIRE_BOOL),
	WIRE_FIELD(privmsg_printer, hardware, WIRE_HARDWARE),
};

static const struct wire_field service_fields[] = {
	WIRE_FIELD(privmsg_service, vpn, WIRE_PREFIX4),
	WIRE_FIELD(privmsg_service, service, WIRE_SERVICE),
};

static const struct wire_field grant_fields[] = {
	WIRE_FIELD(privmsg_grant, peer, WIRE_IP4),
	WIRE_FIELD(privmsg_grant, vpn, WIRE_PREFIX4),
	WIRE_RANGE(privmsg_grant, seconds, WIRE_U32, 0, WHEN_DURATION_MAX),
};

static const struct wire_field peer_fields[] = {
	WIRE_FIELD(privmsg_peer, public_key, WIRE_KEY),
	WIRE_FIELD(privmsg_peer, preshared, WIRE_SECRET),
	WIRE_FIELD(privmsg_peer, address, WIRE_IP4),
};

static const struct wire_field peer_del_fields[] = {
	WIRE_FIELD(privmsg_peer_del, public_key, WIRE_KEY),
	WIRE_FIELD(privmsg_peer_del, address, WIRE_IP4),
};

static const struct wire_field hello_fields[] = {
	WIRE_CHARS(privmsg_hello, interface, WIRE_TOKEN),
	WIRE_CHARS(privmsg_hello, backend, WIRE_TOKEN),
	WIRE_FIELD(privmsg_hello, public_key, WIRE_KEY),
	WIRE_FIELD(privmsg_hello, listen_port, WIRE_U16),
	WIRE_CHARS(privmsg_hello, endpoint, WIRE_TEXT),
	WIRE_FIELD(privmsg_hello, tunnel, WIRE_PREFIX4),
	WIRE_FIELD(privmsg_hello, tunnel6, WIRE_PREFIX6),
	WIRE_FIELD(privmsg_hello, keep_configs, WIRE_BOOL),
	WIRE_FIELD(privmsg_hello, events, WIRE_BOOL),
	WIRE_RANGE(privmsg_hello, check_seconds, WIRE_U16, 1, UINT16_MAX),
	WIRE_FIELD(privmsg_hello, page, WIRE_VIEWERS),
	WIRE_FIELD(privmsg_hello, page_tls, WIRE_VIEWERS),
	WIRE_CHARS(privmsg_hello, page_fingerprint, WIRE_TOKEN),
};

static const struct wire_field result_fields[] = {
	WIRE_FIELD(privmsg_result, code, WIRE_ERR),
	WIRE_FIELD(privmsg_result, item, WIRE_U32),
	WIRE_CHARS(privmsg_result, text, WIRE_TEXT),
};

static const struct wire_field stats_fields[] = {
	WIRE_FIELD(privmsg_stats, public_key, WIRE_KEY),
	WIRE_FIELD(privmsg_stats, last_handshake, WIRE_TIME),
	WIRE_FIELD(privmsg_stats, rx_bytes, WIRE_U64),
	WIRE_FIELD(privmsg_stats, tx_bytes, WIRE_U64),
	WIRE_FIELD(privmsg_stats, endpoint, WIRE_ENDPOINT),
};

static const struct wire_field finding_fields[] = {
	WIRE_RANGE(privmsg_finding, tool, WIRE_U8, FOREIGN_DOCKER, FOREIGN_UNSEEN),
	WIRE_RANGE(privmsg_finding, way, WIRE_U8, WAY_TO_PRINTER, WAY_WIREGUARD_OUT),
	WIRE_RANGE(privmsg_finding, family, WIRE_U8, 1, 2),
	WIRE_FIELD(privmsg_finding, admitted, WIRE_BOOL),
	WIRE_CHARS(privmsg_finding, table, WIRE_TOKEN),
	WIRE_CHARS(privmsg_finding, chain, WIRE_TOKEN),
};

static const struct wire_field neighbour_fields[] = {
	WIRE_FIELD(privmsg_neighbour, address, WIRE_IP4),
};

static const struct wire_field neighbour_is_fields[] = {
	WIRE_RANGE(privmsg_neighbour_is, state, WIRE_U8, NEIGHBOUR_NONE, NEIGHBOUR_KNOWN),
	WIRE_FIELD(privmsg_neighbour_is, hardware, WIRE_HARDWARE),
};

static const struct wire_row to_priv_rows[] = {
	WIRE_ROW(PRIV_BEGIN, privmsg_begin, begin_fields),
	WIRE_ROW(PRIV_PRINTER_PUT, privmsg_printer, printer_fields),
	WIRE_ROW(PRIV_PRINTER_DEL, privmsg_printer, printer_fields),
	WIRE_ROW(PRIV_SERVICE_PUT, privmsg_service, service_fields),
	WIRE_ROW(PRIV_SERVICE_DEL, privmsg_service, service_fields),
	WIRE_ROW(PRIV_GRANT_PUT, privmsg_grant, grant_fields),
	WIRE_ROW(PRIV_GRANT_DEL, privmsg_grant, grant_fields),
	WIRE_ROW(PRIV_PEER_PUT, privmsg_peer, peer_fields),
	WIRE_ROW(PRIV_PEER_DEL, privmsg_peer_del, peer_del_fields),
	WIRE_EMPTY(PRIV_COMMIT),
	WIRE_EMPTY(PRIV_DUMP),
	WIRE_EMPTY(PRIV_READY),
	WIRE_EMPTY(PRIV_CHECK),
	WIRE_ROW(PRIV_NEIGHBOUR, privmsg_neighbour, neighbour_fields),
};

static const struct wire_row from_priv_rows[] = {
	WIRE_ROW(PRIV_HELLO, privmsg_hello, hello_fields),
	WIRE_ROW(PRIV_RESULT, privmsg_result, result_fields),
	WIRE_ROW(PRIV_STATS, privmsg_stats, stats_fields),
	WIRE_EMPTY(PRIV_RESYNC),
	WIRE_EMPTY(PRIV_HANDSHAKE),
	WIRE_ROW(PRIV_FINDING, privmsg_finding, finding_fields),
	WIRE_ROW(PRIV_NEIGHBOUR_IS, privmsg_neighbour_is, neighbour_is_fields),
};

const struct wire_table privmsg_to_priv = {to_priv_rows,
					   sizeof(to_priv_rows) / sizeof(to_priv_rows[0])};
const struct wire_table privmsg_from_priv = {from_priv_rows,
					     sizeof(from_priv_rows) / sizeof(from_priv_rows[0])};
