/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Core's side of a look-up: starts the copy, waits for its answer by events, believes nothing of it
 * but its length, ends it (copy.h).
 */
#include "daemon/core/resolve.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/mem.h"
#include "daemon/core/copy.h"
#include "daemon/core/core.h"
#include "daemon/core/desired.h"
#include "daemon/core/resolve_own.h"

struct resolve {
	struct core *core;
	int fd;
	struct event *answer;
	resolve_fn fn;
	void *arg;
	pid_t pid;
};

const char resolve_verb[] = "resolve";

static int start_copy(struct resolve *r, const struct host *host, struct diag *d)
{
	int ends[2], rc;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return diag_errno(d, "cannot make a pipe");
	r->fd = ends[0];
	rc = copy_start(r->core, resolve_verb, host->s, RESOLVE_AT_ONCE, ends[1], &r->pid, d);
	(void)close(ends[1]);
	return rc;
}

static void resolve_free(struct resolve *r)
{
	if (r->pid > 0)
		copy_end(r->core, r->pid);
	if (r->answer)
		event_free(r->answer);
	if (r->fd >= 0)
		(void)close(r->fd);
	free(r);
}

void resolve_cancel(struct resolve *r)
{
	if (r)
		resolve_free(r);
}

static void on_answer(evutil_socket_t fd, short what, void *arg)
{
	struct resolve *r = arg;
	struct resolve_answer a = {0};
	const resolve_fn fn = r->fn;
	struct core *c = r->core;
	void *const to = r->arg;

	if (what & EV_TIMEOUT || read(fd, &a, sizeof(a)) != sizeof(a) ||
	    a.count > RESOLVE_ADDRESSES_MAX)
		a.count = 0;
	resolve_free(r);
	fn(to, a.address, a.count);
	desired_resync(c);
	presence_news(c);
}

int resolve_start(struct core *c, const struct host *host, resolve_fn fn, void *arg,
		  struct resolve **out, struct diag *d)
{
	static const struct timeval patience = {.tv_sec = RESOLVE_SECONDS};
	struct resolve *r = mem_zalloc(1, sizeof(*r));
	int rc;

	*r = (struct resolve){.core = c, .fd = -1, .fn = fn, .arg = arg};
	rc = start_copy(r, host, d);
	if (!rc)
		r->answer = event_new(c->base, r->fd, EV_READ, on_answer, r);
	if (!rc && (!r->answer || event_add(r->answer, &patience)))
		rc = diag_set(d, ERR_SYSTEM, "cannot wait for a look-up");
	if (rc) {
		resolve_free(r);
		return rc;
	}
	*out = r;
	return 0;
}
