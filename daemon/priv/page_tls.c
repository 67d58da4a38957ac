/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting printgate-tls, with descriptors only: sockets, certificate, key. Its one answer is the
 * certificate's fingerprint, 32 bytes on a pipe.
 */
#include "daemon/priv/page_tls.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/mono.h"
#include "daemon/priv/sock.h"

#define SHA256_BYTES  32
#define PATIENCE_MS   20000 /* an old Pi makes its key in less than one second */
#define ADDRESS_BYTES INET6_ADDRSTRLEN
#define FIXED_FDS     (PAGE_TLS_FILES_AT + PAGE_TLS_FILES) /* line, pipe, certificate, key */

/* All that the child is given, and what belongs to it. */
struct work {
	int line[2], report[2];	   /* ours (or web's) and the child's; the child's is the second */
	int files[PAGE_TLS_FILES]; /* certificate, key */
	int sockets[CONF_TLS_MAX];
	unsigned count;
	char number[12], tunnel[PREFIX4_TEXT_BYTES], tunnel6[PREFIX6_TEXT_BYTES];
	char addresses[CONF_TLS_MAX][ADDRESS_BYTES];
	struct spawn spawn;
};

static void close_all(struct work *w)
{
	int *const all[] = {&w->line[0],   &w->line[1],	 &w->report[0],
			    &w->report[1], &w->files[0], &w->files[1]};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		cleanup_close(all[i]);
	for (unsigned i = 0; i < w->count; i++)
		(void)close(w->sockets[i]);
}

/* ---- sockets and arguments --------------------------------------------------------------------- */

static bool is_wildcard(const struct endpoint *e)
{
	static const uint8_t zero[sizeof(e->addr)];

	return !memcmp(e->addr, zero, sizeof(zero));
}

/* An address that does not work is left out, as with the page in the tunnel. */
static void bind_sockets(struct page_tls *t, struct work *w, const struct conf *c)
{
	struct diag d;

	for (unsigned i = 0; i < c->tls_count; i++) {
		if (sock_tls(&c->tls[i].at, &w->sockets[w->count], &d)) {
			log_warn("start", "%s; going on without", d.text);
			continue;
		}
		t->at.item[t->at.count++] = c->tls[i].at;
		w->count++;
	}
}

/* What the page is called by: the names, and the addresses that are told from others. */
static void arguments(struct work *w, const struct conf *c)
{
	const char **arg = w->spawn.args;
	size_t n = 0;

	_Static_assert(SPAWN_ARGS_MAX >= 4 + CONF_NAMES_MAX + CONF_TLS_MAX, "arguments");
	_Static_assert(SPAWN_FDS_MAX > FIXED_FDS + CONF_TLS_MAX, "descriptors, with the lock");
	(void)snprintf(w->number, sizeof(w->number), "%u", w->count);
	prefix4_format(w->tunnel, c->tunnel);
	prefix6_format(w->tunnel6, &c->tunnel6);
	arg[n++] = w->number;
	arg[n++] = c->certificate[0] ? "given" : "own";
	arg[n++] = w->tunnel;
	arg[n++] = c->tunnel6.len ? w->tunnel6 : "-";
	for (unsigned i = 0; i < c->name_count; i++)
		arg[n++] = c->names[i];
	for (unsigned i = 0; i < c->tls_count; i++) {
		const struct endpoint *e = &c->tls[i].at;

		if (!is_wildcard(e) && inet_ntop(e->family == 6 ? AF_INET6 : AF_INET, e->addr,
						 w->addresses[i], ADDRESS_BYTES))
			arg[n++] = w->addresses[i];
	}
}

/* ---- its answer -------------------------------------------------------------------------------- */

/* Its 32 bytes, or its end: it has written why into the log. */
static int await_report(int fd, uint8_t out[SHA256_BYTES], struct diag *d)
{
	const int64_t end = mono_ms() + PATIENCE_MS;
	size_t got = 0;

	while (got < SHA256_BYTES) {
		const int64_t left = end - mono_ms();
		const int n = mono_poll(fd, POLLIN, left > 0 ? (int)left : 0);
		ssize_t r;

		if (n == 0)
			return diag_set(d, ERR_UNREACHABLE, "printgate-tls does not get ready");
		r = n < 0 ? -1 : read(fd, out + got, SHA256_BYTES - got);
		if (r < 0)
			return diag_errno(d, "printgate-tls");
		if (r == 0)
			return diag_set(d, ERR_UNREACHABLE, "printgate-tls has ended%s",
					spawn_managed() ? " (`journalctl -t printgate`)" : "");
		got += (size_t)r;
	}
	return 0;
}

static void format_fingerprint(char out[CONTROL_FINGERPRINT_BYTES],
			       const uint8_t digest[SHA256_BYTES])
{
	_Static_assert(CONTROL_FINGERPRINT_BYTES >= SHA256_BYTES * 3, "two digits and a colon");
	for (size_t i = 0; i < SHA256_BYTES; i++)
		(void)snprintf(out + i * 3, 4, "%02X%s", digest[i],
			       i + 1 < SHA256_BYTES ? ":" : "");
}

/* ---- the whole --------------------------------------------------------------------------------- */

static int prepare(struct page_tls *t, struct work *w, const struct conf *c, struct diag *d)
{
	/* Under a service manager the companion has the right to open them, and not we. */
	int rc = spawn_managed() ? 0 : page_tls_files(w->files, c, d);

	if (!rc)
		bind_sockets(t, w, c);
	if (!rc && !w->count)
		rc = diag_set(d, ERR_SYSTEM, "no address is left");
	if (!rc)
		rc = sock_pair(w->line, d);
	if (!rc && pipe2(w->report, O_CLOEXEC))
		rc = diag_errno(d, "cannot make a pipe");
	return rc;
}

static int launch(struct page_tls *t, struct work *w, const struct conf *c, const struct dirs *dirs,
		  int lock, struct diag *d)
{
	uint8_t digest[SHA256_BYTES] = {0};
	struct spawn *s = &w->spawn;
	int rc;

	*s = (struct spawn){.program = "printgate-tls",
			    .runtime = c->runtime,
			    .user = c->tls_user,
			    .may_chroot = true,
			    .folder = dirs->empty,
			    .fds = {w->line[1], w->report[1], w->files[0], w->files[1]},
			    .fd_count = FIXED_FDS};
	for (unsigned i = 0; i < w->count; i++)
		s->fds[s->fd_count++] = w->sockets[i];
	s->fds[s->fd_count++] = lock;
	arguments(w, c);
	rc = spawn_start(s, &t->companion, d);
	if (rc)
		return rc;
	(void)close(take_fd(&w->report[1])); /* so that its end is the pipe's */
	rc = await_report(w->report[0], digest, d);
	if (!rc) {
		format_fingerprint(t->fingerprint, digest);
		return 0;
	}
	companion_end(&t->companion);
	return rc;
}

void page_tls_start(struct page_tls *t, const struct conf *c, const struct dirs *dirs, int lock)
{
	struct work w = {.line = {-1, -1}, .report = {-1, -1}, .files = {-1, -1}};
	struct diag d = {ERR_NONE, ""};
	int rc;

	*t = (struct page_tls){.line = -1, .companion = COMPANION_NONE};
	if (!c->tls_count)
		return;
	rc = prepare(t, &w, c, &d);
	if (!rc)
		rc = launch(t, &w, c, dirs, lock, &d);
	if (rc) {
		log_warn("start", "%s; going on without the page in the local network", d.text);
		t->at.count = 0;
	} else {
		t->line = take_fd(&w.line[0]);
	}
	close_all(&w);
}
