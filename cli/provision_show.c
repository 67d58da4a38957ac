/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Showing codes. What is on the consoles is one file of issue(5), which agetty draws above the login on
 * tty1 and on serial lines alike; it lies in memory (/run), and nothing of it goes into a log. One
 * code at a time: a console has room for one. Asking core every few seconds is enough, and is over
 * with the last code.
 *
 * The package has a link to it in /etc/issue.d. It is not in /run/issue.d: before version 2.41 agetty looks
 * there only if there is no /etc/issue, and since then it would draw the code twice.
 */
#include "cli/provision_show.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/answer.h"
#include "cli/client.h"
#include "cli/qr.h"
#include "common/cleanup.h"
#include "common/mono.h"

#define ISSUE_FOLDER   "/run/printgate-firstboot"
#define ISSUE	       "printgate.issue"
#define AGETTY_RELOAD  "/run/agetty.reload" /* agetty(8), --reload: touched, it draws anew */
#define PERIOD_SECONDS 3
#define ROWS_AROUND    6 /* our lines, and the login below */

struct code {
	struct control_provision_code told;
	/* On the boot partition; "" for none. */
	char picture[TUNNEL_NAME_BYTES + sizeof(PLACE_PICTURE ".png")];
};

struct show {
	struct cli *cli;
	const struct place *boot;
	struct code code[PROVISION_ITEMS_MAX];
	unsigned n;
	struct name drawn; /* on the consoles; "" for none */
	int64_t began;	   /* mono_boot_ms */
	bool no_pictures;  /* the boot partition does not take them */
};

/* ---- the consoles ------------------------------------------------------------------------------ */

static void redraw(void)
{
	const int fd = open(AGETTY_RELOAD, O_CREAT | O_CLOEXEC | O_WRONLY | O_NOFOLLOW, 0600);

	if (fd < 0)
		return;
	(void)futimens(fd, NULL);
	(void)close(fd);
}

/* Rows and columns of the screen, if there is one. A serial line does not say; its terminal scrolls. */
static bool fits(unsigned rows, unsigned columns)
{
	const int fd = open("/dev/tty1", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	struct winsize w = {0};
	char consoles[128] = "";
	FILE *f = fopen("/sys/class/tty/console/active", "re");

	if (f) {
		(void)!fgets(consoles, sizeof(consoles), f);
		(void)fclose(f);
	}
	if (fd >= 0) {
		(void)ioctl(fd, TIOCGWINSZ, &w);
		(void)close(fd);
	}
	return strstr(consoles, "ttyS") || strstr(consoles, "ttyA") || !w.ws_row ||
	       (w.ws_row >= rows && w.ws_col >= columns);
}

static void issue_text(FILE *out, const struct answer *a, const struct qr *qr)
{
	const char *name = a->config.tunnel_name;

	if (!fits(qr_rows(qr) + ROWS_AROUND, qr_columns(qr))) {
		fprintf(out,
			"\nprintgate: the QR code of %s needs a larger screen. As root:\n"
			"  printgate qr %s --output FILE.png\n\n",
			name, name);
		return;
	}
	fprintf(out,
		"\nprintgate: WireGuard app, + , Create from QR code, and name it %s.\n"
		"The code goes away when the phone has connected.\n\n",
		name);
	qr_draw(qr, out);
	fputc('\n', out);
}

static int issue_write(const struct answer *a, const struct qr *qr, struct diag *d)
{
	auto_place run = PLACE_NONE;
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	int rc = 0;

	if (!out)
		return diag_errno(d, "no memory");
	issue_text(out, a, qr);
	(void)fclose(out);
	if (mkdir(ISSUE_FOLDER, 0755) && errno != EEXIST)
		rc = diag_errno(d, "cannot create %s", ISSUE_FOLDER);
	if (!rc)
		rc = place_open(&run, ISSUE_FOLDER, d);
	if (!rc)
		rc = place_write(&run, ISSUE, text, n, d);
	key_wipe(text, n);
	free(text);
	return rc;
}

static void issue_remove(struct show *s)
{
	s->drawn = (struct name){0};
	if (!unlink(ISSUE_FOLDER "/" ISSUE))
		redraw();
}

/* ---- one code ---------------------------------------------------------------------------------- */

/* Where it cannot be written there is still `printgate qr`. */
static void picture_write(struct show *s, const struct code *c, const struct qr *qr)
{
	struct diag why = {0};
	char *png = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&png, &n);
	int rc = out ? qr_png(qr, out, &why) : diag_errno(&why, "no memory");

	if (out)
		(void)fclose(out);
	if (!rc)
		rc = place_write(s->boot, c->picture, png, n, &why);
	s->no_pictures = rc != 0;
	if (rc)
		fprintf(stderr, "printgate: no picture of the code: %s\n", why.text);
	key_wipe(png, n);
	free(png);
}

