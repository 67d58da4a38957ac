/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What test_wg.py and test_link.py drive: wg.h and link.h as commands on standard input, one answer
 * line each ("ok …" or "error CODE: sentence"). Like printgated it opens as root and then becomes an
 * unprivileged user with CAP_NET_ADMIN. `took` tells the nanoseconds of the command before (for the
 * benchmarks).
 *
 *	wg_driver INTERFACE auto|kernel|userspace UID
 */
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/mem.h"
#include "daemon/priv/link.h"
#include "daemon/priv/wg.h"

#define WORDS_MAX    16384
#define ANSWER_BYTES (4 << 20)

struct driver {
	struct wg *wg;
	struct link *link;
	struct diag d;
	FILE *out; /* the answer's text */
	uint64_t began, took;
	char *word[WORDS_MAX];
	int n;
};

static void __attribute__((noreturn)) die(const char *what)
{
	(void)fprintf(stderr, "wg_driver: %s\n", what);
	exit(2);
}

static uint64_t now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* ---- words ----------------------------------------------------------------------------------- */

static unsigned number_of(const char *text)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (*end || end == text)
		die("bad number");
	return (unsigned)v;
}

static uint32_t address_of(const char *text)
{
	uint32_t ip;

	if (ip4_parse(&ip, text))
		die("bad address");
	return ip;
}

static struct prefix4 prefix_of(const char *text)
{
	struct prefix4 p;

	if (prefix4_parse(&p, text, NULL))
		die("bad prefix");
	return p;
}

/* "KEY,PSK,ADDRESS[,ADDRESS6]", PSK "-" for none */
static struct wg_peer peer_of(const char *text)
{
	struct wg_peer p = {0};
	char key[WG_KEY_TEXT_BYTES], psk[WG_KEY_TEXT_BYTES], ip[IP4_TEXT_BYTES];
	char ip6[IP6_TEXT_BYTES];
	int n = sscanf(text, "%44[^,],%44[^,],%15[^,],%45s", key, psk, ip, ip6);

	if (n < 3 || (n == 4 && prefix6_parse(&p.address6, ip6)) || key_parse(&p.public_key, key) ||
	    (strcmp(psk, "-") != 0 && secret_parse(&p.preshared, psk)))
		die("bad peer");
	p.address = address_of(ip);
	return p;
}

/* ---- wg.h ------------------------------------------------------------------------------------ */

static int do_attach(struct driver *x)
{
	bool created = false;
	int rc = wg_attach(x->wg, &created, &x->d);

	(void)fputs(created ? "created" : "adopted", x->out);
	return rc;
}

static int do_device(struct driver *x)
{
	struct wg_secret key;

	if (secret_parse(&key, x->word[1]))
		die("bad key");
	return wg_device(x->wg, &key, (uint16_t)number_of(x->word[2]), &x->d);
}

static int do_put(struct driver *x)
{
	struct wg_peer p = peer_of(x->word[1]);

	return wg_peer_put(x->wg, &p, &x->d);
}

static int do_del(struct driver *x)
{
	struct wg_key key;

	if (key_parse(&key, x->word[1]))
		die("bad key");
	return wg_peer_del(x->wg, &key, &x->d);
}

static int do_sync(struct driver *x)
{
	auto_free struct wg_peer *list = mem_zalloc((size_t)x->n, sizeof(*list));

	for (int i = 1; i < x->n; i++)
		list[i - 1] = peer_of(x->word[i]);
	x->began = now(); /* printgated reads no text */
	return wg_peers_sync(x->wg, list, (size_t)x->n - 1, &x->d);
}

static int print_peer(void *arg, const struct wg_peer_state *p)
{
	char key[WG_KEY_TEXT_BYTES], ip[IP4_TEXT_BYTES], endpoint[ENDPOINT_TEXT_BYTES];

	key_format(key, &p->peer.public_key);
	ip4_format(ip, p->peer.address);
	endpoint_format(endpoint, &p->endpoint);
	return fprintf(arg, "%s,%s,%d,%lld,%llu,%llu,%s ", key, ip, p->exact,
		       (long long)p->last_handshake, (unsigned long long)p->rx_bytes,
		       (unsigned long long)p->tx_bytes, endpoint) < 0
		       ? ERR_SYSTEM
		       : 0;
}

static int do_dump(struct driver *x)
{
	return wg_dump(x->wg, print_peer, x->out, &x->d);
}

