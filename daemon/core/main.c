/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate-core: policy and store. Started by printgated with no capability, its own user and
 * four descriptors: the privilege line, the listening control socket, the web process's two sockets. Its
 * working directory is its own state folder. Whatever fails before READY leaves the gate as it was,
 * which after a boot is shut.
 */
#include "daemon/core/core.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "daemon/core/client.h"
#include "daemon/core/desired.h"
#include "daemon/core/lock.h"
#include "daemon/core/presence.h"
#include "daemon/core/priv.h"
#include "daemon/core/req_named.h"
#include "daemon/core/resolve.h"
#include "daemon/core/seal.h"
#include "daemon/core/volatile.h"

enum { FD_PRIV = 3, FD_CONTROL, FD_LOOKS, FD_LOGINS };

#define STORE_PATH    "printgate.db"
#define SEAL_KEY_PATH "config.key" /* only with keep_configs */
#define TUNNEL_KEY    "tunnel"
#define TUNNEL6_KEY   "tunnel6"

static int step_descriptors(struct core *c, struct diag *d)
{
	(void)c;
	for (int fd = FD_PRIV; fd <= FD_LOGINS; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC))
			return diag_set(d, ERR_SYSTEM,
					"descriptor %d is missing: this program is started by "
					"printgated",
					fd);
	return 0;
}

/* No core file and no debugger of the same user gets at the keys in memory. */
static int step_secrecy(struct core *c, struct diag *d)
{
	const struct rlimit none = {0, 0};

	(void)umask(077);
	if (setrlimit(RLIMIT_CORE, &none) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return diag_errno(d, "cannot keep memory private");
	if (sodium_init() < 0)
		return diag_set(d, ERR_SYSTEM, "libsodium does not start");
	web_session_open(&c->web.sessions);
	return 0;
}

/* A terminal's Ctrl-C reaches printgated too, which then ends this process by end of file. */
static int step_signals(struct core *c, struct diag *d)
{
	(void)c;
	if (signal(SIGINT, SIG_IGN) == SIG_ERR || signal(SIGHUP, SIG_IGN) == SIG_ERR ||
	    signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return diag_errno(d, "signals");
	return 0;
}

static int step_hello(struct core *c, struct diag *d)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	c->started = ts.tv_sec;
	return priv_open(&c->priv, FD_PRIV, &c->gateway, d);
}

static int step_base(struct core *c, struct diag *d)
{
	c->base = event_base_new();
	return c->base ? 0 : diag_set(d, ERR_SYSTEM, "no event loop");
}

static int step_store(struct core *c, struct diag *d)
{
	struct diag why = {ERR_NONE, ""};
	auto_free char *folder = NULL;
	int r = store_open(&c->store, STORE_PATH, &why);

	if (r) {
		folder = getcwd(NULL, 0);
		(void)diag_set(d, why.code, "%.300s (the store lies in %s)", why.text,
			       folder ? folder : "the state folder");
	}
	return r;
}

/* An image whose root forgets (overlayroot, a live system) would lose phones without a word. */
static int step_volatile(struct core *c, struct diag *d)
{
	const char *kind = volatile_state();

	(void)c;
	(void)d;
	if (kind)
		log_warn("core", VOLATILE_STATE_TEXT, kind);
	return 0;
}

static int first_one(void *arg, const struct store_printer *p)
{
	(void)p;
	*(bool *)arg = true;
	return 0;
}

/* Does anything in the store depend on the tunnel prefix? */
static int in_use(struct core *c, bool *out, struct diag *d)
{
	int64_t peers = 0;
	int r = store_printer_each(c->store, first_one, out, d);

	if (r == 0)
		r = store_peer_count(c->store, &peers, d);
	*out = *out || peers > 0;
	return r;
}

/* Phones hold the prefix in their configs: it does not change under them unnoticed. */
static int step_tunnel(struct core *c, struct diag *d)
{
	char told[PREFIX4_TEXT_BYTES], kept[PREFIX4_TEXT_BYTES] = "";
	bool used = false;
	int r = store_meta_get(c->store, TUNNEL_KEY, kept, sizeof(kept), d);

	prefix4_format(told, c->gateway.tunnel);
	if (r && r != ERR_NOT_FOUND)
		return r;
	if (strcmp(told, kept) == 0)
		return 0;
	r = in_use(c, &used, d);
	if (r)
		return r;
	if (used)
		return diag_set(
			d, ERR_CONFLICT,
			"the peers and printers in the store live in %s, but the configuration "
			"says tunnel = %s: set it back to %s, or start with an empty state "
			"folder and enroll anew",
			kept, told, kept);
	return store_meta_set(c->store, TUNNEL_KEY, told, d);
}

/* Phones of before another IPv6 prefix are not shut out: IPv4 goes on. But they do not find out why
 * the rest does not. Switched off, the prefix is remembered. */
static int step_tunnel6(struct core *c, struct diag *d)
{
	char told[PREFIX6_TEXT_BYTES], kept[PREFIX6_TEXT_BYTES] = "";
	bool used = false;
	int r = store_meta_get(c->store, TUNNEL6_KEY, kept, sizeof(kept), d);

	prefix6_format(told, &c->gateway.tunnel6);
	if (r && r != ERR_NOT_FOUND)
		return r;
	if (!told[0] || strcmp(told, kept) == 0)
		return 0;
	r = in_use(c, &used, d);
	if (r)
		return r;
	if (used && kept[0])
		log_warn("core",
			 "the tunnel's IPv6 prefix was %s and is %s now: phones enrolled before go "
			 "on by IPv4; `printgate rekey` gives one both again",
			 kept, told);
	return store_meta_set(c->store, TUNNEL6_KEY, told, d);
}

/* What was sealed under a key that nobody has any more is noise: it goes. */
static int step_seal(struct core *c, struct diag *d)
{
	const bool keep = c->gateway.keep_configs;
	bool fresh = false;
	int r;

	if (!keep && unlink(SEAL_KEY_PATH) && errno != ENOENT)
		return diag_errno(d, "cannot delete %s", SEAL_KEY_PATH);
	r = seal_open(&c->seal, keep ? SEAL_KEY_PATH : NULL, &fresh, d);
	if (r == 0 && fresh)
		r = store_sealed_erase_before(c->store, INT64_MAX, d);
	return r;
}

static int step_lock(struct core *c, struct diag *d)
{
	return lock_open(c, d);
}

static int step_kernel(struct core *c, struct diag *d)
{
	return desired_sync(c, d);
}

static int step_serve(struct core *c, struct diag *d)
{
	static const int web[CLIENTS_WEB] = {FD_LOOKS, FD_LOGINS};

	return clients_open(c, FD_CONTROL, web, d);
}

static void on_priv(evutil_socket_t fd, short what, void *arg)
{
	struct core *c = arg;

	(void)fd;
	(void)what;
	priv_readable(c->priv);
	while (priv_has_news(c->priv)) { /* more may come during the exchanges themselves */
		desired_resync(c);
		presence_news(c);
	}
}

static void on_term(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)event_base_loopbreak(((struct core *)arg)->base);
}

