/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgated: the privileged program. Root until start-up is done, then a user of its own with
 * CAP_NET_ADMIN; or that user from the start, as a service. This file is the list of steps; see
 * printgated(8).
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/version.h"
#include "daemon/priv/conf.h"
#include "daemon/priv/dirs.h"
#include "daemon/priv/foreign_legacy.h"
#include "daemon/priv/gate.h"
#include "daemon/priv/gatekey.h"
#include "daemon/priv/join.h"
#include "daemon/priv/notify.h"
#include "daemon/priv/page_tls.h"
#include "daemon/priv/serve.h"
#include "daemon/priv/sock.h"
#include "daemon/priv/spawn.h"
#include "daemon/priv/tunnel6.h"

#define CONFIG_DEFAULT	"/etc/printgate/printgate.conf"
#define CONFIG_IN_STATE "/var/lib/printgate/printgate.conf" /* where /etc cannot be written */
#define EXIT_USAGE	2

static const char usage_text[] =
	"usage: printgated [--config FILE] [--check | --down | --companion PROGRAM]\n"
	"                  [--ready-fd N]\n"
	"\n"
	"  --config FILE   read FILE instead of " CONFIG_DEFAULT "\n"
	"  --check         only say whether the configuration is good\n"
	"  --down          remove interface, routes and firewall table, then end\n"
	"  --ready-fd N    write a line feed to descriptor N when the gate is open\n"
	"  --companion PROGRAM\n"
	"                  become PROGRAM when the service's printgated asks for it\n"
	"  --version\n"
	"\n"
	"It stays in the foreground and ends with SIGTERM; the gate stays up then.\n";

struct options {
	const char *config, *companion;
	bool check, down;
	int ready_fd;
};

/* Everything that start-up makes and the running program needs. */
struct start {
	struct conf conf;
	struct dirs dirs;
	int lock;
	int control;
	int pages[CONF_LISTEN_MAX + 1]; /* one more: the tunnel's address of the second family */
	unsigned page_count;
	struct wire_viewers
		told; /* where the page is, as people are told: before the redirection */
	struct page_tls tls;
	struct nft_shape shape;
	struct wg_key public_key;
	int core_pair[2];		   /* ours, core's */
	int looks_pair[2], logins_pair[2]; /* core's, web's */
	struct notify notify;
	struct gate gate;
	struct serve serve;
};

static int parse_number(const char *text)
{
	char *end;
	long v = strtol(text, &end, 10);

	return *text && !*end && v >= 0 && v < 65536 ? (int)v : -1;
}

/* Fills *o; returns 0, or the status to end with, negative for "end with success". */
static int parse_options(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, 'k'},
		{"down", no_argument, NULL, 'd'},
		{"companion", required_argument, NULL, 'p'},
		{"ready-fd", required_argument, NULL, 'r'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'},
		{NULL, 0, NULL, 0},
	};
	int c;

	*o = (struct options){.config = CONFIG_DEFAULT, .ready_fd = -1};
	if (access(CONFIG_DEFAULT, F_OK) && !access(CONFIG_IN_STATE, F_OK))
		o->config = CONFIG_IN_STATE;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 'k':
			o->check = true;
			break;
		case 'd':
			o->down = true;
			break;
		case 'p':
			o->companion = optarg;
			break;
		case 'r':
			o->ready_fd = parse_number(optarg);
			if (o->ready_fd < 3) {
				(void)fprintf(stderr, "printgated: --ready-fd wants a descriptor's "
						      "number from 3 up\n");
				return EXIT_USAGE;
			}
			break;
		case 'h':
			(void)fputs(usage_text, stdout);
			return -1;
		case 'v':
			(void)puts("printgated " PRINTGATE_VERSION);
			return -1;
		default:
			(void)fputs(usage_text, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind != argc || o->check + o->down + (o->companion != NULL) > 1) {
		(void)fputs(usage_text, stderr);
		return EXIT_USAGE;
	}
	return 0;
}