static int do_lost(struct driver *x)
{
	wg_lost(x->wg);
	return 0;
}

static int do_greet(struct driver *x)
{
	return wg_greet(x->wg, &x->d);
}

static int do_hush(struct driver *x)
{
	return wg_hush(x->wg, &x->d);
}

/* "none", or whether the process behind the device "runs" or has "ended" (within two seconds). */
static int do_watch(struct driver *x)
{
	struct pollfd p = {.fd = wg_watch_fd(x->wg), .events = POLLIN};
	const char *text = "none";

	if (p.fd >= 0)
		text = poll(&p, 1, x->n > 1 ? 2000 : 0) == 1 ? "ended" : "runs";
	return fputs(text, x->out) < 0 ? ERR_SYSTEM : 0;
}

static int do_revive(struct driver *x)
{
	return wg_revive(x->wg, &x->d);
}

static int do_down(struct driver *x)
{
	return wg_down(x->wg, &x->d);
}

/* ---- link.h ---------------------------------------------------------------------------------- */

static int do_address(struct driver *x)
{
	struct prefix4 one = {address_of(x->word[1]), (uint8_t)number_of(x->word[2])};
	struct prefix6 six = {.len = 0};

	if (x->n > 3 && prefix6_parse(&six, x->word[3]))
		die("bad IPv6 address");
	if (x->n > 3)
		six.len = (uint8_t)number_of(x->word[4]);
	return link_address(x->link, one, &six, &x->d);
}

static int do_up(struct driver *x)
{
	return link_up(x->link, &x->d);
}

static int do_forward_on(struct driver *x)
{
	return link_forward_on(x->link, &x->d);
}

static int do_forward_get(struct driver *x)
{
	bool on = false;
	int rc = link_forwarding_get(x->link, x->word[1], &on, &x->d);

	(void)fputs(on ? "on" : "off", x->out);
	return rc;
}

static int do_forward_set(struct driver *x)
{
	return link_forwarding_set(x->link, x->word[1], strcmp(x->word[2], "on") == 0, &x->d);
}

static int do_way(struct driver *x)
{
	struct link_way way = {0};
	int rc = link_way_to(x->link, address_of(x->word[1]), &way, &x->d);

	(void)fprintf(x->out, "%s %s %s", way.interface, way.onlink ? "onlink" : "routed",
		      way.local ? "local" : "remote");
	return rc;
}

static int do_reclaim(struct driver *x)
{
	return link_reclaim(x->link, &x->d);
}

static int do_strays_down(struct driver *x)
{
	return link_strays_down(x->link, &x->d);
}

static int do_barrier_up(struct driver *x)
{
	bool mended;
	int rc = link_barrier_up(x->link, x->n > 1, &mended, &x->d);

	if (!rc && mended)
		(void)fputs("mended", x->out);
	return rc;
}

static int do_barrier_down(struct driver *x)
{
	return link_barrier_down(x->link, &x->d);
}

static int do_gated_put(struct driver *x)
{
	return link_gated_put(x->link, x->word[1], &x->d);
}

static int do_gated_del(struct driver *x)
{
	return link_gated_del(x->link, x->word[1], &x->d);
}

static void say_gated(void *arg, const char *interface)
{
	struct driver *x = arg;

	(void)fprintf(x->out, "%s%s", ftell(x->out) ? " " : "", interface);
}

static int do_gated(struct driver *x)
{
	return link_gated_each(x->link, say_gated, x, &x->d);
}

/* Those through which there is a way (an IPv6 address among them), and after the word "shut" those
 * that are shut within. */
static int do_targets(struct driver *x)
{
	struct prefix6 six = {.len = 0};
	auto_free struct prefix4 *list = mem_zalloc((size_t)x->n, sizeof(*list));
	size_t n = 0, through = SIZE_MAX;

	for (int i = 1; i < x->n; i++) {
		if (!strcmp(x->word[i], "shut"))
			through = n;
		else if (prefix6_parse(&six, x->word[i]))
			list[n++] = prefix_of(x->word[i]);
	}
	if (through > n)
		through = n;
	return link_targets_sync(x->link, list, through, list + through, n - through, &six, &x->d);
}

/* ---- time ------------------------------------------------------------------------------------ */

static int do_took(struct driver *x)
{
	return fprintf(x->out, "%llu", (unsigned long long)x->took) < 0 ? ERR_SYSTEM : 0;
}