/* A picture that is there from before a restart is as good as it was: the peer's keys are the same, and
 * asking for its code would change them. */
static bool is_in_a_picture(const struct show *s, const struct code *c)
{
	return c->picture[0] && place_has(s->boot, c->picture);
}

static int code_show(struct show *s, const struct code *c, struct diag *d)
{
	const struct control_named named = {.name = c->told.name};
	const bool screen = c->told.show & PROVISION_CONSOLE && !s->drawn.s[0];
	const bool picture = c->picture[0] && s->boot->folder >= 0 && !s->no_pictures;
	auto_answer a = {0};
	auto_qr qr = {0};
	int rc;

	if (is_in_a_picture(s, c) || (!screen && !picture))
		return 0;
	rc = answer_ask(s->cli, CTL_QR, &named, &a, d);
	if (!rc)
		rc = qr_make(&qr, a.config.text, d);
	if (!rc && picture)
		picture_write(s, c, &qr);
	if (rc || !screen)
		return rc;
	rc = issue_write(&a, &qr, d);
	if (!rc) {
		s->drawn = c->told.name;
		redraw();
	}
	return rc;
}

/* ---- all of them ------------------------------------------------------------------------------- */

static int take_code(void *ctx, uint16_t type, const union control_any *item, struct diag *d)
{
	struct show *s = ctx;
	char tunnel[TUNNEL_NAME_BYTES + 1];
	struct code *c;

	if (type != CTL_PROVISION_CODE)
		return client_unexpected(type, d);
	if (s->n == PROVISION_ITEMS_MAX)
		return 0;
	c = &s->code[s->n++];
	*c = (struct code){.told = item->provision_code};
	name_tunnel(tunnel, &c->told.name);
	if (c->told.show & PROVISION_BOOT)
		(void)snprintf(c->picture, sizeof(c->picture), PLACE_PICTURE "%s.png", tunnel);
	return 0;
}

static bool is_wanted(const struct show *s, const struct name *name)
{
	for (unsigned i = 0; i < s->n; i++)
		if (!strcmp(s->code[i].told.name.s, name->s))
			return true;
	return false;
}

/* Pictures of those who have connected, of the last start, of nobody. */
static void clear_pictures(struct show *s)
{
	const char *keep[PROVISION_ITEMS_MAX];

	for (unsigned i = 0; i < s->n; i++)
		keep[i] = s->code[i].picture; /* "" is nobody's name */
	place_remove_pictures(s->boot, keep, s->n);
}

static int end_those_late(struct show *s, struct diag *d)
{
	int rc = 0;

	for (unsigned i = 0; i < s->n && !rc; i++) {
		const struct control_named named = {.name = s->code[i].told.name};

		if (mono_boot_ms() - s->began >= s->code[i].told.minutes * 60000LL)
			rc = client_ask(s->cli, CTL_PROVISION_DONE, &named, take_code, s, d);
	}
	return rc;
}

static int look(struct show *s, struct diag *d)
{
	int rc;

	s->n = 0;
	rc = client_ask(s->cli, CTL_PROVISION_CODES, NULL, take_code, s, d);
	if (rc)
		return rc;
	if (!is_wanted(s, &s->drawn)) /* also one that an earlier start left */
		issue_remove(s);
	clear_pictures(s);
	for (unsigned i = 0; i < s->n && !rc; i++)
		rc = code_show(s, &s->code[i], d);
	return rc ? rc : end_those_late(s, d);
}

int provision_show(struct cli *cli, const struct place *boot, struct diag *d)
{
	struct show s = {.cli = cli, .boot = boot, .began = mono_boot_ms()};
	int rc;

	for (;;) {
		rc = look(&s, d);
		if (rc || !s.n)
			break;
		(void)sleep(PERIOD_SECONDS);
	}
	issue_remove(&s);
	return rc;
}