static int make_key(struct start *s, struct diag *d)
{
	auto_secret key = {{0}};
	int rc = gatekey_make(&key, s->dirs.net, &s->conf.net, d);

	if (!rc)
		secret_public(&s->public_key, &key);
	return rc;
}

/* A page that cannot listen is said and left out: it must not keep phones from their printers.
 * Returns the port, 0 if it was left out. */
static uint16_t bind_page(struct start *s, const struct conf_listen *l)
{
	uint16_t port;
	struct diag d;

	if (sock_page(l, &s->pages[s->page_count], &port, &d)) {
		log_warn("start", "%s; going on without", d.text);
		return 0;
	}
	s->page_count++;
	s->told.item[s->told.count++] = l->at;
	return port;
}

/* The same on the gateway's IPv6 address in the tunnel. */
static uint16_t bind_page6(struct start *s, const struct conf_listen *l)
{
	const uint32_t gateway = tunnel_gateway(s->conf.tunnel);
	struct prefix6 at = tunnel6_host(&s->conf.tunnel6, gateway);
	struct conf_listen six = *l;

	if (!at.len)
		return 0;
	six.at.family = 6;
	memcpy(six.at.addr, at.addr, sizeof(six.at.addr));
	return bind_page(s, &six);
}

/* The page's processes shut themselves into an empty folder, or do not run. */
static void leave_pages_out(struct start *s)
{
	log_warn("start",
		 "CAP_SYS_CHROOT is missing, so there is no page (in a container, add SYS_CHROOT; "
		 "under systemd, CapabilityBoundingSet)");
	s->conf.listen_count = 0;
	s->conf.tls_count = 0;
}

static void bind_pages(struct start *s)
{
	if (!spawn_may_chroot())
		leave_pages_out(s);
	for (unsigned i = 0; i < s->conf.listen_count; i++) {
		const struct conf_listen *l = &s->conf.listen[i];
		uint16_t port = bind_page(s, l);

		if (!l->tunnel)
			continue;
		s->shape.page_port = l->at.port;
		s->shape.page_bound = port;
		s->shape.page_bound6 = bind_page6(s, l);
	}
}

static int bind_all(struct start *s, struct diag *d)
{
	/* Under a service manager it is core that makes its control socket. */
	int rc = spawn_managed() ? 0 : sock_control(&s->control, &s->conf, d);

	memcpy(s->shape.interface, s->conf.interface, sizeof(s->shape.interface));
	s->shape.tunnel = s->conf.tunnel;
	s->shape.tunnel6 = s->conf.tunnel6;
	s->shape.listen_port = s->conf.listen_port;
	bind_pages(s);
	if (!rc)
		rc = sock_pair(s->core_pair, d);
	if (!rc)
		rc = sock_pair(s->looks_pair, d);
	return rc ? rc : sock_pair(s->logins_pair, d);
}

/* The companions inherit the lock after the descriptors they know: it is held until the last of the
 * three has ended, so that a successor finds store and ports free. */
static int start_core(struct start *s, struct diag *d)
{
	struct spawn core = {
		.program = "printgate-core",
		.runtime = s->conf.runtime,
		.user = s->conf.core,
		.folder = s->dirs.core,
		.fds = {s->core_pair[1], s->control, s->looks_pair[0], s->logins_pair[0], s->lock},
		.fd_count = 5};
	int rc = spawn_start(&core, &s->serve.companions[SERVE_CORE], d);

	(void)close(s->core_pair[1]);
	cleanup_close(&s->control);
	(void)close(s->looks_pair[0]);
	(void)close(s->logins_pair[0]);
	cleanup_close(&s->dirs.core);
	return rc;
}

