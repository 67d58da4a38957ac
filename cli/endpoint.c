/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Judges an endpoint before it is written into the configuration and, from there, into every
 * phone's config.
 */
#include "cli/endpoint.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/inet.h"

#define DNS_NAME_MAX  253 /* RFC 1035, 2.3.4, without the final dot and the root label */
#define DNS_LABEL_MAX 63

static bool label_valid(const char *s, size_t n)
{
	if (n < 1 || n > DNS_LABEL_MAX || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!isalnum((unsigned char)s[i]) && s[i] != '-')
			return false;
	}
	return true;
}

/* A name whose last label is a number would be taken for an address (RFC 1123, 2.1). */
static bool name_is_dns(const char *s)
{
	const char *label = s, *dot;

	if (strlen(s) > DNS_NAME_MAX)
		return false;
	while ((dot = strchr(label, '.'))) {
		if (!label_valid(label, (size_t)(dot - label)))
			return false;
		label = dot + 1;
	}
	return label_valid(label, strlen(label)) && label[strspn(label, "0123456789")];
}

static bool usable4(uint32_t addr)
{
	unsigned first = addr >> 24;

	return first != 0 && first != 127 && first < 224;
}

static int bad(const char *why, struct diag *d)
{
	return diag_set(d, ERR_BAD_ADDRESS,
			"%s: --endpoint takes HOST or HOST:PORT, HOST being a DNS name, an IPv4 "
			"address or an IPv6 address in brackets",
			why);
}

static int parse_port(unsigned *port, const char *text, struct diag *d)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long n = strtoul(text, NULL, 10);

	if (!digits || digits > 5 || text[digits] || n < 1 || n > 65535)
		return bad("the port must be a number from 1 to 65535", d);
	*port = (unsigned)n;
	return 0;
}

/* Splits at the colon or the bracket; *rest points to ":PORT" or "". */
static int split(char *host, size_t room, const char *text, const char **rest, struct diag *d)
{
	bool bracket = text[0] == '[';
	const char *end = bracket ? strchr(text, ']') : strchrnul(text, ':');

	if (!end)
		return bad("the bracket is not closed", d);
	if (!bracket && *end && strchr(end + 1, ':'))
		return bad("an IPv6 address needs brackets", d);
	text += bracket;
	if ((size_t)(end - text) >= room)
		return bad("the name is too long", d);
	memcpy(host, text, (size_t)(end - text));
	host[end - text] = '\0';
	*rest = end + bracket;
	return **rest && **rest != ':' ? bad("something follows the bracket", d) : 0;
}

int endpoint_parse(char out[CONTROL_HOST_BYTES], const char *text, struct diag *d)
{
	char host[CONTROL_HOST_BYTES - sizeof("[]:65535")];
	unsigned port = ENDPOINT_PORT_DEFAULT;
	bool six = text[0] == '[';
	struct in6_addr addr6;
	const char *rest = "";
	uint32_t addr;
	int rc = split(host, sizeof(host), text, &rest, d);

	if (!rc && *rest)
		rc = parse_port(&port, rest + 1, d);
	if (rc)
		return rc;
	if (six && inet_pton(AF_INET6, host, &addr6) != 1)
		return bad("not an IPv6 address", d);
	if (!six && !ip4_parse(&addr, host) && !usable4(addr))
		return bad("no phone can send to this address", d);
	if (!six && ip4_parse(&addr, host) && !name_is_dns(host))
		return bad("not a host name", d);
	(void)snprintf(out, CONTROL_HOST_BYTES, six ? "[%s]:%u" : "%s:%u", host, port);
	return 0;
}
