/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parsers of the values of printgate.conf and the defaults. Called by conf.c only.
 */
#include "daemon/priv/conf_value.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"

#define RUNTIME_BYTES_MAX 86 /* sun_path has 108 (unix(7)), "/printgate-core.start" and NUL 22 */

/* For a machine on which no package has made the accounts: a program run from its build folder. The
 * numbers lie in the range that Debian policy 9.2.2 leaves to nobody's static use. */
#define FALLBACK_UID_NET  61551
#define FALLBACK_UID_CORE 61552
#define FALLBACK_UID_WEB  61553
#define FALLBACK_UID_TLS  61554

int conf_parse_port(uint16_t *out, const char *text)
{
	unsigned long v;
	char *end;

	if (!isdigit((unsigned char)*text) || strlen(text) > 5)
		return -1;
	v = strtoul(text, &end, 10);
	if (*end || v < 1 || v > 65535)
		return -1;
	*out = (uint16_t)v;
	return 0;
}

int conf_value_interface(struct conf_draft *draft, const char *value)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_=+.-";
	static const char *const reserved[] = {"lo", "all", "default", ".", ".."};
	size_t n = strlen(value);

	if (n < 1 || n >= IFNAMSIZ || strspn(value, allowed) != n)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
		if (!strcmp(value, reserved[i]))
			return -1;
	memcpy(draft->conf.interface, value, n + 1);
	return 0;
}

int conf_value_listen_port(struct conf_draft *draft, const char *value)
{
	return conf_parse_port(&draft->conf.listen_port, value);
}

bool conf_host_valid(const char *host)
{
	size_t label = 0, n = strlen(host);

	if (n < 1 || n > 253)
		return false;
	for (size_t i = 0; i <= n; i++) {
		if (i == n || host[i] == '.') {
			if (label < 1 || label > 63 || host[i - 1] == '-' || host[i - label] == '-')
				return false;
			label = 0;
		} else if (isalnum((unsigned char)host[i]) || host[i] == '-') {
			label++;
		} else {
			return false;
		}
	}
	return true;
}

static int endpoint6(struct conf_draft *draft, const char *value)
{
	const char *close = strchr(value, ']');
	char text[INET6_ADDRSTRLEN];
	struct in6_addr addr;
	size_t n;

	if (!close)
		return -1;
	n = (size_t)(close - value - 1);
	if (n >= sizeof(text))
		return -1;
	memcpy(text, value + 1, n);
	text[n] = '\0';
	if (inet_pton(AF_INET6, text, &addr) != 1)
		return -1;
	if (close[1] && (close[1] != ':' || conf_parse_port(&draft->host_port, close + 2)))
		return -1;
	(void)snprintf(draft->host, sizeof(draft->host), "[%s]", text);
	return 0;
}

int conf_value_endpoint(struct conf_draft *draft, const char *value)
{
	const char *colon = strchr(value, ':');
	size_t n = colon ? (size_t)(colon - value) : strlen(value);

	if (*value == '[')
		return endpoint6(draft, value);
	if (n >= sizeof(draft->host) - sizeof(":65535"))
		return -1;
	if (colon && conf_parse_port(&draft->host_port, colon + 1))
		return -1;
	memcpy(draft->host, value, n);
	draft->host[n] = '\0';
	return conf_host_valid(draft->host) ? 0 : -1;
}

int conf_value_tunnel(struct conf_draft *draft, const char *value)
{
	struct prefix4 p;

	if (prefix4_parse(&p, value, NULL) || tunnel_check(p, NULL))
		return -1;
	draft->conf.tunnel = p;
	draft->has_tunnel = true;
	return 0;
}

int conf_value_tunnel6(struct conf_draft *draft, const char *value)
{
	struct conf *c = &draft->conf;

	if (!strcmp(value, "off"))
		return 0;
	if (!strcmp(value, "auto")) {
		c->tunnel6_auto = true;
		return 0;
	}
	return prefix6_parse(&c->tunnel6, value) || tunnel6_check(&c->tunnel6, NULL) ? -1 : 0;
}

int conf_value_backend(struct conf_draft *draft, const char *value)
{
	static const char *const words[] = {
		[BACKEND_AUTO] = "auto",
		[BACKEND_KERNEL] = "kernel",
		[BACKEND_USERSPACE] = "userspace",
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!strcmp(value, words[i])) {
			draft->conf.backend = (enum conf_backend)i;
			return 0;
		}
	}
	return -1;
}

int conf_value_keep_configs(struct conf_draft *draft, const char *value)
{
	if (strcmp(value, "yes") && strcmp(value, "no"))
		return -1;
	draft->conf.keep_configs = !strcmp(value, "yes");
	return 0;
}

int conf_value_coexist(struct conf_draft *draft, const char *value)
{
	if (strcmp(value, "auto") && strcmp(value, "off"))
		return -1;
	draft->conf.coexist = !strcmp(value, "auto");
	return 0;
}

int conf_value_printer_check(struct conf_draft *draft, const char *value)
{
	uint16_t seconds;

	if (conf_parse_port(&seconds, value) || seconds > CONF_CHECK_SECONDS_MAX)
		return -1;
	draft->conf.printer_check = seconds;
	return 0;
}

