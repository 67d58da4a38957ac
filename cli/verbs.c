/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steps shared by the verbs about one peer.
 */
#include "cli/verbs.h"

#include "cli/json.h"
#include "cli/report.h"

int verb_peer(struct cli *cli, uint16_t type, const struct args *a, struct answer *out,
	      struct diag *d)
{
	struct control_named msg = {0};
	int rc = name_parse(&msg.name, a->words[0], "peer", d);

	return rc ? rc : answer_ask(cli, type, &msg, out, d);
}

int verb_grant(struct cli *cli, uint16_t type, const struct args *a, struct when end,
	       struct answer *out, struct diag *d)
{
	struct control_allow msg = {.expires_at = end.at, .expires_after = end.after};
	int rc = name_parse(&msg.peer, a->words[0], "peer", d);

	if (!rc)
		rc = name_parse(&msg.printer, a->words[1], "printer", d);
	return rc ? rc : answer_ask(cli, type, &msg, out, d);
}

void verb_reach(struct cli *cli, const struct peer_view *v)
{
	auto_printers printers = {0};
	struct diag unsaid = {0};

	/* Without the printers' addresses their names must do. */
	if (printer_list_ask(cli, &printers, &unsaid))
		client_close(cli);
	report_reach(cli->out, v, &printers);
}

int verb_peer_json(struct cli *cli, const struct answer *a, struct diag *d)
{
	json_t *o = json_object();

	json_object_set_new(o, "peer", json_peer(&a->view));
	return json_answer(cli, o, d);
}

int verb_key(struct wg_key *out, const char *text, struct diag *d)
{
	if (key_parse(out, text))
		return diag_set(d, ERR_BAD_KEY,
				"not a WireGuard public key: it is 44 characters of base64, as "
				"the app shows it");
	if (key_is_low_order(out))
		return diag_set(d, ERR_BAD_KEY,
				"this public key can never work (a low-order point): copy the "
				"phone's public key again");
	return 0;
}
