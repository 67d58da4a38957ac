/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first configuration of a gateway: every key with its comment, what was given, what was chosen to
 * fit this machine, and defaults for the rest.
 */
#include "cli/newconf.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/endpoint.h"
#include "cli/hostnet.h"
#include "cli/json.h"
#include "cli/outfile.h"
#include "common/cleanup.h"

#define GIVEN_BYTES 256 /* libinih's lines are shorter */
#define INTERFACES  16	/* wg0 … wg15 are tried */

/* The file's lines in their order; a NULL value is one of the choices; "" is left to printgated. */
static const struct line {
	const char *section, *key, *value, *comment;
} lines[] = {
	{"gateway", "interface", NULL, "The tunnel's network interface."},
	{"gateway", "listen_port", "51820", "The UDP port the gateway listens on."},
	{"gateway", "endpoint", NULL,
	 "Where phones find the gateway: a public DNS name or address, and the UDP port\n"
	 "# that the router forwards to this machine. It is written into phones' configs."},
	{"gateway", "tunnel", NULL,
	 "The tunnel's own addresses: a private prefix used nowhere else, /12 to /28.\n"
	 "# Enrolled phones and printers keep their addresses: do not change it later."},
	{"gateway", "tunnel6", "off",
	 "IPv6 inside the tunnel: off, auto, or a prefix inside fd00::/8, /64 to /96."},
	{"gateway", "backend", "auto", "WireGuard: auto, kernel or userspace."},
	{"gateway", "keep_configs", "no",
	 "yes keeps phones' configs, private keys included, on disk for `printgate qr`."},
	{"gateway", "coexist", "off",
	 "auto puts rules for the tunnel into Docker's chain DOCKER-USER, where it is."},
	{"web", "listen", "tunnel:80, 127.0.0.1:8080",
	 "Where the status page is shown. `tunnel` is the gateway's tunnel address;\n"
	 "# `off` for no page."},
	{"web", "tls", "off",
	 "Where it is shown in the local network, encrypted: 0.0.0.0:8443, say."},
	{"paths", "state", "/var/lib/printgate", "Keys and the store."},
	{"paths", "runtime", "/run/printgate", "Sockets."},
	/* Not written out: accounts that are named must exist, those left to printgated need not. */
	{"users", "net", "_printgate-net",
	 "The accounts of the processes, names or numbers, if not these:"},
	{"users", "core", "_printgate", NULL},
	{"users", "web", "_printgate-web", NULL},
	{"users", "tls", "_printgate-tls", NULL},
};

/* ---- what was given ---------------------------------------------------------------------------- */

/* One line of a given configuration. Everything but `key = value` and `[section]` was taken out. */
struct given {
	const char *next;
	char section[16], key[GIVEN_BYTES], value[GIVEN_BYTES];
};

static bool given_line(struct given *g)
{
	while (g->next && *g->next) {
		const size_t n = strcspn(g->next, "\n");
		char line[GIVEN_BYTES];
		char *sep;

		(void)snprintf(line, sizeof(line), "%.*s", (int)n, g->next);
		g->next += n + (g->next[n] == '\n');
		if (line[0] == '[')
			(void)snprintf(g->section, sizeof(g->section), "%.*s",
				       (int)strcspn(line + 1, "]"), line + 1);
		sep = line[0] == '[' ? NULL : strstr(line, " = ");
		if (!sep)
			continue;
		*sep = '\0';
		(void)snprintf(g->key, sizeof(g->key), "%s", line);
		(void)snprintf(g->value, sizeof(g->value), "%s", sep + 3);
		return true;
	}
	return false;
}

/* The given value of a key, into out; NULL if there is none. */
static const char *given_value(const struct newconf *c, const struct line *l, char out[GIVEN_BYTES])
{
	struct given g = {.next = c->given};

	while (given_line(&g)) {
		if (strcmp(g.section, l->section) != 0 || strcmp(g.key, l->key) != 0)
			continue;
		memcpy(out, g.value, GIVEN_BYTES);
		return out;
	}
	return NULL;
}

static bool is_known(const struct given *g)
{
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		if (!strcmp(lines[i].section, g->section) && !strcmp(lines[i].key, g->key))
			return true;
	return false;
}

/* ---- what is chosen ---------------------------------------------------------------------------- */

static int choose_tunnel(struct newconf *c, const struct hostnet *h, const char *text,
			 struct diag *d)
{
	const struct hostnet_item *other;
	struct prefix4 p;
	int rc = text ? prefix4_parse(&p, text, d) : hostnet_choose(h, &p, d);

	if (!rc)
		rc = tunnel_check(p, d);
	if (rc)
		return rc == ERR_BAD_ADDRESS ? diag_set(d, ERR_BAD_PREFIX, "%s", d->text) : rc;
	prefix4_format(c->tunnel, p);
	other = hostnet_find(h, p);
	if (!other)
		return 0;
	return diag_set(d, ERR_BAD_PREFIX,
			"%s overlaps a network that this machine reaches by %s: choose another "
			"prefix, or leave --tunnel out",
			c->tunnel, other->interface);
}

static int choose_endpoint(struct newconf *c, const struct hostnet *h, const char *text,
			   struct diag *d)
{
	char address[IP4_TEXT_BYTES];
	uint32_t addr = hostnet_address(h);

