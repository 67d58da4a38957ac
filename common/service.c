/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Services and lists of them: parsing, the sorted form in which they are kept, text. Pure functions.
 */
#include "common/service.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *protocol_name(uint8_t protocol)
{
	return protocol == IPPROTO_TCP ? "tcp" : protocol == IPPROTO_UDP ? "udp" : "?";
}

void service_format(char out[SERVICE_TEXT_BYTES], struct service s)
{
	if (s.first == s.last)
		(void)snprintf(out, SERVICE_TEXT_BYTES, "%s/%u", protocol_name(s.protocol),
			       (unsigned)s.first);
	else
		(void)snprintf(out, SERVICE_TEXT_BYTES, "%s/%u-%u", protocol_name(s.protocol),
			       (unsigned)s.first, (unsigned)s.last);
}

static bool service_valid(struct service s)
{
	return (s.protocol == IPPROTO_TCP || s.protocol == IPPROTO_UDP) && s.first > 0 &&
	       s.first <= s.last;
}

/* a lies wholly before b, as the list is sorted. */
static bool service_before(struct service a, struct service b)
{
	return a.protocol < b.protocol || (a.protocol == b.protocol && a.last < b.first);
}

bool services_valid(const struct services *list)
{
	if (list->count > SERVICES_MAX)
		return false;
	for (unsigned i = 0; i < list->count; i++) {
		if (!service_valid(list->item[i]))
			return false;
		if (i > 0 && !service_before(list->item[i - 1], list->item[i]))
			return false;
	}
	return true;
}

int services_add(struct services *list, struct service s, struct diag *d)
{
	struct service after[SERVICES_MAX];
	unsigned before = 0, n = 0;

	if (!service_valid(s))
		return diag_set(d, ERR_BAD_SERVICE, "not a service: protocol %u, ports %u to %u",
				s.protocol, s.first, s.last);
	for (unsigned i = 0; i < list->count; i++) {
		struct service old = list->item[i];

		if (service_before(old, s)) {
			before++;
		} else if (service_before(s, old)) {
			after[n++] = old;
		} else { /* they overlap: s takes it in */
			s.first = old.first < s.first ? old.first : s.first;
			s.last = old.last > s.last ? old.last : s.last;
		}
	}
	if (before + 1 + n > SERVICES_MAX)
		return diag_set(d, ERR_LIMIT,
				"too many services: a printer has at most %d (a range such as "
				"tcp/50000-50100 counts as one)",
				SERVICES_MAX);
	list->item[before] = s;
	memcpy(list->item + before + 1, after, n * sizeof(after[0]));
	list->count = (uint8_t)(before + 1 + n);
	return 0;
}

/* One to five digits without a leading zero; *text is moved behind them. 0 if there is no port. */
static uint16_t port_scan(const char **text)
{
	size_t n = strspn(*text, "0123456789");
	unsigned long v = n >= 1 && n <= 5 && **text != '0' ? strtoul(*text, NULL, 10) : 0;

	*text += n;
	return v <= UINT16_MAX ? (uint16_t)v : 0;
}

/* Reads one service; *text is moved behind it. */
static bool service_scan(struct service *s, const char **text)
{
	if (strncmp(*text, "tcp/", 4) == 0)
		s->protocol = IPPROTO_TCP;
	else if (strncmp(*text, "udp/", 4) == 0)
		s->protocol = IPPROTO_UDP;
	else
		return false;
	*text += 4;
	s->first = port_scan(text);
	s->last = s->first;
	if (**text == '-') {
		(*text)++;
		s->last = port_scan(text);
	}
	return service_valid(*s) && (**text == ',' || **text == '\0');
}

int services_parse(struct services *list, const char *text, struct diag *d)
{
	struct services work = *list;
	const char *at = text;
	struct service s;
	int err;

	for (;;) {
		const char *part = at;

		if (!service_scan(&s, &at))
			return diag_set(d, ERR_BAD_SERVICE,
					"\"%.*s\" is no service: write tcp/80, udp/3000 or "
					"tcp/50000-50100, with ports from 1 to 65535, and a comma "
					"without blanks between two",
					(int)strnlen(part, strcspn(part, ",") < 40
								   ? strcspn(part, ",")
								   : 40),
					part);
		err = services_add(&work, s, d);
		if (err)
			return err;
		if (*at == '\0')
			break;
		at++;
	}
	*list = work;
	return 0;
}
