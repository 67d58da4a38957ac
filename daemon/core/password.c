/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Core's side of hashing: a short queue, a copy for its first, and the answer by events. A copy that
 * does not answer as it should is no "yes".
 */
#include "daemon/core/password.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/key.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon/core/core.h"
#include "daemon/core/password_own.h"

/* One at work, and one that has answered and is still ending. */
#define COPIES_OF_IT 2

struct password_job {
	struct password_job *next; /* passwords::first */
	struct core *core;
	struct password_question question;
	password_fn fn;
	void *arg; /* ours */
	int fd;
	struct event *answer;
	pid_t pid;
};

const char password_verb[] = "password";

static void job_free(struct password_job *j)
{
	if (j->pid > 0)
		copy_end(j->core, j->pid);
	if (j->answer)
		event_free(j->answer);
	if (j->fd >= 0)
		(void)close(j->fd);
	free(j->arg);
	key_wipe(j, sizeof(*j));
	free(j);
}

void passwords_free(struct core *c)
{
	struct password_job *next;

	for (struct password_job *j = c->passwords.first; j; j = next) {
		next = j->next;
		job_free(j);
	}
	c->passwords.first = NULL;
}

static void on_answer(evutil_socket_t fd, short what, void *arg);

static int start_copy(struct password_job *j, struct diag *d)
{
	int ends[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return diag_errno(d, "cannot make a socket");
	j->fd = ends[0];
	r = copy_start(j->core, password_verb, NULL, COPIES_OF_IT, ends[1], &j->pid, d);
	(void)close(ends[1]);
	if (r == 0 && send(j->fd, &j->question, sizeof(j->question), MSG_NOSIGNAL | MSG_DONTWAIT) !=
			      sizeof(j->question))
		r = diag_errno(d, "cannot hand a password on");
	return r;
}

static int job_begin(struct password_job *j, struct diag *d)
{
	static const struct timeval patience = {.tv_sec = PASSWORD_SECONDS};
	const int r = start_copy(j, d);

	if (r)
		return r;
	j->answer = event_new(j->core->base, j->fd, EV_READ, on_answer, j);
	if (!j->answer || event_add(j->answer, &patience))
		return diag_set(d, ERR_SYSTEM, "cannot wait for a password to be hashed");
	return 0;
}

/* Ends the first job; begins the next that can be begun. */
static void job_end(struct password_job *j, int code, const char *hash)
{
	struct core *c = j->core;
	struct diag d = {0};

	while (j) {
		c->passwords.first = j->next;
		key_wipe(&j->question, sizeof(j->question)); /* fn answers somebody */
		j->fn(j->arg, code, hash);
		job_free(j);
		j = c->passwords.first;
		if (!j || job_begin(j, &d) == 0)
			return;
		log_warn("core", "a password could not be looked at: %s", d.text);
		code = ERR_SYSTEM;
		hash = "";
	}
}

static void on_answer(evutil_socket_t fd, short what, void *arg)
{
	struct password_job *j = arg;
	const bool make = j->question.make;
	struct password_answer a = {0};
	int code = ERR_SYSTEM;

	if (!(what & EV_TIMEOUT) && recv(fd, &a, sizeof(a), MSG_DONTWAIT) == sizeof(a) &&
	    memchr(a.hash, '\0', sizeof(a.hash)) && (!make || !a.good || a.hash[0]))
		code = a.good ? 0 : make ? ERR_SYSTEM : ERR_DENIED;
	job_end(j, code, a.hash);
	key_wipe(&a, sizeof(a));
}

static struct password_job *job_new(struct core *c, const char *password, const char *hash)
{
	struct password_job *j = mem_zalloc(1, sizeof(*j));

	j->core = c;
	j->fd = -1;
	j->question.make = !hash;
	(void)snprintf(j->question.password, sizeof(j->question.password), "%s", password);
	(void)snprintf(j->question.hash, sizeof(j->question.hash), "%s", hash ? hash : "");
	return j;
}

int password_start(struct core *c, const char *password, const char *hash, password_fn fn,
		   void *arg, struct diag *d)
{
	struct password_job *j, **at = &c->passwords.first;
	unsigned waiting = 0;
	int r = 0;

	for (; *at; at = &(*at)->next)
		waiting++;
	if (waiting >= PASSWORD_QUEUE_MAX)
		return diag_set(d, ERR_LIMIT,
				"too many passwords are being looked at: try again in a moment");
	j = job_new(c, password, hash);
	if (waiting == 0)
		r = job_begin(j, d);
	if (r) {
		job_free(j);
		return r;
	}
	j->fn = fn;
	j->arg = arg;
	*at = j;
	return 0;
}
