/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The privilege line, core's end. It knows the order of messages and nothing of what they mean;
 * desired.c and the requests say what is to be in the kernel.
 */
#include "daemon/core/priv.h"

#include <stdlib.h>
#include <string.h>

#include "common/chan.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon/core/core.h"

#define FOR_EVER (-1)

struct priv {
	struct chan line;
	bool resync, handshake;
};

/* End of file is how printgated says good-bye; anything else is a fault. */
static void line_check(int r, const struct diag *d)
{
	if (r == 0)
		return;
	if (r == ERR_UNREACHABLE) {
		log_info("core", "printgated has gone: ending");
		exit(EXIT_SUCCESS);
	}
	core_fatal("the line to printgated is broken: %s", d->text);
}

/* What printgated says unasked: noted for later, between exchanges. */
static bool line_event(struct priv *p, uint16_t type)
{
	if (type == PRIV_RESYNC)
		p->resync = true;
	else if (type == PRIV_HANDSHAKE)
		p->handshake = true;
	else
		return false;
	return true;
}

static uint16_t line_recv(struct priv *p, union privmsg_any *msg)
{
	struct diag d = {0};
	uint16_t type = 0;

	for (;;) {
		line_check(chan_recv(&p->line, &type, msg, sizeof(*msg), FOR_EVER, &d), &d);
		if (!line_event(p, type))
			return type;
	}
}

/* The endpoint goes into phones' configs, where a blank or a line feed would make a second value or
 * a second line. */
static bool endpoint_plain(const char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return true;
}

int priv_open(struct priv **out, int fd, struct privmsg_hello *hello, struct diag *d)
{
	struct priv *p = mem_zalloc(1, sizeof(*p));
	union privmsg_any msg = {0};
	int r;

	chan_open(&p->line, fd, &privmsg_from_priv, &privmsg_to_priv);
	if (line_recv(p, &msg) != PRIV_HELLO)
		core_fatal("printgated began with something else than HELLO");
	r = tunnel_check(msg.hello.tunnel, d);
	if (r == 0 && msg.hello.tunnel6.len)
		r = tunnel6_check(&msg.hello.tunnel6, d);
	if (r == 0 && !endpoint_plain(msg.hello.endpoint))
		r = diag_set(d, ERR_CONFIG, "the endpoint may not contain blanks or controls");
	if (r) {
		priv_free(p);
		return r;
	}
	*hello = msg.hello;
	*out = p;
	return 0;
}

void priv_free(struct priv *p)
{
	if (p)
		chan_close(&p->line);
	free(p);
}

void priv_item(struct priv *p, enum privmsg_type type, const void *msg)
{
	struct diag d = {0};

	line_check(chan_put(&p->line, (uint16_t)type, msg, &d), &d);
}

/* Ends what is said now: the items before it, and this. */
static void line_say(struct priv *p, enum privmsg_type type)
{
	struct diag d = {0};

	line_check(chan_send(&p->line, (uint16_t)type, NULL, &d), &d);
}

void priv_begin(struct priv *p, struct privmsg_begin how)
{
	priv_item(p, PRIV_BEGIN, &how);
}

static int result_of(const struct privmsg_result *res, struct diag *d)
{
	if (res->code == 0)
		return 0;
	return diag_set(d, (enum err)res->code, "%s",
			res->text[0] ? res->text : "the kernel refused, without a reason");
}

int priv_commit(struct priv *p, struct diag *d)
{
	union privmsg_any msg = {0};

	line_say(p, PRIV_COMMIT);
	if (line_recv(p, &msg) != PRIV_RESULT)
		core_fatal("printgated answered a change with something else than RESULT");
	return result_of(&msg.result, d);
}

int priv_dump(struct priv *p, priv_stats_fn fn, void *arg, struct diag *d)
{
	union privmsg_any msg = {0};
	uint16_t type;

	line_say(p, PRIV_DUMP);
	while ((type = line_recv(p, &msg)) == PRIV_STATS)
		fn(arg, &msg.stats);
	if (type != PRIV_RESULT)
		core_fatal("printgated answered a dump with something else than STATS and RESULT");
	return result_of(&msg.result, d);
}

int priv_check(struct priv *p, priv_finding_fn fn, void *arg, struct diag *d)
{
	union privmsg_any msg = {0};
	uint16_t type;

	line_say(p, PRIV_CHECK);
	while ((type = line_recv(p, &msg)) == PRIV_FINDING)
		fn(arg, &msg.finding);
	if (type != PRIV_RESULT)
		core_fatal("printgated answered a check with something else than FINDING and "
			   "RESULT");
	return result_of(&msg.result, d);
}

struct privmsg_neighbour_is priv_neighbour(struct priv *p, uint32_t address)
{
	const struct privmsg_neighbour ask = {.address = address};
	union privmsg_any msg = {0};
	struct diag d = {0};

	line_check(chan_send(&p->line, PRIV_NEIGHBOUR, &ask, &d), &d);
	if (line_recv(p, &msg) != PRIV_NEIGHBOUR_IS)
		core_fatal("printgated answered a question with something else");
	return msg.neighbour_is;
}

void priv_ready(struct priv *p)
{
	line_say(p, PRIV_READY);
}

void priv_readable(struct priv *p)
{
	union privmsg_any msg = {0};
	struct diag d = {0};
	uint16_t type = 0;

	do {
		line_check(chan_recv(&p->line, &type, &msg, sizeof(msg), FOR_EVER, &d), &d);
		if (!line_event(p, type))
			core_fatal("printgated spoke without being asked");
	} while (chan_pending(&p->line));
}

bool priv_has_news(const struct priv *p)
{
	return p->resync || p->handshake;
}

bool priv_handshake_told(struct priv *p)
{
	const bool told = p->handshake;

	p->handshake = false;
	return told;
}

bool priv_resync_wanted(struct priv *p)
{
	const bool wanted = p->resync;

	p->resync = false;
	return wanted;
}
