/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads printgate.conf: a table of keys, each with its parser and the sentence that says what is
 * allowed. libinih splits the lines; the first mistake ends it. The parsers of single values are in
 * conf_value.c.
 */
#include "daemon/priv/conf.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/inivalue.h"
#include "daemon/priv/conf_value.h"

static const struct conf_key keys[] = {
	{"gateway", "interface", conf_value_interface,
	 "1 to 15 of the characters A-Z a-z 0-9 _ = + . - (not lo, all or default)"},
	{"gateway", "listen_port", conf_value_listen_port, "a UDP port, 1 to 65535"},
	{"gateway", "endpoint", conf_value_endpoint,
	 "HOST or HOST:PORT, HOST being a DNS name, an IPv4 address or an IPv6 address in "
	 "brackets"},
	{"gateway", "tunnel", conf_value_tunnel,
	 "a private IPv4 prefix from /12 to /28, such as 10.77.16.0/20"},
	{"gateway", "tunnel6", conf_value_tunnel6,
	 "off, auto, or a prefix from /64 to /96 inside fd00::/8, such as fd12:3456:789a:1::/64"},
	{"gateway", "backend", conf_value_backend, "auto, kernel or userspace"},
	{"gateway", "keep_configs", conf_value_keep_configs, "yes or no"},
	{"gateway", "coexist", conf_value_coexist, "off or auto"},
	{"gateway", "printer_check", conf_value_printer_check, "seconds, 1 to 3600"},
	{"web", "listen", conf_value_listen,
	 "off, or a list of tunnel:PORT and loopback addresses such as 127.0.0.1:8080 or "
	 "[::1]:8080; for the local network, tls = ADDRESS:PORT serves the page encrypted"},
	{"web", "tls", conf_value_tls,
	 "off, or a list of up to 4 addresses of this machine with a port, such as "
	 "192.168.1.5:8443, 0.0.0.0:8443 or [::]:8443"},
	{"web", "certificate", conf_value_certificate, "an absolute path"},
	{"web", "key", conf_value_key, "an absolute path"},
	{"web", "names", conf_value_names,
	 "a list of up to 8 host names by which this machine is called, such as printgate.local"},
	{"paths", "state", conf_value_state, "an absolute path"},
	{"paths", "runtime", conf_value_runtime, "an absolute path of at most 86 bytes"},
	{"users", "net", conf_value_user_net, "an existing user's name, or a number; not root"},
	{"users", "core", conf_value_user_core, "an existing user's name, or a number; not root"},
	{"users", "web", conf_value_user_web, "an existing user's name, or a number; not root"},
	{"users", "tls", conf_value_user_tls, "an existing user's name, or a number; not root"},
};

struct reader {
	FILE *file;
	const char *path;
	unsigned line;
	char *text;
	size_t room;
	uint32_t seen; /* bit per key: given already */
	struct conf_draft *draft;
	struct diag *d;
	bool failed;
};

static int fail(struct reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Notes the first mistake; later ones are consequences. Returns libinih's "error". */
static int fail(struct reader *r, const char *fmt, ...)
{
	char text[DIAG_TEXT_BYTES];
	va_list ap;

	if (r->failed)
		return 0;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)diag_set(r->d, ERR_CONFIG, "%s:%u: %s", r->path, r->line, text);
	r->failed = true;
	return 0;
}

/* libinih's fgets: counts lines, refuses what would be cut silently, and removes leading blanks so
 * that an indented key is a key and not the last value's continuation. */
static char *read_line(char *out, int room, void *stream)
{
	struct reader *r = stream;
	ssize_t n;
	size_t skip;

	if (r->failed)
		return NULL;
	n = getline(&r->text, &r->room, r->file);
	if (n < 0)
		return NULL;
	r->line++;
	if (strlen(r->text) != (size_t)n) {
		fail(r, "a NUL byte in the file");
		return NULL;
	}
	skip = strspn(r->text, " \t");
	if ((size_t)n - skip >= (size_t)room) {
		fail(r, "this line is longer than %d bytes", room - 2);
		return NULL;
	}
	memcpy(out, r->text + skip, (size_t)n - skip + 1);
	return out;
}

static int unknown_key(struct reader *r, const char *section, const char *name)
{
	char list[DIAG_TEXT_BYTES] = "";
	size_t used = 0;
	bool known = false;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (strcmp(keys[i].section, section))
			continue;
		known = true;
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "",
					 keys[i].name);
	}
	if (known)
		return fail(r, "unknown key \"%.40s\" in [%.20s]; allowed here: %s", name, section,
			    list);
	if (!*section)
		return fail(r, "\"%.40s\" stands before any [section]", name);
	return fail(r, "unknown section [%.40s]; allowed: [gateway], [web], [paths], [users]",
		    section);
}

static int on_value(void *arg, const char *section, const char *name, const char *value)
{
	struct reader *r = arg;
	char text[PATH_MAX];

	if (r->failed)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (strcmp(keys[i].section, section) || strcmp(keys[i].name, name))
			continue;
		if (r->seen & (1U << i))
			return fail(r, "%s is given twice", name);
		r->seen |= 1U << i;
		(void)snprintf(text, sizeof(text), "%s", value);
		inivalue_strip(text);
		if (!*text)
			return fail(r, "%s has no value; allowed: %s", name, keys[i].allowed);
		if (keys[i].parse(r->draft, text))
			return fail(r, "%s = %.80s: not understood; allowed: %s", name, text,
				    keys[i].allowed);
		return 1;
	}
	return unknown_key(r, section, name);
}

static int cannot_read(const char *path, struct diag *d)
{
	if (errno == EACCES)
		return diag_set(d, ERR_CONFIG,
				"%.200s: cannot be read: %s; a service's programs are not root, so "
				"everybody must be able to: `chmod a+r %.200s`, and a+x for its "
				"folder",
				path, strerror(errno), path);
	return diag_set(d, ERR_CONFIG, "%s: cannot be read: %s%s", path, strerror(errno),
			errno == ENOENT ? "; `printgate init` writes one" : "");
}

static int open_file(FILE **out, const char *path, struct diag *d)
{
	auto_fclose FILE *file = fopen(path, "re");
	struct stat st;

	if (!file)
		return cannot_read(path, d);
	if (fstat(fileno(file), &st) || !S_ISREG(st.st_mode))
		return diag_set(d, ERR_CONFIG, "%s: is not a file", path);
	if (st.st_mode & S_IWOTH)
		return diag_set(d, ERR_CONFIG,
				"%s: everybody on this machine may write to it; `chmod o-w %s`",
				path, path);
	*out = take_ptr(file);
	return 0;
}

int conf_load(struct conf *out, const char *path, struct diag *d)
{
	auto_fclose FILE *file = NULL;
	struct conf_draft draft;
	struct reader r = {.path = path, .draft = &draft, .d = d};
	int rc = open_file(&file, path, d);

	if (rc)
		return rc;
	conf_draft_init(&draft);
	r.file = file;
	rc = ini_parse_stream(read_line, &r, on_value, &r);
	free(r.text);
	if (r.failed)
		return ERR_CONFIG;
	if (rc || ferror(file))
		return diag_set(d, ERR_CONFIG,
				"%s:%d: neither [section] nor `key = value` nor a comment", path,
				rc > 0 ? rc : (int)r.line);
	return conf_draft_finish(out, &draft, path, d);
}
