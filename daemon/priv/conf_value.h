/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The values of printgate.conf, one parser a key. A draft holds what can be judged only when all of
 * the file is read: the page's addresses need the tunnel, the endpoint's port the listen port.
 */
#pragma once

#include "daemon/priv/conf.h"

struct conf_draft {
	struct conf conf;
	char host[CONTROL_HOST_BYTES]; /* of the endpoint, brackets included */
	uint16_t host_port;	       /* 0: the listen port */
	bool has_tunnel;
	bool has_net, has_core, has_web, has_tls; /* named in [users] */
};

struct conf_key {
	const char *section, *name;
	int (*parse)(struct conf_draft *draft, const char *value); /* 0, or -1: not understood */
	const char *allowed;
};

int conf_value_interface(struct conf_draft *draft, const char *value);
int conf_value_listen_port(struct conf_draft *draft, const char *value);
int conf_value_endpoint(struct conf_draft *draft, const char *value);
int conf_value_tunnel(struct conf_draft *draft, const char *value);
int conf_value_tunnel6(struct conf_draft *draft, const char *value);
int conf_value_backend(struct conf_draft *draft, const char *value);
int conf_value_keep_configs(struct conf_draft *draft, const char *value);
int conf_value_coexist(struct conf_draft *draft, const char *value);
int conf_value_printer_check(struct conf_draft *draft, const char *value);
int conf_value_listen(struct conf_draft *draft, const char *value);
int conf_value_tls(struct conf_draft *draft, const char *value);
int conf_value_certificate(struct conf_draft *draft, const char *value);
int conf_value_key(struct conf_draft *draft, const char *value);
int conf_value_names(struct conf_draft *draft, const char *value);
int conf_value_state(struct conf_draft *draft, const char *value);
int conf_value_runtime(struct conf_draft *draft, const char *value);
int conf_value_user_net(struct conf_draft *draft, const char *value);
int conf_value_user_core(struct conf_draft *draft, const char *value);
int conf_value_user_web(struct conf_draft *draft, const char *value);
int conf_value_user_tls(struct conf_draft *draft, const char *value);

void conf_draft_init(struct conf_draft *draft); /* the defaults of printgate.conf(5) */
/* Settles what depends on several values. ERR_CONFIG. */
int conf_draft_finish(struct conf *out, struct conf_draft *draft, const char *path, struct diag *d)
	__attribute__((warn_unused_result));

/* What conf_web.c, the parsers of [web], shares with conf_value.c. */
int conf_parse_port(uint16_t *out, const char *text) /* or another number, 1 to 65535; -1 */
	__attribute__((warn_unused_result));
int conf_parse_path(char *out, size_t room, const char *value) /* absolute; -1 */
	__attribute__((warn_unused_result));
/* A DNS name (RFC 1123: labels of letters, digits and hyphens, 253 bytes in all) or dotted quad. */
bool conf_host_valid(const char *host);
/* Settles what of [web] depends on other values. ERR_CONFIG. */
int conf_web_finish(struct conf *c, const char *path, struct diag *d)
	__attribute__((warn_unused_result));
