/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs, one file each, and the few steps that more than two of them share.
 */
#pragma once

#include "cli/answer.h"
#include "cli/args.h"

extern const struct verb verb_init, verb_printer_add, verb_printer_list, verb_printer_remove,
	verb_printer_confirm, verb_presets, verb_enroll, verb_qr, verb_list, verb_show, verb_allow,
	verb_deny, verb_disable, verb_enable, verb_revoke, verb_rename, verb_rekey, verb_log,
	verb_status, verb_lock, verb_unlock, verb_doctor, verb_page, verb_page_password,
	verb_page_token, verb_provision, verb_image_check;

/* Asks for a change of the peer that the first word names; the answer is one peer. */
int verb_peer(struct cli *cli, uint16_t type, const struct args *a, struct answer *out,
	      struct diag *d) __attribute__((warn_unused_result));

/* Asks for ALLOW or DENY; the words are PEER and PRINTER. `end`: when the grant ends. */
int verb_grant(struct cli *cli, uint16_t type, const struct args *a, struct when end,
	       struct answer *out, struct diag *d) __attribute__((warn_unused_result));

/* Says what a peer may reach. It cannot fail: what the verb was asked for is done already. */
void verb_reach(struct cli *cli, const struct peer_view *v);

/* `{"peer":…}` */
int verb_peer_json(struct cli *cli, const struct answer *a, struct diag *d)
	__attribute__((warn_unused_result));

/* A key typed by a person: ERR_BAD_KEY with a sentence for what can never work. */
int verb_key(struct wg_key *out, const char *text, struct diag *d)
	__attribute__((warn_unused_result));
