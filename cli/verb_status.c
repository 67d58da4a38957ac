/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate status: the gateway, its printers and its peers; with --watch again and again.
 */
#include "cli/verbs.h"

#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/json.h"
#include "cli/peers.h"
#include "cli/report.h"
#include "cli/text.h"

#define WATCH_SECONDS 2
#define CLEAR_SCREEN  "\033[H\033[2J"

enum { OPT_WATCH };

struct status {
	struct cli *cli;
	bool has_gateway, in_peers;
	struct control_gateway gateway;
	struct printer_list printers;
	struct peers peers;
};

static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static void status_free(struct status *s)
{
	printer_list_free(&s->printers);
	peers_free(&s->peers);
}

/* All that comes before the peers in `{"gateway":…,"printers":…,"peers":…}`. */
static int json_head(struct status *s, struct diag *d)
{
	int rc;

	fputs("{\"gateway\":", s->cli->out);
	rc = json_put(s->cli, json_gateway(&s->gateway), d);
	fputs(",\"printers\":", s->cli->out);
	if (!rc)
		rc = json_put(s->cli, json_printers(&s->printers), d);
	fputs(",\"peers\":[", s->cli->out);
	return rc;
}

static void text_head(struct status *s)
{
	const struct control_gateway *g = &s->gateway;
	char key[WG_KEY_TEXT_BYTES], tunnel[PREFIX4_TEXT_BYTES], up[TEXT_AGO_BYTES];
	char tunnel6[PREFIX6_TEXT_BYTES];
	FILE *out = s->cli->out;

	key_format(key, &g->public_key);
	prefix4_format(tunnel, g->tunnel);
	text_duration(up, g->uptime);
	if (g->locked)
		text_para(out, 0,
			  "LOCKED%s%s%s: nobody reaches any printer until 'printgate unlock'.",
			  g->lock_reason[0] ? " (" : "", g->lock_reason,
			  g->lock_reason[0] ? ")" : "");
	text_para(out, 0, "Gateway %s (%s), up for %s", g->interface, g->backend, up);
	prefix6_format(tunnel6, &g->tunnel6);
	text_para(out, 2, "tunnel %s%s%s, UDP port %u", tunnel, tunnel6[0] ? " and " : "", tunnel6,
		  g->listen_port);
	text_para(out, 2, "public key %s", key);
	if (g->endpoint[0])
		text_para(out, 2, "phones find it at %s", g->endpoint);
	else
		text_para(out, 2, "no endpoint is configured: phones cannot find it");
	text_para(out, 2, "a provisioning file needs the code %s", g->provision_code);
	fputc('\n', out);
	report_printers(out, &s->printers);
	fputc('\n', out);
}

/* The first peer, or the end, closes the head. */
static int close_head(struct status *s, struct diag *d)
{
	if (s->in_peers)
		return 0;
	s->in_peers = true;
	if (!s->has_gateway)
		return diag_set(d, ERR_PROTOCOL, "printgated's answer is incomplete");
	if (s->cli->json)
		return json_head(s, d);
	text_head(s);
	return 0;
}

static int status_item(void *ctx, uint16_t type, const union control_any *item, struct diag *d)
{
	struct status *s = ctx;
	int rc;

	if (type == CTL_GATEWAY && !s->has_gateway) {
		s->gateway = item->gateway;
		s->has_gateway = true;
		return 0;
	}
	if (type == CTL_PRINTER && !s->in_peers) {
		printer_list_add(&s->printers, &item->printer);
		return 0;
	}
	rc = close_head(s, d);
	return rc ? rc : peers_item(&s->peers, type, item, d);
}

static int once(struct cli *cli, struct diag *d)
{
	__attribute__((cleanup(status_free))) struct status s = {.cli = cli};
	int rc;

	peers_begin(&s.peers, cli);
	rc = client_ask(cli, CTL_STATUS, NULL, status_item, &s, d);
	if (!rc)
		rc = close_head(&s, d);
	if (!rc)
		rc = peers_end(&s.peers, d);
	if (!rc && cli->json)
		fputs("]}\n", cli->out);
	return rc;
}

/* A watch outlives a restart of the daemon: it says so and asks again. */
static int frame(struct cli *cli, bool first, struct diag *d)
{
	bool screen = !cli->json && isatty(STDOUT_FILENO);
	int rc;

	if (screen)
		fputs(CLEAR_SCREEN, cli->out);
	rc = once(cli, d);
	if (rc == ERR_UNREACHABLE && !first && !cli->json) {
		text_para(cli->out, 0, "%s", d->text);
		rc = 0;
	}
	if (!rc && !cli->json)
		fputs(screen ? "\nCtrl-C ends the watch.\n" : "\n", cli->out);
	return rc ? rc : cli_flush(cli, d);
}

static int watch(struct cli *cli, struct diag *d)
{
	struct sigaction sa = {.sa_handler = stop}; /* no SA_RESTART: sleep ends at once */
	const struct timespec pause = {.tv_sec = WATCH_SECONDS};
	int rc;

	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
	rc = frame(cli, true, d);
	while (!rc && !stopped) {
		(void)nanosleep(&pause, NULL);
		if (!stopped)
			rc = frame(cli, false, d);
	}
	return stopped ? 0 : rc;
}

static int run(struct cli *cli, const struct args *args, struct diag *d)
{
	return args_has(args, OPT_WATCH) ? watch(cli, d) : once(cli, d);
}

static const struct verb_option options[] = {
	[OPT_WATCH] = {"watch", NULL, "show it again every 2 seconds, until Ctrl-C", false},
};

const struct verb verb_status = {
	.name = "status",
	.args = "",
	.help = "the gateway, its printers and its phones",
	.options = options,
	.option_count = 1,
	.run = run,
};