	if (text)
		return endpoint_parse(c->endpoint, text, d);
	c->home_only = true;
	if (!addr)
		return 0;
	ip4_format(address, addr);
	return endpoint_parse(c->endpoint, address, d);
}

/* wg0, unless another tunnel of this machine has that name. */
static int choose_interface(struct newconf *c, struct diag *d)
{
	for (unsigned i = 0; i < INTERFACES; i++) {
		(void)snprintf(c->interface, sizeof(c->interface), "wg%u", i);
		if (!if_nametoindex(c->interface))
			return 0;
	}
	return diag_set(d, ERR_CONFLICT, "all interface names from wg0 to %s are taken",
			c->interface);
}

int newconf_choose(struct newconf *c, const char *tunnel, const char *endpoint, struct diag *d)
{
	auto_hostnet h = {0};
	int rc = hostnet_read(&h, d);

	if (!rc)
		rc = choose_tunnel(c, &h, tunnel, d);
	if (!rc)
		rc = choose_endpoint(c, &h, endpoint, d);
	return rc ? rc : choose_interface(c, d);
}

int newconf_choose_given(struct newconf *c, struct diag *d)
{
	static const struct line tunnel = {.section = "gateway", .key = "tunnel"},
				 endpoint = {.section = "gateway", .key = "endpoint"};
	char a[GIVEN_BYTES], b[GIVEN_BYTES];

	return newconf_choose(c, given_value(c, &tunnel, a), given_value(c, &endpoint, b), d);
}

/* ---- the file ---------------------------------------------------------------------------------- */

static const char *value_of(const struct line *l, const struct newconf *c, char out[GIVEN_BYTES])
{
	const char *given = given_value(c, l, out);

	if (given || l->value)
		return given ? given : l->value;
	if (!strcmp(l->key, "interface"))
		return c->interface;
	return strcmp(l->key, "endpoint") ? c->tunnel : c->endpoint;
}

/* Accounts that are named must exist, those left to printgated need not: only what was given. */
static void write_line(FILE *out, const struct newconf *c, const struct line *l)
{
	char room[GIVEN_BYTES];
	const char *value = value_of(l, c, room);
	const bool open = strcmp(l->section, "users") != 0 || given_value(c, l, room);

	if (l->comment)
		fprintf(out, "# %s\n", l->comment);
	if (*value)
		fprintf(out, "%s%s = %s\n", open ? "" : "# ", l->key, value);
	else
		fprintf(out, "# %s = home.example.net:%d\n", l->key, ENDPOINT_PORT_DEFAULT);
}

/* Given keys that have no line here, at the end of their section. */
static void write_others(FILE *out, const struct newconf *c, const char *section)
{
	struct given g = {.next = c->given};

	while (given_line(&g))
		if (!strcmp(g.section, section) && !is_known(&g))
			fprintf(out, "%s = %s\n", g.key, g.value);
}

static void write_lines(FILE *out, const struct newconf *c)
{
	fputs("# The configuration of printgate: see printgate.conf(5). printgated reads it when "
	      "it\n"
	      "# starts: restart it after a change.\n",
	      out);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		const struct line *l = &lines[i], *next = l + 1;

		if (!i || strcmp(lines[i - 1].section, l->section) != 0)
			fprintf(out, "\n[%s]\n", l->section);
		write_line(out, c, l);
		if (i + 1 == ARRAY_LEN(lines) || strcmp(next->section, l->section) != 0)
			write_others(out, c, l->section);
	}
}

/* The file's folder, if it is missing; its own folder must exist. Whatever the umask, a service's programs,
 * which are not root, must get through. */
static int make_folder(const char *path, struct diag *d)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];

	if (!slash || slash == path)
		return 0;
	if (snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path) >=
	    (int)sizeof(folder))
		return diag_set(d, ERR_LIMIT, "the file's path is too long");
	if (!mkdir(folder, 0755))
		return chmod(folder, 0755) ? diag_errno(d, "cannot open %s to others", folder) : 0;
	if (errno == EEXIST)
		return 0;
	if (errno == EACCES || errno == EPERM || errno == EROFS)
		return diag_set(d, ERR_NOT_PERMITTED, "cannot create %s: %s (run it as root?)",
				folder, strerror(errno));
	return diag_errno(d, "cannot create %s", folder);
}

int newconf_write(const char *path, const struct newconf *c, struct diag *d)
{
	auto_outfile f = {0};
	int rc = make_folder(path, d);

	if (!rc)
		rc = outfile_begin(&f, path, d);
	if (rc)
		return rc;
	write_lines(f.file, c);
	return outfile_commit(&f, 0644, d);
}

json_t *newconf_json(const struct newconf *c)
{
	json_t *root = json_object(), *section = NULL;
	char room[GIVEN_BYTES];

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		const struct line *l = &lines[i];

		if (i == 0 || strcmp(lines[i - 1].section, l->section) != 0) {
			section = json_object();
			json_object_set_new(root, l->section, section);
		}
		if (!strcmp(l->key, "listen_port"))
			json_object_set_new(section, l->key, json_integer(ENDPOINT_PORT_DEFAULT));
		else
			json_object_set_new(section, l->key, json_text(value_of(l, c, room)));
	}
	return root;
}
