/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Delivers a phone's config. What holds a private key goes to the place that was asked for and to
 * nowhere else, and only into new files readable by their owner.
 */
#include "cli/deliver.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/json.h"
#include "cli/qr.h"
#include "cli/text.h"
#include "common/cleanup.h"

static int find_format(struct delivery *v, const char *path, struct diag *d)
{
	static const char *const endings[] = {".png", ".svg", ".conf"};
	size_t n = strlen(path);

	for (unsigned i = 0; i < ARRAY_LEN(endings); i++) {
		size_t e = strlen(endings[i]);

		if (n > e && !strcasecmp(path + n - e, endings[i])) {
			v->format = i;
			return 0;
		}
	}
	return diag_set(d, ERR_USAGE, "--output takes a file ending in .png, .svg or .conf");
}

static int no_private_key(enum err code, struct diag *d)
{
	return diag_set(d, code,
			"a QR code needs the private key, which only the phone has: use "
			"--output FILE.conf");
}

int deliver_prepare(struct delivery *v, const char *path, bool no_qr, bool own_key, struct diag *d)
{
	int rc;

	v->no_qr = no_qr;
	v->to_file = path != NULL;
	if (!path)
		return 0;
	rc = find_format(v, path, d);
	if (rc)
		return rc;
	if (own_key && v->format != DELIVER_CONF)
		return no_private_key(ERR_USAGE, d);
	return outfile_begin(&v->file, path, d);
}

static int write_qr(const struct delivery *v, const char *text, struct diag *d)
{
	auto_qr qr = {0};
	int rc = v->own_key ? no_private_key(ERR_NO_CONFIG, d) : qr_make(&qr, text, d);

	if (rc)
		return rc;
	if (v->format == DELIVER_PNG)
		return qr_png(&qr, v->file.file, d);
	qr_svg(&qr, v->file.file);
	return 0;
}

static int write_file(struct cli *cli, struct delivery *v, const struct answer *a, struct diag *d)
{
	char name[TEXT_QUOTE_BYTES];
	struct diag why = {0};
	int rc = 0;

	if (v->format == DELIVER_CONF)
		fputs(a->config.text, v->file.file);
	else
		rc = write_qr(v, a->config.text, &why);
	if (!rc)
		rc = outfile_commit(&v->file, 0600, &why);
	if (rc)
		return diag_set(d, rc,
				"%.200s (nothing else is lost: 'printgate qr %.64s --output FILE' "
				"writes it again)",
				why.text, text_quote(name, &a->view.peer.name));
	if (!cli->json)
		text_para(cli->out, 0, "Written to %s.%s", v->file.path,
			  v->own_key ? ""
				     : " It holds the phone's private key: keep it to yourself.");
	return 0;
}

/* The window's size; false if standard output has none and the environment names none. */
static bool window_size(unsigned *columns, unsigned *rows)
{
	const char *c = getenv("COLUMNS"), *r = getenv("LINES");
	struct winsize w;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) && w.ws_col && w.ws_row) {
		*columns = w.ws_col;
		*rows = w.ws_row;
		return true;
	}
	*columns = c ? (unsigned)strtoul(c, NULL, 10) : 0;
	*rows = r ? (unsigned)strtoul(r, NULL, 10) : 0;
	return *columns && *rows;
}

static void say_tunnel(struct cli *cli, const struct answer *a, const char *how)
{
	text_para(cli->out, 0, "On the phone: WireGuard app → + → %s → name it %s", how,
		  a->config.tunnel_name);
}

/* The code is the last thing printed: what follows would scroll its top away. */
static int draw(struct cli *cli, const struct answer *a, struct diag *d)
{
	char name[TEXT_QUOTE_BYTES];
	unsigned columns, rows, need;
	auto_qr qr = {0};
	int rc = qr_make(&qr, a->config.text, d);

	if (rc)
		return rc;
	need = qr_rows(&qr) + 1; /* and the line of the shell's next prompt */
	if (window_size(&columns, &rows) && (columns < qr_columns(&qr) || rows < need)) {
		text_para(cli->out, 0,
			  "The QR code needs a window of %u columns and %u rows; this one has %u "
			  "and %u. Enlarge it (or use a smaller font) and show the code with",
			  qr_columns(&qr), need, columns, rows);
		fprintf(cli->out, "  printgate qr %s\n", text_quote(name, &a->view.peer.name));
		fprintf(cli->out,
			"or write it to a picture with\n  printgate qr %s --output "
			"FILE.png\n",
			name);
		return 0;
	}
	say_tunnel(cli, a, "Create from QR code");
	qr_draw(&qr, cli->out);
	return 0;
}

static int put_json(struct cli *cli, const struct answer *a, struct diag *d)
{
	json_t *o = json_object();

	json_object_set_new(o, "peer", json_peer(&a->view));
	json_object_set_new(o, "config", json_string(a->config.text));
	json_object_set_new(o, "tunnel_name", json_text(a->config.tunnel_name));
	return json_answer(cli, o, d);
}

static void put_text(struct cli *cli, const struct delivery *v, const struct answer *a)
{
	if (!v->no_qr) {
		text_para(cli->out, 0,
			  "This is the config but for its key: on the phone, add the line "
			  "\"PrivateKey = …\" with the phone's own key under [Interface].");
		fputc('\n', cli->out);
	}
	fputs(a->config.text, cli->out);
}

int deliver(struct cli *cli, struct delivery *v, const struct answer *a, struct diag *d)
{
	int rc;

	v->own_key = !strstr(a->config.text, "PrivateKey");
	rc = v->to_file ? write_file(cli, v, a, d) : 0;
	if (rc)
		return rc;
	if (cli->json)
		return put_json(cli, a, d);
	if (v->to_file) {
		say_tunnel(cli, a,
			   v->format == DELIVER_CONF ? "Import from file or archive"
						     : "Create from QR code");
		return 0;
	}
	if (!v->own_key && !v->no_qr)
		return draw(cli, a, d);
	put_text(cli, v, a);
	return 0;
}

void deliver_end(struct delivery *v)
{
	outfile_end(&v->file);
}
