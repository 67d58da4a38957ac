/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line a value; names as labels.
 */
#include "web/metrics.h"

#include <inttypes.h>

static void put_help(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP printgate_%s %s\n# TYPE printgate_%s %s\n", name, help, name, type);
}

/* A name as a label's value. (It has no line feed: name.h.) */
static void put_label(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void put_gateway(FILE *out, const struct snapshot *s)
{
	static const char *const states[] = {"waiting", "online", "offline", "disabled", "expired"};
	uint64_t count[PEER_EXPIRED + 1] = {0};

	for (size_t i = 0; i < s->peers; i++)
		count[s->peer[i].peer.state]++;
	put_help(out, "up", "gauge", "1 while printgate-core answers.");
	fputs("printgate_up 1\n", out);
	put_help(out, "locked", "gauge", "1 while the panic switch is on.");
	fprintf(out, "printgate_locked %d\n", s->gateway.locked);
	put_help(out, "uptime_seconds", "gauge", "Seconds since printgated started.");
	fprintf(out, "printgate_uptime_seconds %" PRIu64 "\n", s->gateway.uptime);
	put_help(out, "peers", "gauge", "Enrolled peers, by state.");
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		fprintf(out, "printgate_peers{state=\"%s\"} %" PRIu64 "\n", states[i], count[i]);
	put_help(out, "findings", "gauge", "What 'printgate doctor' found, by result.");
	fprintf(out,
		"printgate_findings{result=\"warn\"} %u\nprintgate_findings{result=\"fail\"} %u\n",
		s->findings.warnings, s->findings.failures);
}

enum column { ONLINE, HANDSHAKE, RECEIVED, SENT };

static void put_column(FILE *out, const struct snapshot *s, const char *name, enum column column)
{
	for (size_t i = 0; i < s->peers; i++) {
		const struct control_peer *p = &s->peer[i].peer;
		const uint64_t values[] = {
			[ONLINE] = p->state == PEER_ONLINE,
			[HANDSHAKE] = (uint64_t)p->last_handshake,
			[RECEIVED] = p->rx_bytes,
			[SENT] = p->tx_bytes,
		};

		fprintf(out, "printgate_peer_%s{name=\"", name);
		put_label(out, p->name.s);
		fprintf(out, "\"} %" PRIu64 "\n", values[column]);
	}
}

static void put_printers(FILE *out, const struct snapshot *s)
{
	put_help(out, "printer_answers", "gauge",
		 "1 if the printer answered when it was last asked, 0 if not; absent while "
		 "unknown.");
	for (size_t i = 0; i < s->printers; i++) {
		if (s->printer[i].reach == REACH_UNKNOWN)
			continue;
		fputs("printgate_printer_answers{name=\"", out);
		put_label(out, s->printer[i].name.s);
		fprintf(out, "\"} %d\n", s->printer[i].reach == REACH_ANSWERS);
	}
}

void metrics_write(FILE *out, const struct snapshot *s)
{
	put_gateway(out, s);
	put_help(out, "peer_online", "gauge",
		 "1 if the last handshake is under three minutes old.");
	put_column(out, s, "online", ONLINE);
	put_help(out, "peer_last_handshake_timestamp_seconds", "gauge",
		 "Time of the last handshake, seconds since the epoch; 0 for never.");
	put_column(out, s, "last_handshake_timestamp_seconds", HANDSHAKE);
	put_help(out, "peer_receive_bytes_total", "counter",
		 "Bytes that the gateway received from the peer since the interface came up.");
	put_column(out, s, "receive_bytes_total", RECEIVED);
	put_help(out, "peer_transmit_bytes_total", "counter",
		 "Bytes that the gateway sent to the peer since the interface came up.");
	put_column(out, s, "transmit_bytes_total", SENT);
	put_printers(out, s);
}
