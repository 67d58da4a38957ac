/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drives daemon/priv/nft.h from a test: `nft_driver INTERFACE TUNNEL PAGE_PORT PAGE_BOUND [TUNNEL6]`,
 * then one command a line on standard input, one line in answer to each that acts ("ok", or "error ITEM
 * TEXT"). Runs in a network namespace that the test has made.
 *
 *	shut | down | gated | begin full | begin delta | mark N | commit | took
 *	printer put|del VPN TARGET|self     service put|del VPN PROTOCOL/FIRST-LAST
 *	grant put|del PEER VPN SECONDS      gate INTERFACE      grants COUNT FIRST-PEER VPN
 *
 * `took` prints the nanoseconds of the last commit, for the benchmarks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "daemon/priv/nft.h"

#define WORDS_MAX 5

static uint64_t took;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "nft_driver: %s: %s\n", what, why);
	exit(2);
}

static struct prefix4 prefix(const char *text)
{
	struct diag d = {.text = ""};
	struct prefix4 p;

	if (prefix4_parse(&p, text, &d) < 0)
		die(text, d.text);
	return p;
}

static void answer(int rc, uint32_t item, const struct diag *d)
{
	if (rc < 0 && item == UINT32_MAX)
		printf("error - %s\n", d->text);
	else if (rc < 0)
		printf("error %u %s\n", item, d->text);
	else
		puts("ok");
	fflush(stdout);
}

static void printer(struct nft *n, char **w, bool put)
{
	struct privmsg_printer p = {.vpn = prefix(w[2])};

	p.self = strcmp(w[3], "self") == 0;
	p.target = prefix(p.self ? "0.0.0.0" : w[3]);
	(put ? nft_printer_put : nft_printer_del)(n, &p);
}

static void service(struct nft *n, char **w, bool put)
{
	struct privmsg_service s = {.vpn = prefix(w[2])};
	struct services list = {0};
	struct diag d = {.text = ""};

	if (services_parse(&list, w[3], &d) < 0)
		die(w[3], d.text);
	s.service = list.item[0];
	(put ? nft_service_put : nft_service_del)(n, &s);
}

static void grant(struct nft *n, char **w, bool put)
{
	struct privmsg_grant g = {.peer = prefix(w[2]).addr, .vpn = prefix(w[3])};

	g.seconds = (uint32_t)strtoul(w[4], NULL, 10);
	(put ? nft_grant_put : nft_grant_del)(n, &g);
}

static void grants(struct nft *n, char **w)
{
	struct privmsg_grant g = {.peer = prefix(w[2]).addr, .vpn = prefix(w[3])};

	for (unsigned long i = strtoul(w[1], NULL, 10); i > 0; i--, g.peer++)
		nft_grant_put(n, &g);
}

static void gated_print(void *arg, const char *interface)
{
	(void)arg;
	puts(interface);
}

static bool collect(struct nft *n, char **w)
{
	bool put = w[1] && strcmp(w[1], "put") == 0;
	char interface[IFNAMSIZ] = "";

	if (strcmp(w[0], "begin") == 0)
		nft_begin(n, strcmp(w[1], "full") == 0);
	else if (strcmp(w[0], "mark") == 0)
		nft_mark(n, (uint32_t)strtoul(w[1], NULL, 10));
	else if (strcmp(w[0], "printer") == 0)
		printer(n, w, put);
	else if (strcmp(w[0], "service") == 0)
		service(n, w, put);
	else if (strcmp(w[0], "grant") == 0)
		grant(n, w, put);
	else if (strcmp(w[0], "grants") == 0)
		grants(n, w);
	else if (strcmp(w[0], "gate") == 0) {
		snprintf(interface, sizeof(interface), "%s", w[1]);
		nft_gated_put(n, interface);
	} else if (strcmp(w[0], "took") == 0) {
		printf("%llu\n", (unsigned long long)took);
		fflush(stdout);
	} else
		return false;
	return true;
}

static uint64_t now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int commit(struct nft *n, uint32_t *item, struct diag *d)
{
	uint64_t began = now();
	int rc = nft_commit(n, item, d);

	took = now() - began;
	return rc;
}

static void act(struct nft *n, char **w)
{
	struct diag d = {.text = ""};
	uint32_t item = UINT32_MAX;
	int rc = 0;

	if (strcmp(w[0], "shut") == 0)
		rc = nft_shut(n, &d);
	else if (strcmp(w[0], "down") == 0)
		rc = nft_down(n, &d);
	else if (strcmp(w[0], "gated") == 0)
		rc = nft_gated_each(n, gated_print, NULL, &d);
	else if (strcmp(w[0], "commit") == 0)
		rc = commit(n, &item, &d);
	else
		die(w[0], "no such command");
	answer(rc, item, &d);
}

int main(int argc, char **argv)
{
	struct nft_shape shape = {.interface = ""};
	char line[256], *words[WORDS_MAX + 1], *rest;
	struct diag d = {.text = ""};
	struct nft *n;

	if (argc != 5 && argc != 6)
		die("usage", "nft_driver INTERFACE TUNNEL PAGE_PORT PAGE_BOUND [TUNNEL6]");
	snprintf(shape.interface, sizeof(shape.interface), "%s", argv[1]);
	shape.tunnel = prefix(argv[2]);
	shape.listen_port = 51820;
	shape.page_port = (uint16_t)strtoul(argv[3], NULL, 10);
	shape.page_bound = shape.page_bound6 = (uint16_t)strtoul(argv[4], NULL, 10);
	if (argc == 6 && prefix6_parse(&shape.tunnel6, argv[5]) < 0)
		die(argv[5], "no IPv6 prefix");
	if (nft_open(&n, &shape, &d) < 0)
		die("nft_open", d.text);
	while (fgets(line, sizeof(line), stdin)) {
		memset(words, 0, sizeof(words));
		rest = line;
		for (int i = 0; i < WORDS_MAX; i++)
			words[i] = strtok_r(rest, " \n", &rest);
		if (words[0] && !collect(n, words))
			act(n, words);
	}
	nft_free(n);
	return 0;
}
