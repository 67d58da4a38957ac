/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first configuration of a gateway, for `init` and for a provisioning file.
 */
#pragma once

#include <jansson.h>
#include <net/if.h>
#include <stdbool.h>

#include "common/control.h"

struct newconf {
	char interface[IFNAMSIZ];
	char endpoint[CONTROL_HOST_BYTES]; /* "" if none could be found */
	char tunnel[PREFIX4_TEXT_BYTES];
	bool home_only;	   /* the endpoint is an address of the LAN */
	const char *given; /* lines that printgated --check found good; borrowed; NULL for none */
};

/* Chooses what is not given (NULL). ERR_BAD_PREFIX, ERR_BAD_ADDRESS, ERR_CONFLICT. */
int newconf_choose(struct newconf *c, const char *tunnel, const char *endpoint, struct diag *d)
	__attribute__((warn_unused_result));
/* The same by what is in c->given. */
int newconf_choose_given(struct newconf *c, struct diag *d) __attribute__((warn_unused_result));

/* Never overwrites a file; makes its folder. ERR_CONFLICT, ERR_NOT_PERMITTED, ERR_SYSTEM. */
int newconf_write(const char *path, const struct newconf *c, struct diag *d)
	__attribute__((warn_unused_result));
json_t *newconf_json(const struct newconf *c);