/* Without a page there is no web process; its ends of the pairs then stay open here, unused. */
static int start_web(struct start *s, struct diag *d)
{
	const bool tls = s->tls.line >= 0;
	char count[12];
	struct spawn web = {.program = "printgate-web",
			    .args = {count, tls ? "1" : "0"},
			    .runtime = s->conf.runtime,
			    .user = s->conf.web,
			    .may_chroot = true,
			    .folder = s->dirs.empty,
			    .fds = {s->looks_pair[1], s->logins_pair[1]},
			    .fd_count = 2};
	int rc;

	if (!s->page_count && !tls)
		return 0;
	(void)snprintf(count, sizeof(count), "%u", s->page_count);
	for (unsigned i = 0; i < s->conf.name_count; i++)
		web.args[2 + i] = s->conf.names[i];
	for (unsigned i = 0; i < s->page_count; i++)
		web.fds[web.fd_count++] = s->pages[i];
	if (tls)
		web.fds[web.fd_count++] = s->tls.line;
	web.fds[web.fd_count++] = s->lock;
	rc = spawn_start(&web, &s->serve.companions[SERVE_WEB], d);
	for (unsigned i = 0; i + 1 < web.fd_count; i++)
		(void)close(web.fds[i]);
	return rc;
}

/* Without printgate-web the page in the LAN has nobody to ask. */
static void end_pages(struct start *s)
{
	companion_end(&s->tls.companion);
	s->told.count = s->tls.at.count = 0;
	s->tls.fingerprint[0] = '\0';
	s->shape.page_port = s->shape.page_bound = s->shape.page_bound6 = 0;
}

/* The page in the LAN first: web is given its line. A page that cannot be started is left out, too. */
static void start_pages(struct start *s)
{
	struct diag d;

	page_tls_start(&s->tls, &s->conf, &s->dirs, s->lock);
	if (start_web(s, &d)) {
		log_warn("start", "%s; going on without the page", d.text);
		end_pages(s);
	}
	s->serve.companions[SERVE_TLS] = s->tls.companion;
	cleanup_close(&s->dirs.empty);
}

static void say_hello(struct privmsg_hello *h, const struct start *s)
{
	*h = (struct privmsg_hello){.public_key = s->public_key,
				    .listen_port = s->conf.listen_port,
				    .tunnel = s->conf.tunnel,
				    .tunnel6 = s->conf.tunnel6,
				    .keep_configs = s->conf.keep_configs,
				    .events = s->serve.watch.log >= 0,
				    .check_seconds = s->conf.printer_check,
				    .page = s->told,
				    .page_tls = s->tls.at};
	(void)snprintf(h->interface, sizeof(h->interface), "%s", s->conf.interface);
	(void)snprintf(h->backend, sizeof(h->backend), "%s", wg_backend(s->gate.wg));
	(void)snprintf(h->endpoint, sizeof(h->endpoint), "%s", s->conf.endpoint);
	(void)snprintf(h->page_fingerprint, sizeof(h->page_fingerprint), "%s", s->tls.fingerprint);
}

/* All that root is needed for, where we are root. Ends with root given up. */
static int start_up(struct start *s, const struct options *o, struct diag *d)
{
	int rc = dirs_lock(&s->conf, &s->lock, d);

	s->serve.legacy = foreign_legacy_open();
	if (!rc)
		rc = serve_signals(&s->serve.signals, d);
	if (!rc)
		rc = notify_open(&s->notify, o->ready_fd, d);
	if (!rc)
		rc = dirs_make(&s->dirs, &s->conf, d);
	if (!rc)
		rc = make_key(s, d);
	if (!rc)
		rc = tunnel6_settle(&s->conf, s->dirs.net, d);
	if (!rc)
		rc = wg_open(&s->gate.wg, s->conf.backend, s->conf.interface, &s->conf.net, d);
	if (!rc)
		rc = bind_all(s, d);
	if (!rc)
		rc = start_core(s, d);
	if (rc)
		return rc;
	start_pages(s);
	return spawn_drop(&s->conf.net, d);
}

