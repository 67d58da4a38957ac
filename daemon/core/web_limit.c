/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tries of the last minute, all of them: there cannot be more than are allowed.
 */
#include "daemon/core/web_limit.h"

#include <string.h>

static const uint8_t mapped[12] = {
	[10] = 0xff, [11] = 0xff}; /* ::ffff:a.b.c.d (RFC 4291, 2.5.5.2) */

/* Whoever has one address of IPv6 mostly has the whole /64, and who is on this machine 127/8. */
static void key_of(uint8_t out[WEB_LIMIT_KEY_BYTES], const struct endpoint *from)
{
	const bool is_mapped = from->family == 6 && memcmp(from->addr, mapped, 12) == 0;

	memset(out, 0, WEB_LIMIT_KEY_BYTES);
	out[0] = is_mapped ? 4 : from->family;
	if (out[0] == 4)
		memcpy(out + 1, from->addr + (is_mapped ? 12 : 0), 4);
	else
		memcpy(out + 1, from->addr, 8);
	if (out[0] == 4 && out[1] == 127)
		memset(out + 2, 0, 3);
}

static void forget_old(struct web_limit *l, int64_t now)
{
	unsigned old = 0;

	while (old < l->n && now - l->tried[old].at >= WEB_LIMIT_WINDOW)
		old++;
	l->n -= old;
	memmove(l->tried, l->tried + old, l->n * sizeof(l->tried[0]));
}

bool web_limit_try(struct web_limit *l, const struct endpoint *from, bool phone, int64_t now)
{
	struct web_limit_try mine = {.at = now, .phone = phone};
	unsigned same = 0, others = 0;

	forget_old(l, now);
	key_of(mine.from, from);
	for (unsigned i = 0; i < l->n; i++) {
		same += memcmp(l->tried[i].from, mine.from, sizeof(mine.from)) == 0;
		others += !l->tried[i].phone;
	}
	if (l->n >= WEB_LIMIT_ALL || same >= WEB_LIMIT_ADDRESS ||
	    (!phone && others >= WEB_LIMIT_OTHERS))
		return false;
	l->tried[l->n++] = mine;
	return true;
}

bool web_limit_tell(struct web_limit *l, int64_t now, unsigned *more)
{
	if (l->told == 0 || now - l->told_since >= WEB_LIMIT_TOLD_IN) {
		l->told_since = now;
		l->told = 0;
	}
	if (l->told >= WEB_LIMIT_TOLD) {
		l->untold++;
		return false;
	}
	l->told++;
	*more = l->untold;
	l->untold = 0;
	return true;
}