int conf_parse_path(char *out, size_t room, const char *value)
{
	size_t n = strlen(value);

	while (n > 1 && value[n - 1] == '/')
		n--;
	if (*value != '/' || n < 2 || n >= room)
		return -1;
	memcpy(out, value, n);
	out[n] = '\0';
	return 0;
}

int conf_value_state(struct conf_draft *draft, const char *value)
{
	return conf_parse_path(draft->conf.state, sizeof(draft->conf.state) - 64, value);
}

int conf_value_runtime(struct conf_draft *draft, const char *value)
{
	return conf_parse_path(draft->conf.runtime, RUNTIME_BYTES_MAX + 1, value);
}

/* A user given by name or number; 0 or -1. A number needs no passwd entry. */
static int find_user(struct conf_user *out, const char *text)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);
	const struct passwd *pw;

	if (isdigit((unsigned char)*text) && !*end) {
		if (v > UINT32_MAX - 2)
			return -1;
		pw = getpwuid((uid_t)v);
		*out = (struct conf_user){(uid_t)v, pw ? pw->pw_gid : (gid_t)v};
		return 0;
	}
	pw = getpwnam(text);
	if (!pw)
		return -1;
	*out = (struct conf_user){pw->pw_uid, pw->pw_gid};
	return 0;
}

static int keep_user(struct conf_user *out, bool *given, const char *value)
{
	struct conf_user user;

	if (find_user(&user, value) || user.uid == 0 || user.gid == 0)
		return -1;
	*out = user;
	*given = true;
	return 0;
}

int conf_value_user_net(struct conf_draft *draft, const char *value)
{
	return keep_user(&draft->conf.net, &draft->has_net, value);
}

int conf_value_user_core(struct conf_draft *draft, const char *value)
{
	return keep_user(&draft->conf.core, &draft->has_core, value);
}

int conf_value_user_web(struct conf_draft *draft, const char *value)
{
	return keep_user(&draft->conf.web, &draft->has_web, value);
}

int conf_value_user_tls(struct conf_draft *draft, const char *value)
{
	return keep_user(&draft->conf.tls_user, &draft->has_tls, value);
}

void conf_draft_init(struct conf_draft *draft)
{
	*draft = (struct conf_draft){
		.conf = {.interface = "wg0",
			 .listen_port = 51820,
			 .backend = BACKEND_AUTO,
			 .printer_check = 60,
			 .state = "/var/lib/printgate",
			 .runtime = "/run/printgate"},
	};
	(void)conf_value_listen(draft, "tunnel:80, 127.0.0.1:8080");
}

/* Returns whether the account had to be done without. */
static bool default_user(struct conf_user *out, bool given, const char *standard, uid_t fallback)
{
	if (given || !find_user(out, standard))
		return false;
	*out = (struct conf_user){fallback, fallback};
	return true;
}

static void settle_users(struct conf_draft *draft)
{
	struct conf *c = &draft->conf;
	int missing = default_user(&c->net, draft->has_net, "_printgate-net", FALLBACK_UID_NET);

	missing += default_user(&c->core, draft->has_core, "_printgate", FALLBACK_UID_CORE);
	missing += default_user(&c->web, draft->has_web, "_printgate-web", FALLBACK_UID_WEB);
	if (missing)
		log_warn("conf",
			 "no accounts of printgate's own on this machine; using the numbers %u "
			 "(net), %u (core), %u (web)",
			 (unsigned)c->net.uid, (unsigned)c->core.uid, (unsigned)c->web.uid);
	if (c->tls_count &&
	    default_user(&c->tls_user, draft->has_tls, "_printgate-tls", FALLBACK_UID_TLS))
		log_warn("conf", "no account _printgate-tls on this machine; using the number %u",
			 (unsigned)c->tls_user.uid);
}

static bool users_meet(const struct conf *c)
{
	const uid_t uids[] = {c->net.uid, c->core.uid, c->web.uid, c->tls_user.uid};
	const size_t n = c->tls_count ? 4 : 3; /* without TLS nothing runs as the last */

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (uids[i] == uids[k])
				return true;
	return false;
}

int conf_draft_finish(struct conf *out, struct conf_draft *draft, const char *path, struct diag *d)
{
	struct conf *c = &draft->conf;
	int rc;

	if (!draft->has_tunnel)
		return diag_set(
			d, ERR_CONFIG,
			"%s: [gateway] tunnel is missing; set a private prefix that is used "
			"nowhere else, such as 10.77.16.0/20 (`printgate init` chooses one)",
			path);
	if (draft->host[0])
		(void)snprintf(c->endpoint, sizeof(c->endpoint), "%.247s:%u", draft->host,
			       draft->host_port ? draft->host_port : c->listen_port);
	rc = conf_web_finish(c, path, d);
	if (rc)
		return rc;
	settle_users(draft);
	if (users_meet(c))
		log_warn("conf",
			 "%s: [users] net, core, web and tls should be different users: one that "
			 "is broken into could trace another",
			 path);
	*out = *c;
	return 0;
}
