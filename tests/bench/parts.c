/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Times two parts of an enrolment alone, for the benchmarks: nanoseconds, one line each round.
 *
 *	parts store FILE PEERS ROUNDS	a peer, its grant, its sealed config and its event, committed
 *					durably to a store that holds PEERS already
 *	parts qr FILE ROUNDS		the QR code of the text in FILE, made and drawn
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/qr.h"
#include "common/cleanup.h"
#include "db/store.h"

#define TUNNEL_FIRST 0x0a4d4001u /* 10.77.64.1 */

static struct diag d;

static void check(int rc)
{
	if (rc) {
		(void)fprintf(stderr, "parts: %s\n", d.text);
		exit(2);
	}
}

static uint64_t now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void tell(uint64_t since)
{
	(void)printf("%llu\n", (unsigned long long)(now() - since));
}

/* ---- the store ----------------------------------------------------------------------------------- */

static struct store_printer printer = {
	.name = {"printer"},
	.address = {0xc0a8050a, 32}, /* 192.168.5.10 */
	.vpn = {0x0a4d0002, 32},
	.services = {.count = 1, .item = {{.protocol = 6, .first = 80, .last = 80}}},
};

static void add_peer(struct store *s, unsigned number)
{
	static const uint8_t sealed[400];
	struct store_peer p = {.address = TUNNEL_FIRST + number, .created = 1};
	struct control_event e = {.time = 1, .actor = "root", .action = "enroll"};

	(void)snprintf(p.name.s, sizeof(p.name.s), "phone %u", number);
	memcpy(p.public_key.b, &number, sizeof(number));
	p.public_key.b[31] = 1;
	(void)snprintf(e.subject, sizeof(e.subject), "%s", p.name.s);
	check(store_peer_insert(s, &p, &d));
	check(store_grant_put(s, p.id, printer.id, 0, 1, &d));
	check(store_sealed_put(s, p.id, sealed, sizeof(sealed), 1, &d));
	check(store_meta_set(s, "peer_cursor", p.name.s, &d));
	check(store_event_add(s, &e, &d));
}

static void time_store(const char *path, unsigned peers, unsigned rounds)
{
	struct store *s;
	uint64_t t;

	check(store_open(&s, path, &d));
	check(store_begin(s, &d));
	check(store_printer_insert(s, &printer, &d));
	for (unsigned i = 0; i < peers; i++)
		add_peer(s, i);
	check(store_commit(s, &d));
	for (unsigned i = 0; i < rounds; i++) {
		t = now();
		check(store_begin(s, &d));
		add_peer(s, peers + i);
		check(store_commit(s, &d));
		tell(t);
	}
	store_free(s);
}

/* ---- the code ------------------------------------------------------------------------------------ */

static void time_qr(const char *path, unsigned rounds)
{
	auto_fclose FILE *in = fopen(path, "r");
	auto_fclose FILE *out = fopen("/dev/null", "w");
	char text[1024] = "";
	uint64_t t;

	if (!in || !out || !fread(text, 1, sizeof(text) - 1, in))
		exit(2);
	for (unsigned i = 0; i < rounds; i++) {
		struct qr q = {0};

		t = now();
		check(qr_make(&q, text, &d));
		qr_draw(&q, out);
		(void)fflush(out);
		tell(t);
		qr_free(&q);
	}
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "store") == 0) {
		time_store(argv[2], (unsigned)strtoul(argv[3], NULL, 10),
			   (unsigned)strtoul(argv[4], NULL, 10));
	} else if (argc == 4 && strcmp(argv[1], "qr") == 0) {
		time_qr(argv[2], (unsigned)strtoul(argv[3], NULL, 10));
	} else {
		(void)fprintf(stderr, "usage: parts store FILE PEERS ROUNDS | qr FILE ROUNDS\n");
		return 2;
	}
	return 0;
}
