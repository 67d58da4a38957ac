/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text of a provisioning file. Tolerant of what editors and messengers do to text (a byte order
 * mark, CRLF, typographic quotes, blanks that do not break), and of nothing else. libinih takes the
 * lines apart; sections are told apart here, because their names may be longer than it allows.
 */
#include "cli/provision.h"

#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/provision_text.h"
#include "cli/typed.h"
#include "cli/verbs.h"
#include "common/cleanup.h"
#include "common/inivalue.h"

#define BOM		  "\xef\xbb\xbf"
#define SECTION_BYTES_MAX (NAME_BYTES + 16)

enum kind { NONE, CONF, PRINTER, PEER, PROVISION };

struct parser {
	struct provision_file *out;
	const char *at, *end;
	unsigned line;
	enum kind kind;
	const char *section; /* of CONF: "gateway" */
	unsigned seen;	     /* bit per row of keys: given in this section */
	bool had_provision;
	char preset[64],
		ports[INI_MAX_LINE]; /* of a printer, until its section ends; "" for none */
	size_t conf;		     /* bytes used */
	unsigned conf_lines;	     /* … and lines */
	struct diag *d;
	bool failed;
};

static int fail(struct parser *p, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Notes the first mistake. Returns libinih's "error". */
static int fail(struct parser *p, unsigned line, const char *fmt, ...)
{
	char text[DIAG_TEXT_BYTES];
	va_list ap;

	if (p->failed)
		return 0;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)diag_set(p->d, ERR_CONFIG, "line %u: %.340s", line, text);
	p->failed = true;
	return 0;
}

/* ---- the configuration's lines ----------------------------------------------------------------- */

/* Every line of it stands where it stood. Cleaning never makes a line longer than it was, but
 * " = " may. */
static int put_conf(struct parser *p, const char *a, const char *b, const char *c)
{
	char *to = p->out->conf;

	for (; p->conf_lines + 1 < p->line && p->conf + 1 < sizeof(p->out->conf); p->conf_lines++)
		to[p->conf++] = '\n';
	if (p->conf + strlen(a) + strlen(b) + strlen(c) + 1 >= sizeof(p->out->conf))
		return fail(p, p->line, "the file is too long");
	p->conf +=
		(size_t)snprintf(to + p->conf, sizeof(p->out->conf) - p->conf, "%s%s%s\n", a, b, c);
	p->conf_lines++;
	return 1;
}

static int conf_value(struct parser *p, const char *key, const char *value)
{
	if (!strcmp(p->section, "gateway")) {
		p->out->has_endpoint |= !strcmp(key, "endpoint");
		p->out->has_tunnel |= !strcmp(key, "tunnel");
	}
	return put_conf(p, key, " = ", value);
}

/* ---- keys -------------------------------------------------------------------------------------- */

static struct provision_printer *printer_of(struct parser *p)
{
	return &p->out->printer[p->out->printers - 1];
}

static struct provision_peer *peer_of(struct parser *p)
{
	return &p->out->peer[p->out->peers - 1];
}

static int take_address(struct parser *p, const char *value, struct diag *d)
{
	return typed_address(&printer_of(p)->msg, value, d);
}

static int take_preset(struct parser *p, const char *value, struct diag *d)
{
	(void)d;
	(void)snprintf(p->preset, sizeof(p->preset), "%s", value);
	return 0;
}

static int take_ports(struct parser *p, const char *value, struct diag *d)
{
	size_t n = 0;

	(void)d;
	for (; *value && n + 1 < sizeof(p->ports); value++)
		if (*value != ' ' && *value != '\t')
			p->ports[n++] = *value;
	p->ports[n] = '\0';
	return 0;
}

/* Calls fn for each of "a, b, c". */
static int each_word(struct parser *p, const char *value,
		     int (*fn)(struct parser *p, const char *word, struct diag *d), struct diag *d)
{
	char word[INI_MAX_LINE];
	int rc = 0;

	while (*value && !rc) {
		const size_t n = strcspn(value, ",");

		(void)snprintf(word, sizeof(word), "%.*s", (int)n, value);
		provision_text_trim(word);
		provision_text_unquote(word);
		rc = fn(p, word, d);
		value += n + (value[n] == ',');
	}
	return rc;
}

static int take_grant(struct parser *p, const char *word, struct diag *d)
{
	return typed_grant(&peer_of(p)->msg.enroll, word, d);
}

static int take_printers(struct parser *p, const char *value, struct diag *d)
{
	struct control_enroll *msg = &peer_of(p)->msg.enroll;

	if (!strcmp(value, "all"))
		msg->all_printers = true;
	else if (each_word(p, value, take_grant, d))
		return d->code;
	if (msg->all_printers && msg->printers.count)
		return diag_set(d, ERR_USAGE, "it is all, or a list of printers");
	return 0;
}

static int take_expires(struct parser *p, const char *value, struct diag *d)
{
	p->out->has_end = true;
	return typed_end(&peer_of(p)->msg.enroll, value, d);
}