static int step_loop(struct core *c, struct diag *d)
{
	struct event *line = event_new(c->base, FD_PRIV, EV_READ | EV_PERSIST, on_priv, c);
	struct event *term = evsignal_new(c->base, SIGTERM, on_term, c);
	int r = 0;

	if (!line || !term || event_add(line, NULL) || evsignal_add(term, NULL))
		r = diag_set(d, ERR_SYSTEM, "cannot watch the line to printgated");
	if (r == 0) {
		clock_arm(c);
		live_begin(c);
		presence_begin(c);
		desired_resync(c);
		priv_ready(c->priv);
		(void)event_base_dispatch(c->base);
	}
	if (line)
		event_free(line);
	if (term)
		event_free(term);
	return r;
}

static int run(struct core *c, struct diag *d)
{
	static int (*const steps[])(struct core *, struct diag *) = {
		step_descriptors, step_secrecy, step_signals,  step_base,    step_hello,
		step_volatile,	  step_store,	step_tunnel,   step_tunnel6, step_seal,
		clock_open,	  live_open,	presence_open, moving_open,  step_lock,
		provision_open,	  step_kernel,	step_serve,    moving_begin, step_loop,
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(steps); i++)
		r = steps[i](c, d);
	return r;
}

/* With an argument it is a copy that looks one name up, hashes one password, or asks for the clock. */
int main(int argc, char **argv)
{
	static struct core c;
	struct diag d = {0};
	int r;

	if (argc == 3 && strcmp(argv[1], resolve_verb) == 0)
		return resolve_main(argv[2]);
	if (argc == 2 && strcmp(argv[1], password_verb) == 0)
		return password_main();
	if (argc == 2 && strcmp(argv[1], clock_verb) == 0)
		return clock_main();
	log_open("printgate-core");
	r = run(&c, &d);
	if (r)
		log_error("core", "%s", d.text);
	moving_free(&c);
	named_free(&c);
	clients_free(c.clients);
	findings_free(&c);
	reach_free(&c);
	passwords_free(&c);
	provision_free(&c);
	copies_free(&c);
	presence_free(&c);
	live_free(&c);
	clock_free(&c);
	seal_free(c.seal);
	store_free(c.store);
	priv_free(c.priv);
	if (c.base)
		event_base_free(c.base);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
