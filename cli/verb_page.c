/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate page, page password and page token: where the page can be opened, and what the owner
 * logs in with.
 */
#include "cli/verbs.h"

#include <string.h>

#include "cli/json.h"
#include "cli/secret.h"
#include "cli/text.h"

#define URL_BYTES (ENDPOINT_TEXT_BYTES + 16)

enum { OPT_STDIN };

struct page {
	struct control_page_info info;
	bool has_info, has_token;
	struct web_secret token;
};

static void page_wipe(struct page *p)
{
	web_secret_wipe(&p->token);
}
#define auto_page __attribute__((cleanup(page_wipe))) struct page

static int page_item(void *ctx, uint16_t type, const union control_any *item, struct diag *d)
{
	struct page *p = ctx;

	if (type == CTL_PAGE_INFO) {
		p->info = item->page_info;
		p->has_info = true;
	} else if (type == CTL_PAGE_SECRET) {
		p->token = item->page_secret.token;
		p->has_token = true;
	} else {
		return client_unexpected(type, d);
	}
	return 0;
}

static int page_ask(struct cli *cli, uint16_t type, const void *msg, struct page *p, struct diag *d)
{
	const int rc = client_ask(cli, type, msg, page_item, p, d);

	if (rc)
		return rc;
	if (!p->has_info || p->has_token != (type == CTL_PAGE_TOKEN))
		return diag_set(d, ERR_PROTOCOL, "printgated's answer is not complete");
	return 0;
}

/* "http://10.77.16.1/": a browser knows its scheme's port. */
static void url_format(char out[URL_BYTES], const struct endpoint *at, bool tls)
{
	char text[ENDPOINT_TEXT_BYTES];
	char *port;

	endpoint_format(text, at);
	port = strrchr(text, ':');
	if (port && at->port == (tls ? 443 : 80))
		*port = '\0';
	(void)snprintf(out, URL_BYTES, "%s://%s/", tls ? "https" : "http", text);
}

/* ---- --json ------------------------------------------------------------------------------------ */

static void json_urls(json_t *array, const struct wire_viewers *list, bool tls)
{
	char url[URL_BYTES];

	for (unsigned i = 0; i < list->count; i++) {
		url_format(url, &list->item[i], tls);
		json_array_append_new(array, json_string(url));
	}
}

static int page_json(struct cli *cli, const struct page *p, struct diag *d)
{
	json_t *o = json_object(), *page = json_object(), *urls = json_array();
	char token[WEB_SECRET_TEXT_BYTES];

	json_urls(urls, &p->info.plain, false);
	json_urls(urls, &p->info.tls, true);
	json_object_set_new(page, "urls", urls);
	json_object_set_new(page, "password", json_boolean(p->info.password));
	json_object_set_new(page, "token", json_boolean(p->info.token));
	json_object_set_new(page, "fingerprint", json_text(p->info.fingerprint));
	if (p->has_token) {
		web_secret_format(token, &p->token);
		json_object_set_new(page, "token_value", json_string(token));
		explicit_bzero(token, sizeof(token));
	}
	json_object_set_new(o, "page", page);
	return json_answer(cli, o, d);
}

/* ---- for people -------------------------------------------------------------------------------- */

/* All addresses of the machine are not an address to type. */
static bool say_any(FILE *out, const struct endpoint *at)
{
	static const uint8_t zero[sizeof(at->addr)];

	if (memcmp(at->addr, zero, sizeof(zero)) != 0)
		return false;
	fprintf(out, "  https://ADDRESS:%u/  (any %s address of this machine)\n", at->port,
		at->family == 4 ? "IPv4" : "IPv6");
	return true;
}

static void say_urls(FILE *out, const struct wire_viewers *list, bool tls)
{
	char url[URL_BYTES];

	for (unsigned i = 0; i < list->count; i++) {
		if (say_any(out, &list->item[i]))
			continue;
		url_format(url, &list->item[i], tls);
		fprintf(out, "  %s%s\n", url,
			list->item[i].family == 4 && list->item[i].addr[0] == 127
				? "  (on this machine)"
				: "");
	}
}

static void say_where(FILE *out, const struct control_page_info *i)
{
	if (!i->plain.count && !i->tls.count) {
		text_para(out, 0,
			  "The page listens nowhere: 'listen' under [web] in printgate.conf is "
			  "off, or its addresses were taken (printgated's log says so).");
		return;
	}
	fprintf(out, "The page:\n");
	say_urls(out, &i->plain, false);
	say_urls(out, &i->tls, true);
	if (i->fingerprint[0]) {
		fprintf(out,
			"Its certificate's SHA-256 fingerprint, to compare with the browser's:\n");
		fprintf(out, "  %.48s\n  %s\n", i->fingerprint,
			strlen(i->fingerprint) > 48 ? i->fingerprint + 48 : "");
	}
}

