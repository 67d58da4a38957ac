/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate-tls: ends TLS for the page in the LAN, and knows nothing of HTTP. It has the key, and the
 * page's program has not; it decides nothing, and what it carries is judged by printgate-web. Started by
 * printgated with a user of its own and CAP_SYS_CHROOT, which it uses once, in an empty folder.
 * Descriptor 3 is the line to printgate-web, 4 a pipe on which it tells its certificate's fingerprint
 * once, 5 the certificate, 6 the key, 7 and on are listening TCP sockets. It ends when the page does.
 *
 *     printgate-tls SOCKETS given|own TUNNEL TUNNEL6|- [NAME|ADDRESS…]
 *
 * With "own" the two files may be written: what is not a pair is made anew, for these names.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "tls/conn.h"
#include "tls/context.h"
#include "tls/pair.h"

#define FD_LINE	       3
#define FD_REPORT      4
#define FD_CERTIFICATE 5
#define FD_KEY	       6
#define FD_LISTEN      7
#define LISTENERS_MAX  4
#define FDS_OF_OURS    16 /* standard ones, line, lock, epoll and what libevent keeps */
#define FDS_PER_CONN   2  /* the client's and ours of the pair; … */
#define FDS_PASSING    16 /* … the page's, until it is sent and taken */

/* In steady state. Keys of connections need random numbers; OpenSSL asks for its process id to find
 * out that it was forked. gettimeofday: where the kernel has no clock that can be read without
 * it. */
static const char *const calls[] = {
	"accept4",	"brk",		"clock_gettime", "close",      "epoll_ctl", "epoll_pwait",
	"epoll_wait",	"exit_group",	"futex",	 "getpid",     "getrandom", "getsockname",
	"gettimeofday", "madvise",	"mmap",		 "mremap",     "munmap",    "read",
	"readv",	"rt_sigreturn", "sendmsg",	 "setsockopt", "shutdown",  "socketpair",
	"write",	"writev",
};

struct tls {
	struct event_base *base;
	struct event *line;
	SSL_CTX *context;
	struct door *door;
	unsigned listeners;
	bool own;
	struct prefix4 tunnel;
	struct prefix6 tunnel6;
	const char *const *names;
	uint8_t digest[PAIR_DIGEST_BYTES]; /* the certificate's */
};

static int arguments(struct tls *t, int argc, char **argv, struct diag *d)
{
	char *end = NULL;
	unsigned long n = argc > 4 ? strtoul(argv[1], &end, 10) : 0;
	int type = 0;
	socklen_t len = sizeof(type);

	if (argc < 5 || *end || n < 1 || n > LISTENERS_MAX ||
	    (strcmp(argv[2], "given") != 0 && strcmp(argv[2], "own") != 0) ||
	    prefix4_parse(&t->tunnel, argv[3], NULL) ||
	    (strcmp(argv[4], "-") != 0 && prefix6_parse(&t->tunnel6, argv[4])))
		return diag_set(d, ERR_USAGE, "printgated starts this program; see printgated(8)");
	if (getsockopt(FD_LINE, SOL_SOCKET, SO_TYPE, &type, &len) < 0 || type != SOCK_SEQPACKET)
		return diag_set(d, ERR_USAGE, "descriptor 3 is not the line to printgate-web");
	t->listeners = (unsigned)n;
	t->own = argv[2][0] == 'o';
	t->names = (const char *const *)(argv + 5);
	return 0;
}

/* ---- certificate ------------------------------------------------------------------------------- */

static int find_pair(const struct tls *t, struct pair *p, struct diag *d)
{
	int r = pair_read(p, FD_CERTIFICATE, FD_KEY, d);

	if (r == 0 || !t->own)
		return r;
	pair_free(p);
	r = pair_make(p, FD_CERTIFICATE, FD_KEY, t->names, d);
	if (r == 0)
		log_info("main", "a certificate has been made; `printgate page` shows its "
				 "fingerprint");
	return r;
}

/* Both files are closed then: the key is in memory only. */
static int setup_context(struct tls *t, struct pair *p, struct diag *d)
{
	int r = find_pair(t, p, d);

	(void)close(FD_CERTIFICATE);
	(void)close(FD_KEY);
	if (r == 0)
		r = context_new(&t->context, p, d);
	return r ? r : pair_digest(p, t->digest, d);
}

/* ---- start and end ----------------------------------------------------------------------------- */

/* Nothing is ever said on the line but its end. */
static void on_line(evutil_socket_t fd, short what, void *arg)
{
	struct tls *t = arg;

	(void)fd;
	(void)what;
	log_info("main", "the page has ended, so this ends");
	(void)event_base_loopbreak(t->base);
}

static int setup(struct tls *t, struct diag *d)
{
	struct pair p = {NULL, NULL, NULL};
	int r = setup_context(t, &p, d);

	t->base = event_base_new();
	if (!t->base)
		abort();
	if (r == 0)
		t->door = door_new(t->base, t->context, FD_LINE, t->tunnel, &t->tunnel6);
	for (unsigned i = 0; i < t->listeners && r == 0; i++)
		r = door_listen(t->door, FD_LISTEN + (int)i, d);
	t->line = event_new(t->base, FD_LINE, EV_READ, on_line, t);
	if (!t->line || event_add(t->line, NULL) < 0)
		abort();
	pair_free(&p);
	return r;
}

/* Only when everything else has succeeded: printgated counts on this program from then on. */
static int report(const struct tls *t, struct diag *d)
{
	if (write(FD_REPORT, t->digest, sizeof(t->digest)) != (ssize_t)sizeof(t->digest))
		return diag_errno(d, "cannot tell the certificate's fingerprint");
	(void)close(FD_REPORT);
	return 0;
}

static void teardown(struct tls *t)
{
	door_free(t->door);
	SSL_CTX_free(t->context);
	if (t->line)
		event_free(t->line);
	if (t->base)
		event_base_free(t->base);
}

int main(int argc, char **argv)
{
	const unsigned files = FDS_OF_OURS + LISTENERS_MAX + FDS_PER_CONN * CONN_MAX + FDS_PASSING;
	struct tls t = {.base = NULL};
	struct diag d = {0};
	int status = EXIT_SUCCESS;

	log_open("printgate-tls");
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN); /* the terminal's; the page's end is ours */
	(void)signal(SIGHUP, SIG_IGN);
	/* Without the machine's openssl.cnf: what is spoken is said in context.c. */
	if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		abort();
	if (arguments(&t, argc, argv, &d) < 0 || sandbox_enter(files, &d) < 0 ||
	    setup(&t, &d) < 0 || sandbox_seal(calls, ARRAY_LEN(calls), &d) < 0 ||
	    report(&t, &d) < 0) {
		log_error("main", "%s", d.text);
		status = d.code == ERR_USAGE ? 2 : EXIT_FAILURE;
	} else if (event_base_dispatch(t.base) < 0) {
		log_error("main", "the event loop failed");
		status = EXIT_FAILURE;
	}
	teardown(&t);
	return status;
}
