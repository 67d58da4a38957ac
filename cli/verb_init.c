/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate init: writes the first configuration, chosen to fit this machine, and says what it
 * chose. It asks no daemon and never overwrites a file.
 */
#include "cli/verbs.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/endpoint.h"
#include "cli/hostnet.h"
#include "cli/json.h"
#include "cli/outfile.h"
#include "cli/text.h"
#include "common/cleanup.h"

#define LISTEN_PORT ENDPOINT_PORT_DEFAULT
/* Where Debian's package puts the service (bookworm's place, reachable in later ones too). */
#define UNIT	   "/lib/systemd/system/printgate.service"
#define INTERFACES 16 /* wg0 … wg15 are tried */

enum { OPT_ENDPOINT, OPT_TUNNEL, OPT_CONFIG };

/* What is chosen rather than fixed. */
struct choice {
	char interface[IFNAMSIZ];
	char endpoint[CONTROL_HOST_BYTES]; /* "" if none could be found */
	char tunnel[PREFIX4_TEXT_BYTES];
	bool home_only; /* the endpoint is an address of the LAN */
};

/* The file's lines in their order; a NULL value is one of the choices. */
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

static const char *value_of(const struct line *l, const struct choice *c)
{
	if (l->value)
		return l->value;
	if (!strcmp(l->key, "interface"))
		return c->interface;
	return strcmp(l->key, "endpoint") ? c->tunnel : c->endpoint;
}

static int choose_tunnel(struct choice *c, const struct hostnet *h, const char *text,
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

static int choose_endpoint(struct choice *c, const struct hostnet *h, const char *text,
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
static int choose_interface(struct choice *c, struct diag *d)
{
	for (unsigned i = 0; i < INTERFACES; i++) {
		(void)snprintf(c->interface, sizeof(c->interface), "wg%u", i);
		if (!if_nametoindex(c->interface))
			return 0;
	}
	return diag_set(d, ERR_CONFLICT, "all interface names from wg0 to %s are taken",
			c->interface);
}

static int choose(struct choice *c, const struct args *args, struct diag *d)
{
	auto_hostnet h = {0};
	int rc = hostnet_read(&h, d);

	if (!rc)
		rc = choose_tunnel(c, &h, args_value(args, OPT_TUNNEL), d);
	if (!rc)
		rc = choose_endpoint(c, &h, args_value(args, OPT_ENDPOINT), d);
	return rc ? rc : choose_interface(c, d);
}

static void write_lines(FILE *out, const struct choice *c)
{
	const char *section = "";

	fputs("# The configuration of printgate: see printgate.conf(5). printgated reads it when "
	      "it\n"
	      "# starts: restart it after a change.\n",
	      out);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		const struct line *l = &lines[i];
		const char *value = value_of(l, c);

		if (strcmp(section, l->section) != 0)
			fprintf(out, "\n[%s]\n", l->section);
		section = l->section;
		if (l->comment)
			fprintf(out, "# %s\n", l->comment);
		if (*value)
			fprintf(out, "%s%s = %s\n", strcmp(section, "users") ? "" : "# ", l->key,
				value);
		else
			fprintf(out, "# %s = home.example.net:%d\n", l->key, LISTEN_PORT);
	}
}

/* The file's folder, if it is missing; its own folder must exist. */
static int make_folder(const char *path, struct diag *d)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];

	if (!slash || slash == path)
		return 0;
	if (snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path) >=
	    (int)sizeof(folder))
		return diag_set(d, ERR_LIMIT, "the file's path is too long");
	if (!mkdir(folder, 0755) || errno == EEXIST)
		return 0;
	if (errno == EACCES || errno == EPERM || errno == EROFS)
		return diag_set(d, ERR_NOT_PERMITTED, "cannot create %s: %s (run it as root?)",
				folder, strerror(errno));
	return diag_errno(d, "cannot create %s", folder);
}

static int write_file(const char *path, const struct choice *c, struct diag *d)
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

static int put_json(struct cli *cli, const struct choice *c, struct diag *d)
{
	json_t *root = json_object(), *section = NULL;

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		const struct line *l = &lines[i];

		if (i == 0 || strcmp(lines[i - 1].section, l->section) != 0) {
			section = json_object();
			json_object_set_new(root, l->section, section);
		}
		if (!strcmp(l->key, "listen_port"))
			json_object_set_new(section, l->key, json_integer(LISTEN_PORT));
		else
			json_object_set_new(section, l->key, json_text(value_of(l, c)));
	}
	return json_answer(cli, root, d);
}

static void tell_endpoint(FILE *out, const struct choice *c)
{
	const char *port = strrchr(c->endpoint, ':');

	if (!c->endpoint[0]) {
		text_para(out, 0,
			  "Warning: this machine has no address yet, so phones cannot find it. "
			  "Set `endpoint` before enrolling.");
		return;
	}
	if (c->home_only)
		text_para(out, 0,
			  "Warning: %s is this machine's address at home: phones find it only "
			  "there. To use it from elsewhere, set `endpoint` to your public name or "
			  "address before enrolling phones.",
			  c->endpoint);
	text_para(out, 0,
		  "On your router, forward UDP port %s to UDP port %d of this machine; forward "
		  "nothing else.",
		  port + 1, LISTEN_PORT);
}

/* The service reads the default file only. */
static void tell_start(FILE *out, const char *path)
{
	if (!strcmp(path, CLI_CONFIG) && !access(UNIT, F_OK))
		fputs("Next, as root:\n  systemctl restart printgate\n", out);
	else
		fprintf(out,
			"Next, as root (printgated stays in the foreground):\n  printgated%s%s\n",
			strcmp(path, CLI_CONFIG) != 0 ? " --config " : "",
			strcmp(path, CLI_CONFIG) != 0 ? path : "");
}

static void tell(FILE *out, const char *path, const struct choice *c)
{
	fprintf(out, "Written: %s\n", path);
	text_para(out, 2, "interface  %s", c->interface);
	text_para(out, 2, "tunnel     %s", c->tunnel);
	text_para(out, 2, "endpoint   %s", c->endpoint[0] ? c->endpoint : "none");
	tell_endpoint(out, c);
	tell_start(out, path);
	fputs("  printgate printer add NAME ADDRESS --preset PRESET\n"
	      "  printgate enroll PHONE --printer NAME\n",
	      out);
}

static int run(struct cli *cli, const struct args *args, struct diag *d)
{
	const char *path = args_value(args, OPT_CONFIG);
	struct choice c = {0};
	int rc = choose(&c, args, d);

	if (!path)
		path = CLI_CONFIG;
	if (!rc)
		rc = write_file(path, &c, d);
	if (rc)
		return rc;
	if (cli->json)
		return put_json(cli, &c, d);
	tell(cli->out, path, &c);
	return 0;
}

static const struct verb_option options[] = {
	[OPT_ENDPOINT] = {"endpoint", "HOST[:PORT]", "where phones find this gateway", false},
	[OPT_TUNNEL] = {"tunnel", "PREFIX", "the tunnel's prefix, /12 to /28", false},
	[OPT_CONFIG] = {"config", "FILE", "write FILE instead of " CLI_CONFIG, false},
};

const struct verb verb_init = {
	.name = "init",
	.args = "",
	.help = "write the configuration for this machine",
	.options = options,
	.option_count = 3,
	.run = run,
};
