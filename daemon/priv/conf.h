/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration file (printgate.conf(5)): read by printgated before anything else is done, by a
 * table of keys with type and range; the first mistake ends it, named with file, line
 * and what is allowed. INI syntax is libinih's.
 */
#pragma once

#include <limits.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/control.h"
#include "common/inet6.h"

#define CONF_LISTEN_MAX	       8
#define CONF_TLS_MAX	       4
#define CONF_NAMES_MAX	       8
#define CONF_NAME_BYTES	       254 /* RFC 1035, 2.3.4, as text with its NUL */
#define CONF_CHECK_SECONDS_MAX 3600

enum conf_backend { BACKEND_AUTO, BACKEND_KERNEL, BACKEND_USERSPACE };

struct conf_listen {
	bool tunnel;	    /* the gateway's tunnel address; `at` is filled all the same */
	struct endpoint at; /* address and port */
};

struct conf_user {
	uid_t uid;
	gid_t gid;
};

struct conf {
	char interface[IFNAMSIZ];
	uint16_t listen_port;
	char endpoint[CONTROL_HOST_BYTES]; /* host:port, or "" */
	struct prefix4 tunnel;
	/* None: no IPv6 in the tunnel. With tunnel6_auto it is none until tunnel6_settle. */
	struct prefix6 tunnel6;
	bool tunnel6_auto;
	enum conf_backend backend;
	bool keep_configs;
	bool coexist;		/* our rules in DOCKER-USER, where it is */
	uint16_t printer_check; /* seconds between two looks, 1..CONF_CHECK_SECONDS_MAX */
	unsigned listen_count;
	struct conf_listen listen[CONF_LISTEN_MAX];
	unsigned tls_count; /* 0: no page in the LAN */
	struct conf_listen tls[CONF_TLS_MAX];
	char certificate[PATH_MAX], key[PATH_MAX]; /* absolute; "", both: we make them */
	unsigned name_count;
	char names[CONF_NAMES_MAX][CONF_NAME_BYTES]; /* by which the page is called; lower case */
	char state[PATH_MAX];			     /* absolute */
	char runtime[PATH_MAX];			     /* absolute */
	struct conf_user net, core, web, tls_user;
};

/* Fills *out from the file over the defaults. ERR_CONFIG: "PATH:LINE: what is wrong; what is
 * allowed". Users are resolved here (getpwnam(3)); uid 0 is refused. */
int conf_load(struct conf *out, const char *path, struct diag *d)
	__attribute__((warn_unused_result));
