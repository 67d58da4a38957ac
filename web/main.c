/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate-web: the status page. Started by printgated with a user of its own and no capability;
 * descriptor 3 is the line to core, 4 and on are listening TCP sockets, whose number is the only
 * argument. It opens nothing, writes nothing and forks nothing. It ends when core does.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <event2/event.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "web/ask.h"
#include "web/limit.h"
#include "web/http.h"

#define FD_CORE	      3
#define FD_LISTEN     4
#define LISTENERS_MAX 16
#define FDS_OF_OURS   16 /* standard ones, core's, epoll and what libevent keeps */

struct web {
	struct event_base *base;
	struct ask *ask;
	struct event *core;
	unsigned count;
	struct http *http[LISTENERS_MAX];
	int status;
};

/* No core dump and no ptrace by the same user, no child, no more descriptors than the limits of all
 * listening sockets add up to. */
static int confine(unsigned listeners, struct diag *d)
{
	rlim_t files = FDS_OF_OURS + listeners + (rlim_t)listeners * LIMIT_CONNECTIONS;
	const struct rlimit none = {0, 0}, few = {files, files};

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return diag_errno(d, "prctl");
	if (setrlimit(RLIMIT_CORE, &none) < 0 || setrlimit(RLIMIT_NPROC, &none) < 0 ||
	    setrlimit(RLIMIT_NOFILE, &few) < 0)
		return diag_errno(d, "setrlimit");
	return 0;
}

static int arguments(int argc, char **argv, unsigned *listeners, struct diag *d)
{
	char *end = NULL;
	unsigned long n = argc == 2 ? strtoul(argv[1], &end, 10) : 0;
	int type = 0;
	socklen_t len = sizeof(type);

	if (n < 1 || n > LISTENERS_MAX || *end)
		return diag_set(d, ERR_USAGE, "printgated starts this program; see printgated(8)");
	if (getsockopt(FD_CORE, SOL_SOCKET, SO_TYPE, &type, &len) < 0 || type != SOCK_SEQPACKET)
		return diag_set(d, ERR_USAGE, "descriptor 3 is not the line to printgate-core");
	*listeners = (unsigned)n;
	return 0;
}

static void on_core(evutil_socket_t fd, short what, void *arg)
{
	struct diag d = {0};
	struct web *w = arg;
	int r;

	(void)fd;
	(void)what;
	r = ask_idle(w->ask, &d);
	if (r == 0)
		return;
	if (r == ERR_UNREACHABLE) {
		log_info("main", "%s, so the page ends", d.text);
	} else {
		log_error("main", "%s", d.text);
		w->status = EXIT_FAILURE;
	}
	(void)event_base_loopbreak(w->base);
}

static int setup(struct web *w, unsigned listeners, struct diag *d)
{
	w->base = event_base_new();
	if (!w->base)
		return diag_set(d, ERR_SYSTEM, "no event loop");
	w->ask = ask_new(FD_CORE);
	w->core = event_new(w->base, FD_CORE, EV_READ | EV_PERSIST, on_core, w);
	if (!w->core || event_add(w->core, NULL) < 0)
		return diag_set(d, ERR_SYSTEM, "no event for core's socket");
	for (; w->count < listeners; w->count++) {
		int r = http_new(&w->http[w->count], w->base, FD_LISTEN + (int)w->count, w->ask, d);

		if (r < 0)
			return r;
	}
	return 0;
}

static void teardown(struct web *w)
{
	for (unsigned i = 0; i < w->count; i++)
		http_free(w->http[i]);
	if (w->core)
		event_free(w->core);
	ask_free(w->ask);
	if (w->base)
		event_base_free(w->base);
}

int main(int argc, char **argv)
{
	struct web w = {.status = EXIT_SUCCESS};
	unsigned listeners = 0;
	struct diag d = {0};

	log_open("printgate-web");
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN); /* the terminal's; printgated's end is ours */
	(void)signal(SIGHUP, SIG_IGN);
	if (arguments(argc, argv, &listeners, &d) < 0 || confine(listeners, &d) < 0 ||
	    setup(&w, listeners, &d) < 0) {
		log_error("main", "%s", d.text);
		w.status = d.code == ERR_USAGE ? 2 : EXIT_FAILURE;
	} else if (event_base_dispatch(w.base) < 0) {
		log_error("main", "the event loop failed");
		w.status = EXIT_FAILURE;
	}
	teardown(&w);
	return w.status;
}
