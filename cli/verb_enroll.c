/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate enroll: a new peer, its grants, its QR code. All that was typed is checked, and the
 * file for the code opened, before core is asked.
 */
#include "cli/verbs.h"

#include "cli/deliver.h"
#include "cli/text.h"
#include "cli/typed.h"

enum { OPT_PRINTER, OPT_ALL_PRINTERS, OPT_EXPIRES, OPT_PUBLIC_KEY, OPT_OUTPUT, OPT_NO_QR };

static int take_printers(struct control_enroll *msg, const struct args *args, struct diag *d)
{
	int rc = 0;

	for (unsigned i = 0; i < args->count && !rc; i++)
		if (args->given[i].option == OPT_PRINTER)
			rc = typed_grant(msg, args->given[i].value, d);
	return rc;
}

static int build(struct control_enroll *msg, const struct args *args, struct diag *d)
{
	const char *key = args_value(args, OPT_PUBLIC_KEY), *end = args_value(args, OPT_EXPIRES);
	int rc = name_parse(&msg->name, args->words[0], "peer", d);

	msg->all_printers = args_has(args, OPT_ALL_PRINTERS);
	msg->has_public_key = key != NULL;
	if (!rc && msg->all_printers && args_has(args, OPT_PRINTER))
		return diag_set(d, ERR_USAGE, "--printer and --all-printers exclude each other");
	if (!rc)
		rc = take_printers(msg, args, d);
	if (!rc && end)
		rc = typed_end(msg, end, d);
	if (!rc && key)
		rc = verb_key(&msg->public_key, key, d);
	return rc;
}

static void tell(struct cli *cli, const struct answer *a, bool no_qr)
{
	char address[IP4_TEXT_BYTES], quoted[TEXT_QUOTE_BYTES], address6[PREFIX6_TEXT_BYTES];

	ip4_format(address, a->view.peer.address);
	prefix6_format(address6, &a->view.peer.address6);
	text_para(cli->out, 0, "%s is enrolled, with address %s%s%s in the tunnel.",
		  a->view.peer.name.s, address, address6[0] ? " and " : "", address6);
	verb_reach(cli, &a->view);
	if (no_qr)
		fprintf(cli->out, "Its QR code: printgate qr %s\n",
			text_quote(quoted, &a->view.peer.name));
}

static int run(struct cli *cli, const struct args *args, struct diag *d)
{
	const char *output = args_value(args, OPT_OUTPUT);
	bool no_qr = args_has(args, OPT_NO_QR), quiet;
	struct control_enroll msg = {0};
	auto_delivery v = {0};
	auto_answer a = {0};
	int rc = build(&msg, args, d);

	if (!rc)
		rc = deliver_prepare(&v, output, no_qr, msg.has_public_key, d);
	if (!rc)
		rc = answer_ask(cli, CTL_ENROLL, &msg, &a, d);
	if (rc)
		return rc;
	/* Unlike `qr --no-qr`, whose answer is the text, enrolling keeps the key to itself then. */
	quiet = no_qr && !output && !msg.has_public_key;
	if (!cli->json)
		tell(cli, &a, quiet);
	return quiet && !cli->json ? 0 : deliver(cli, &v, &a, d);
}

static const struct verb_option options[] = {
	[OPT_PRINTER] = {"printer", "PRINTER", "let it reach this printer (repeat for more)", true},
	[OPT_ALL_PRINTERS] = {"all-printers", NULL, "let it reach all of today's printers", false},
	[OPT_EXPIRES] = {"expires", "TIME", "end after a span (2h, 3d) or at a date", false},
	[OPT_PUBLIC_KEY] = {"public-key", "KEY",
			    "the phone made its own key; this is its public one", false},
	[OPT_OUTPUT] = DELIVER_OUTPUT,
	[OPT_NO_QR] = DELIVER_NO_QR("draw no QR code"),
};

const struct verb verb_enroll = {
	.name = "enroll",
	.args = "NAME",
	.help = "enroll a phone and show its QR code",
	.words_min = 1,
	.words_max = 1,
	.options = options,
	.option_count = 6,
	.run = run,
};