static int take_public_key(struct parser *p, const char *value, struct diag *d)
{
	peer_of(p)->msg.enroll.has_public_key = true;
	return verb_key(&peer_of(p)->msg.enroll.public_key, value, d);
}

static int take_place(struct parser *p, const char *word, struct diag *d)
{
	struct control_provision_peer *msg = &peer_of(p)->msg;

	if (!strcmp(word, "console"))
		msg->show |= PROVISION_CONSOLE;
	else if (!strcmp(word, "boot"))
		msg->show |= PROVISION_BOOT;
	else
		return diag_set(d, ERR_USAGE, "it is console, boot, both of them, or none");
	return 0;
}

static int take_show(struct parser *p, const char *value, struct diag *d)
{
	peer_of(p)->msg.show = 0;
	return strcmp(value, "none") ? each_word(p, value, take_place, d) : 0;
}

/* As `status` shows it, however it was typed: digits that do not exist are those they look like. */
static int take_code(struct parser *p, const char *value, struct diag *d)
{
	char *to = p->out->head.code;
	size_t n = 0;

	for (; *value; value++) {
		const char c = (char)(*value >= 'a' && *value <= 'z' ? *value - 'a' + 'A' : *value);

		if (c == '-' || c == ' ')
			continue;
		if (n == 9 || !strchr("0123456789ABCDEFGHIJKLMNOPQRSTVWXYZ", c))
			return diag_set(d, ERR_USAGE, "a code is as ABCD-2345");
		if (n == 4)
			to[n++] = '-';
		to[n++] = (char)(c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c);
	}
	to[n] = '\0';
	return n == 9 ? 0 : diag_set(d, ERR_USAGE, "a code is as ABCD-2345");
}

static int take_minutes(struct parser *p, const char *value, struct diag *d)
{
	char *end;
	const long v = strtol(value, &end, 10);

	if (*end || v < PROVISION_MINUTES_MIN || v > PROVISION_MINUTES_MAX)
		return diag_set(d, ERR_USAGE, "it is a number of minutes from %d to %d",
				PROVISION_MINUTES_MIN, PROVISION_MINUTES_MAX);
	p->out->head.minutes = (uint16_t)v;
	return 0;
}

static const struct key {
	enum kind kind;
	const char *name;
	int (*take)(struct parser *p, const char *value, struct diag *d);
	bool many;
} keys[] = {
	{PRINTER, "address", take_address, false},
	{PRINTER, "preset", take_preset, false},
	{PRINTER, "ports", take_ports, false},
	{PEER, "printers", take_printers, true},
	{PEER, "expires", take_expires, false},
	{PEER, "public_key", take_public_key, false},
	{PEER, "show", take_show, false},
	{PROVISION, "code", take_code, false},
	{PROVISION, "minutes", take_minutes, false},
};

static int unknown_key(struct parser *p, const char *name)
{
	char list[128] = "";
	size_t used = 0;

	if (p->kind == NONE)
		return fail(p, p->line, "\"%.40s\" stands before any [section]", name);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (keys[i].kind == p->kind)
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
						 used ? ", " : "", keys[i].name);
	return fail(p, p->line, "unknown key \"%.40s\"; allowed here: %s", name, list);
}

static int on_value(void *arg, const char *section, const char *name, const char *value)
{
	struct parser *p = arg;
	struct diag why = {0};
	char text[INI_MAX_LINE];

	(void)section;
	if (p->failed)
		return 0;
	(void)snprintf(text, sizeof(text), "%s", value);
	inivalue_strip(text);
	provision_text_unquote(text);
	if (p->kind == CONF)
		return conf_value(p, name, text);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (keys[i].kind != p->kind || strcmp(keys[i].name, name) != 0)
			continue;
		if ((p->seen & (1U << i)) && !keys[i].many)
			return fail(p, p->line, "%s is given twice", name);
		p->seen |= 1U << i;
		if (!*text)
			return fail(p, p->line, "%s has no value", name);
		if (keys[i].take(p, text, &why))
			return fail(p, p->line, "%s = %.60s: %s", name, text, why.text);
		return 1;
	}
	return unknown_key(p, name);
}

/* ---- sections ---------------------------------------------------------------------------------- */

static void end_printer(struct parser *p)
{
	struct provision_printer *item = printer_of(p);
	struct diag why = {0};

	if (item->msg.kind != PRINTER_SELF && !item->msg.address.len && !item->msg.host.s[0]) {
		fail(p, item->line, "the printer \"%.64s\" has no address", item->msg.name.s);
		return;
	}
	if (typed_services(
		    &item->msg, p->preset[0] ? p->preset : NULL, p->ports[0] ? p->ports : NULL,
		    "which ports? It needs \"ports = tcp/80, …\" or \"preset = …\" with", &why))
		fail(p, item->line, "the printer \"%.64s\": %s", item->msg.name.s, why.text);
}

static void end_peer(struct parser *p)
{
	struct control_provision_peer *msg = &peer_of(p)->msg;

	if (msg->enroll.has_public_key)
		msg->show = 0; /* there is nothing to show */
}