static void say_page(FILE *out, const struct control_page_info *i)
{
	say_where(out, i);
	text_para(out, 0, "A phone in the tunnel sees itself there, without a login.");
	if (i->password)
		text_para(out, 0,
			  "The owner's password is set; 'printgate page password' sets "
			  "another.");
	else
		text_para(out, 0,
			  "No password is set yet, so nobody sees the owner's view: "
			  "'printgate page password' sets one.");
	if (i->token)
		text_para(out, 0,
			  "There is a token for /metrics; 'printgate page token' makes "
			  "another.");
	else
		text_para(out, 0,
			  "There is no token for /metrics; 'printgate page token' makes "
			  "one.");
}

static int run(struct cli *cli, const struct args *args, struct diag *d)
{
	auto_page p = {.has_info = false};
	const int rc = page_ask(cli, CTL_PAGE, NULL, &p, d);

	(void)args;
	if (rc)
		return rc;
	if (cli->json)
		return page_json(cli, &p, d);
	say_page(cli->out, &p.info);
	return 0;
}

/* ---- the password ------------------------------------------------------------------------------ */

static int ask_twice(char out[WEB_PASSWORD_BYTES], struct diag *d)
{
	char again[WEB_PASSWORD_BYTES];
	int rc = secret_ask("New password for the page", out, WEB_PASSWORD_BYTES, d);

	if (!rc)
		rc = web_password_check(out, d);
	if (!rc)
		rc = secret_ask("Once more", again, sizeof(again), d);
	if (!rc && strcmp(out, again) != 0)
		rc = diag_set(d, ERR_USAGE,
			      "these were two different passwords: nothing is changed");
	explicit_bzero(again, sizeof(again));
	return rc;
}

static int run_password(struct cli *cli, const struct args *args, struct diag *d)
{
	struct control_page_password msg = {.password = ""};
	auto_page p = {.has_info = false};
	int rc;

	if (args_has(args, OPT_STDIN))
		rc = secret_read(msg.password, sizeof(msg.password), d);
	else
		rc = ask_twice(msg.password, d);
	if (!rc)
		rc = web_password_check(msg.password, d);
	if (!rc)
		rc = page_ask(cli, CTL_PAGE_PASSWORD, &msg, &p, d);
	explicit_bzero(&msg, sizeof(msg));
	if (rc)
		return rc;
	if (cli->json)
		return page_json(cli, &p, d);
	text_para(cli->out, 0,
		  "The page's password is set. Whoever was logged in is not any more.");
	say_where(cli->out, &p.info);
	return 0;
}

/* ---- the token --------------------------------------------------------------------------------- */

static void say_token(FILE *out, const struct page *p)
{
	const struct wire_viewers *list = p->info.plain.count ? &p->info.plain : &p->info.tls;
	char token[WEB_SECRET_TEXT_BYTES], target[ENDPOINT_TEXT_BYTES] = "ADDRESS:PORT";

	web_secret_format(token, &p->token);
	if (list->count)
		endpoint_format(target, &list->item[0]);
	fprintf(out, "  %s\n", token);
	text_para(out, 0,
		  "This token is shown this once. Any earlier one has ended. Prometheus reads "
		  "the gateway's figures with it:");
	fprintf(out,
		"  scrape_configs:\n"
		"    - job_name: printgate\n"
		"%s"
		"      authorization:\n"
		"        credentials: %s\n"
		"      static_configs:\n"
		"        - targets: ['%s']\n",
		list == &p->info.tls && list->count ? "      scheme: https\n" : "", token, target);
	explicit_bzero(token, sizeof(token));
}

static int run_token(struct cli *cli, const struct args *args, struct diag *d)
{
	auto_page p = {.has_info = false};
	const int rc = page_ask(cli, CTL_PAGE_TOKEN, NULL, &p, d);

	(void)args;
	if (rc)
		return rc;
	if (cli->json)
		return page_json(cli, &p, d);
	say_token(cli->out, &p);
	return 0;
}

static const struct verb_option password_options[] = {
	[OPT_STDIN] = {"stdin", NULL, "read it from standard input: one line", false},
};

const struct verb verb_page = {
	.name = "page",
	.args = "",
	.help = "where the status page is, and whether it has a password",
	.run = run,
};

const struct verb verb_page_password = {
	.name = "page password",
	.args = "",
	.help = "set the password for the owner's view of the page",
	.options = password_options,
	.option_count = 1,
	.run = run_password,
};

const struct verb verb_page_token = {
	.name = "page token",
	.args = "",
	.help = "make a new token by which Prometheus may read /metrics",
	.run = run_token,
};