static int run(struct start *s, const struct options *o, struct diag *d)
{
	struct privmsg_hello hello;
	int rc = start_up(s, o, d);

	s->gate.conf = &s->conf;
	s->gate.key_dir = s->dirs.net;
	if (!rc)
		rc = gate_open(&s->gate, &s->shape, d);
	if (rc)
		return rc;
	if (watch_open_log(&s->serve.watch, d))
		log_warn("start", "handshakes are looked for every ten seconds only: %s", d->text);
	say_hello(&hello, s);
	s->serve.gate = &s->gate;
	s->serve.notify = &s->notify;
	chan_open(&s->serve.core, s->core_pair[0], &privmsg_to_priv, &privmsg_from_priv);
	rc = serve_run(&s->serve, &hello);
	gate_close(&s->gate);
	exit(rc);
}

static int take_down(struct start *s, struct diag *d)
{
	struct nft_shape shape = {.tunnel = s->conf.tunnel};
	int rc = dirs_lock(&s->conf, &s->lock, d);

	memcpy(shape.interface, s->conf.interface, sizeof(shape.interface));
	s->gate.conf = &s->conf;
	if (!rc)
		rc = wg_open(&s->gate.wg, s->conf.backend, s->conf.interface, &s->conf.net, d);
	if (!rc)
		rc = gate_open(&s->gate, &shape, d);
	if (!rc)
		rc = gate_down(&s->gate, d);
	gate_close(&s->gate);
	return rc ? rc : dirs_unmake(&s->conf, d);
}

/* A mistake in the configuration is not mended by starting again: service managers are told apart. */
static int exit_status(int rc)
{
	if (!rc)
		return EXIT_SUCCESS;
	return rc == ERR_CONFIG ? EX_CONFIG : EXIT_FAILURE;
}

/* Not as root only where the package has made the folders and the service manager knows the companions. */
static int may_run(const struct conf *c, const struct options *o, struct diag *d)
{
	char folder[PATH_MAX];
	struct stat st;

	if (geteuid() == 0)
		return 0;
	if (o->down)
		return diag_set(d, ERR_NOT_PERMITTED, "--down must be run as root");
	if (!dirs_runtime(folder, c, DIRS_NET) || stat(folder, &st))
		return diag_set(
			d, ERR_NOT_PERMITTED,
			"must be started as root, which it gives up once its sockets are open; or, "
			"by printgate.service, where there is %s/" DIRS_NET
			" (`systemd-tmpfiles --create printgate.conf`)",
			c->runtime);
	if (st.st_uid == geteuid())
		return spawn_may_be("printgated", &c->net, d);
	return diag_set(d, ERR_NOT_PERMITTED,
			"must be started as root, or by printgate.service as user %u, to whom %s "
			"belongs: this is user %u",
			(unsigned)st.st_uid, folder, (unsigned)geteuid());
}

static int act_companion(struct start *s, const struct options *o, struct diag *d)
{
	auto_close int call = join_take(o->companion, d);
	const int rc = call < 0 ? call : conf_load(&s->conf, o->config, d);

	return rc ? rc : join_answer(o->companion, call, &s->conf, d);
}

static int act(struct start *s, const struct options *o, struct diag *d)
{
	int rc = conf_load(&s->conf, o->config, d);

	if (!rc && o->check) {
		(void)printf("%s: good\n", o->config);
		return 0;
	}
	if (!rc)
		rc = may_run(&s->conf, o, d);
	if (rc)
		return rc;
	return o->down ? take_down(s, d) : run(s, o, d);
}

int main(int argc, char **argv)
{
	static struct start s = {
		.control = -1,
		.serve.companions = {COMPANION_NONE, COMPANION_NONE, COMPANION_NONE}};
	struct options o;
	struct diag d = {ERR_NONE, ""};
	int rc = parse_options(&o, argc, argv);

	if (rc)
		return rc < 0 ? EXIT_SUCCESS : rc;
	log_open("printgated");
	(void)umask(077);
	rc = o.companion ? act_companion(&s, &o, &d) : act(&s, &o, &d);
	if (rc)
		log_error("start", "%s", d.text);
	return exit_status(rc);
}