/* ---- commands -------------------------------------------------------------------------------- */

static const struct command {
	const char *name;
	int words; /* at least */
	int (*run)(struct driver *x);
} commands[] = {
	{"attach", 1, do_attach},
	{"device", 3, do_device},
	{"put", 2, do_put},
	{"del", 2, do_del},
	{"sync", 1, do_sync},
	{"dump", 1, do_dump},
	{"lost", 1, do_lost},
	{"greet", 1, do_greet},
	{"hush", 1, do_hush},
	{"watch", 1, do_watch},
	{"revive", 1, do_revive},
	{"down", 1, do_down},
	{"address", 3, do_address},
	{"up", 1, do_up},
	{"forward-on", 1, do_forward_on},
	{"forward-get", 2, do_forward_get},
	{"forward-set", 3, do_forward_set},
	{"way", 2, do_way},
	{"reclaim", 1, do_reclaim},
	{"strays-down", 1, do_strays_down},
	{"barrier-up", 1, do_barrier_up},
	{"barrier-down", 1, do_barrier_down},
	{"targets", 1, do_targets},
	{"gated-put", 2, do_gated_put},
	{"gated-del", 2, do_gated_del},
	{"gated", 1, do_gated},
	{"took", 1, do_took},
};

static void answer(struct driver *x, int rc, const char *text)
{
	if (rc)
		(void)printf("error %s: %s\n", err_name(rc), x->d.text);
	else
		(void)printf("ok %s\n", text);
	(void)fflush(stdout);
}

static void run_words(struct driver *x)
{
	static char text[ANSWER_BYTES];
	int rc;

	for (unsigned i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(commands[i].name, x->word[0]) != 0 || x->n < commands[i].words)
			continue;
		text[0] = '\0';
		memset(&x->d, 0, sizeof(x->d));
		x->out = fmemopen(text, sizeof(text), "w");
		if (!x->out)
			die("no memory");
		x->began = now();
		rc = commands[i].run(x);
		x->took = now() - x->began;
		(void)fclose(x->out);
		answer(x, rc, text);
		return;
	}
	die("no such command");
}

static void run_line(struct driver *x, char *line)
{
	char *save = NULL;

	x->n = 0;
	for (char *w = strtok_r(line, " \n", &save); w; w = strtok_r(NULL, " \n", &save)) {
		if (x->n == WORDS_MAX)
			die("too many words");
		x->word[x->n++] = w;
	}
	if (x->n)
		run_words(x);
}

/* ---- start ----------------------------------------------------------------------------------- */

static void become(uid_t uid)
{
	static const cap_value_t admin[] = {CAP_NET_ADMIN};
	cap_t caps = cap_init();

	if (uid == 0)
		return;
	if (prctl(PR_SET_KEEPCAPS, 1) || setgroups(0, NULL) || setresgid(uid, uid, uid) ||
	    setresuid(uid, uid, uid) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		die("cannot become the user");
	if (cap_set_flag(caps, CAP_PERMITTED, 1, admin, CAP_SET) ||
	    cap_set_flag(caps, CAP_EFFECTIVE, 1, admin, CAP_SET) || cap_set_proc(caps) ||
	    cap_free(caps))
		die("cannot set capabilities");
}

static enum conf_backend backend_of(const char *text)
{
	static const char *const names[] = {"auto", "kernel", "userspace"};

	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(text, names[i]) == 0)
			return (enum conf_backend)i;
	}
	die("bad back end");
}

int main(int argc, char **argv)
{
	static struct driver x;
	char interface[IFNAMSIZ] = {0};
	struct conf_user owner;
	char *line = NULL;
	size_t room = 0;
	int rc;

	if (argc != 4)
		die("usage: wg_driver INTERFACE BACKEND UID");
	(void)snprintf(interface, sizeof(interface), "%s", argv[1]);
	owner.uid = number_of(argv[3]);
	owner.gid = owner.uid;
	rc = wg_open(&x.wg, backend_of(argv[2]), interface, &owner, &x.d);
	rc = rc ? rc : link_open(&x.link, interface, &x.d);
	answer(&x, rc, rc ? "" : wg_backend(x.wg));
	if (rc)
		return 1;
	become(owner.uid);
	while (getline(&line, &room, stdin) > 0)
		run_line(&x, line);
	free(line);
	link_free(x.link);
	wg_free(x.wg);
	return 0;
}