static void end_section(struct parser *p)
{
	if (p->kind == PRINTER)
		end_printer(p);
	if (p->kind == PEER)
		end_peer(p);
	p->kind = NONE;
	p->seen = 0;
	p->preset[0] = p->ports[0] = '\0';
}

static void begin_printer(struct parser *p, const char *name)
{
	struct diag why = {0};

	if (p->out->printers == PROVISION_ITEMS_MAX) {
		fail(p, p->line, "a file holds at most %d printers", PROVISION_ITEMS_MAX);
		return;
	}
	p->kind = PRINTER;
	p->out->printers++;
	printer_of(p)->line = p->line;
	if (name_parse(&printer_of(p)->msg.name, name, "printer", &why))
		fail(p, p->line, "%s", why.text);
}

static void begin_peer(struct parser *p, const char *name)
{
	struct diag why = {0};

	if (p->out->peers == PROVISION_ITEMS_MAX) {
		fail(p, p->line, "a file holds at most %d peers", PROVISION_ITEMS_MAX);
		return;
	}
	p->kind = PEER;
	p->out->peers++;
	peer_of(p)->line = p->line;
	peer_of(p)->msg.show = PROVISION_CONSOLE;
	if (name_parse(&peer_of(p)->msg.enroll.name, name, "peer", &why))
		fail(p, p->line, "%s", why.text);
}

/* What follows the word, without quotes; NULL if it is another word. */
static char *after(char *title, const char *word)
{
	const size_t n = strlen(word);

	if (strncmp(title, word, n) != 0 || (title[n] && !strchr(" \t", title[n])))
		return NULL;
	title += n;
	provision_text_trim(title);
	provision_text_unquote(title);
	return title;
}

static void begin_section(struct parser *p, char *title)
{
	static const char *const conf[] = {"gateway", "web", "paths", "users"};
	char *name;

	end_section(p);
	for (size_t i = 0; i < ARRAY_LEN(conf); i++) {
		if (strcmp(title, conf[i]) != 0)
			continue;
		p->kind = CONF;
		p->out->has_conf = true;
		p->section = conf[i];
		(void)put_conf(p, "[", p->section, "]");
		return;
	}
	if ((name = after(title, "printer")) != NULL) {
		begin_printer(p, name);
	} else if ((name = after(title, "enroll")) != NULL) {
		begin_peer(p, name);
	} else if (!strcmp(title, "provision")) {
		if (p->had_provision)
			fail(p, p->line, "[provision] is given twice");
		p->had_provision = true;
		p->kind = PROVISION;
	} else {
		fail(p, p->line,
		     "unknown section [%.40s]; allowed: [gateway], [web], [paths], [users], "
		     "[printer NAME], [enroll NAME], [provision]",
		     title);
	}
}

static void on_header(struct parser *p, const char *line)
{
	char title[SECTION_BYTES_MAX * 2];
	const char *close = strrchr(line, ']');

	if (!close) {
		fail(p, p->line, "a section's line ends with ]");
		return;
	}
	if (close - line > SECTION_BYTES_MAX) {
		fail(p, p->line, "this section's name is too long");
		return;
	}
	(void)snprintf(title, sizeof(title), "%.*s", (int)(close - line) - 1, line + 1);
	provision_text_trim(title);
	begin_section(p, title);
}

/* libinih's fgets. It is shown no section, see above. */
static char *read_line(char *out, int room, void *stream)
{
	struct parser *p = stream;
	const char *newline;
	size_t n;

	if (p->failed || p->at == p->end)
		return NULL;
	newline = memchr(p->at, '\n', (size_t)(p->end - p->at));
	n = newline ? (size_t)(newline - p->at) : (size_t)(p->end - p->at);
	p->line++;
	if (memchr(p->at, '\0', n)) {
		fail(p, p->line, "a NUL byte: this is not a text file in UTF-8");
		return NULL;
	}
	if (n + 2 > (size_t)room) {
		fail(p, p->line, "this line is longer than %d bytes", room - 2);
		return NULL;
	}
	memcpy(out, p->at, n);
	out[n] = '\0';
	p->at += n + (newline != NULL);
	provision_text_blanks(out);
	provision_text_trim(out);
	if (*out == '[') {
		on_header(p, out);
		*out = '\0';
	}
	n = strlen(out);
	memcpy(out + n, "\n", 2);
	return p->failed ? NULL : out;
}

int provision_parse(struct provision_file *out, const char *text, size_t n, struct diag *d)
{
	struct parser p = {.out = out, .at = text, .end = text + n, .d = d};
	int rc;

	if (n >= 3 && !memcmp(text, BOM, 3))
		p.at += 3;
	out->head.minutes = PROVISION_MINUTES;
	rc = ini_parse_stream(read_line, &p, on_value, &p);
	if (rc && !p.failed)
		fail(&p, p.line, "neither [section] nor \"key = value\" nor a comment");
	end_section(&p);
	return p.failed ? ERR_CONFIG : 0;
}
