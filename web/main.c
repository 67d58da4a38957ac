/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate-web: the status page. Started by printgated with a user of its own and CAP_SYS_CHROOT,
 * which it uses once, in an empty folder. Descriptors 3 and 4 are the lines to core, for looks and for
 * logins, 5 and on are listening TCP sockets, and after them comes the line from printgate-tls if there
 * is one. It opens nothing, writes nothing and forks nothing. It ends when core does.
 *
 *     printgate-web LISTENERS TLS [NAME…]    numbers; TLS is 0 or 1; names that it answers to
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <event2/event.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "web/page.h"
#include "web/site.h"

#define FD_LOOKS      3
#define FD_LOGINS     4
#define FD_LISTEN     5
#define LISTENERS_MAX 16
#define FDS_OF_OURS   16 /* standard ones, core's, epoll and what libevent keeps */

#define CALLS_MAX 28 /* with ioctl, which common/sandbox.c allows for one use */

/* In steady state; tests/web counts those that are used. (sysinfo: qsort(3) asks how much memory
 * there is. gettimeofday: where the kernel has no clock that can be read without it.) */
static const char *const calls[] = {
	"accept4",	"brk",	      "clock_gettime", "close",	 "epoll_ctl", "epoll_pwait",
	"epoll_wait",	"exit_group", "fcntl",	       "futex",	 "getrandom", "getsockname",
	"gettimeofday", "madvise",    "mmap",	       "mremap", "munmap",    "read",
	"readv",	"recvfrom",   "recvmsg",       "sendto", "shutdown",  "sysinfo",
	"write",	"writev",
};

_Static_assert(ARRAY_LEN(calls) < CALLS_MAX, "with ioctl");

struct web {
	struct event_base *base;
	struct look *look;
	struct site *site;
	struct http_shape shape;
	struct http *http;
	unsigned listeners, tls;
	int status;
};

static int line_check(int fd, struct diag *d)
{
	int type = 0;
	socklen_t len = sizeof(type);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 || type != SOCK_SEQPACKET)
		return diag_set(d, ERR_USAGE, "descriptor %d is no line to printgate-core", fd);
	return 0;
}

static int arguments(struct web *w, int argc, char **argv, struct diag *d)
{
	char *end = NULL;
	unsigned long n = argc > 2 ? strtoul(argv[1], &end, 10) : 0;
	int r;

	if (argc < 3 || *end || n > LISTENERS_MAX ||
	    (strcmp(argv[2], "0") != 0 && strcmp(argv[2], "1") != 0) ||
	    (n == 0 && argv[2][0] == '0'))
		return diag_set(d, ERR_USAGE, "printgated starts this program; see printgated(8)");
	r = line_check(FD_LOOKS, d);
	if (r == 0)
		r = line_check(FD_LOGINS, d);
	if (r)
		return r;
	w->listeners = (unsigned)n;
	w->tls = argv[2][0] == '1';
	w->shape.names = (const char *const *)(argv + 3);
	return 0;
}

static void on_broken(void *arg, const struct diag *d)
{
	struct web *w = arg;

	if (d->code == ERR_UNREACHABLE) {
		log_info("main", "core has gone, so the page ends");
	} else {
		log_error("main", "%s", d->text);
		w->status = EXIT_FAILURE;
	}
	(void)event_base_loopbreak(w->base);
}

static int setup(struct web *w, struct diag *d)
{
	int r = 0;

	w->base = event_base_new();
	if (!w->base)
		return diag_set(d, ERR_SYSTEM, "no event loop");
	w->look = look_new(w->base, FD_LOOKS, FD_LOGINS, on_broken, w);
	w->site = site_new(w->look);
	w->shape.policy = page_policy;
	w->shape.post_paths = site_post_paths;
	w->shape.fn = site_request;
	w->shape.arg = w->site;
	w->http = http_new(w->base, &w->shape);
	for (unsigned i = 0; i < w->listeners && r == 0; i++)
		r = http_listen(w->http, FD_LISTEN + (int)i, d);
	if (r == 0 && w->tls)
		r = http_adopt(w->http, FD_LISTEN + (int)w->listeners, d);
	return r;
}

static void teardown(struct web *w)
{
	http_free(w->http);
	site_free(w->site);
	look_free(w->look);
	if (w->base)
		event_base_free(w->base);
}

static unsigned files(const struct web *w)
{
	return FDS_OF_OURS + (w->listeners + w->tls) * (1 + LIMIT_CONNECTIONS);
}

int main(int argc, char **argv)
{
	struct web w = {.status = EXIT_SUCCESS};
	struct diag d = {0};

	log_open("printgate-web");
	tzset(); /* reads its file once, here: gmtime_r(3) would do it when there is none any more */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN); /* the terminal's; printgated's end is ours */
	(void)signal(SIGHUP, SIG_IGN);
	if (arguments(&w, argc, argv, &d) < 0 || sandbox_enter(files(&w), &d) < 0 ||
	    setup(&w, &d) < 0 || sandbox_seal(calls, ARRAY_LEN(calls), &d) < 0) {
		log_error("main", "%s", d.text);
		w.status = d.code == ERR_USAGE ? 2 : EXIT_FAILURE;
	} else if (event_base_dispatch(w.base) < 0) {
		log_error("main", "the event loop failed");
		w.status = EXIT_FAILURE;
	}
	teardown(&w);
	return w.status;
}
