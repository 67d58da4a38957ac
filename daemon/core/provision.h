/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file that provisions, as core sees it: the code by which such a file may add to a gateway that has
 * peers, and which file was applied last. Both lie in the store. (Applying one: req_provision.c.)
 */
#pragma once

#include "common/control.h"

struct core;
struct client;
struct bundle;

struct provision {
	char code[CONTROL_CODE_BYTES]; /* as `status` shows it */
	struct bundle *bundle;	       /* what a client is telling, or NULL */
};

/* Reads the code, or makes the first one. */
int provision_open(struct core *c, struct diag *d) __attribute__((warn_unused_result));
void provision_free(struct core *c);
/* The client is gone: what it has told so far is forgotten (req_provision.c). */
void provision_forget(struct core *c, const struct client *cl);

/* Was the file with that hash applied last? */
int provision_applied(struct core *c, const char *hash, bool *yes, struct diag *d)
	__attribute__((warn_unused_result));
/* Inside a transaction: it is, from now on ("": none is), and there is a new code. core::provision has
 * the new code when the transaction is committed: provision_renewed. */
int provision_note(struct core *c, const char *hash, char code[CONTROL_CODE_BYTES], struct diag *d)
	__attribute__((warn_unused_result));
void provision_renewed(struct core *c, const char code[CONTROL_CODE_BYTES]);
