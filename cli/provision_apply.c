/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carrying out what a provisioning file says: the configuration first, because printgated needs one;
 * then, told to core, the rest, which is one transaction. Cut off at any point, the same file run again
 * completes it.
 */
#include "cli/provision_apply.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "cli/newconf.h"
#include "cli/program.h"
#include "common/cleanup.h"
#include "common/mono.h"
#include "common/synchronised.h"

#define CLOCK_SECONDS 600
#define CLOCK_PERIOD  5 /* seconds; a clock may be right without having been set */
#define SAID_BYTES    512

/* ---- the configuration ------------------------------------------------------------------------- */

/* /etc on a read-only root; any other trouble with it is said when it is written. */
static const char *config_place(void)
{
	return access("/etc", W_OK) && errno == EROFS ? CLI_CONFIG_IN_STATE : CLI_CONFIG;
}

static const char *config_there(const char *path)
{
	if (path)
		return access(path, F_OK) ? NULL : path;
	if (!access(CLI_CONFIG, F_OK))
		return CLI_CONFIG;
	return access(CLI_CONFIG_IN_STATE, F_OK) ? NULL : CLI_CONFIG_IN_STATE;
}

int provision_configure(const struct provision_file *f, const char *path,
			struct provision_result *out, struct diag *d)
{
	struct newconf c = {.given = f->conf};
	int rc;

	if (config_there(path)) {
		out->conf_path = config_there(path);
		out->conf_ignored = f->has_conf;
		return 0;
	}
	if (!f->has_endpoint)
		return diag_set(d, ERR_CONFIG,
				"the file has no endpoint: under [gateway] it needs the line "
				"\"endpoint = …\", where phones find this gateway");
	out->conf_path = path ? path : config_place();
	rc = newconf_choose_given(&c, d);
	if (!rc)
		rc = newconf_write(out->conf_path, &c, d);
	out->conf_written = !rc;
	return rc;
}

/* ---- printgated -------------------------------------------------------------------------------- */

static int take_gateway(void *ctx, uint16_t type, const union control_any *item, struct diag *d)
{
	struct provision_result *r = ctx;

	(void)d;
	if (type == CTL_GATEWAY)
		r->gateway = item->gateway;
	return 0;
}

int provision_start(struct cli *cli, struct provision_result *r, struct diag *d)
{
	char systemctl[] = "/bin/systemctl", start[] = "start", unit[] = "printgate.service";
	char *argv[] = {systemctl, start, unit, NULL};
	char said[SAID_BYTES];
	int rc = client_ask(cli, CTL_STATUS, NULL, take_gateway, r, d);

	if (rc != ERR_UNREACHABLE)
		return rc;
	if (strcmp(cli->socket, CLI_SOCKET) != 0 || !program_has_systemd())
		return diag_set(
			d, rc,
			"printgated is not running: start it with the configuration %s, then "
			"run this again",
			r->conf_path);
	rc = program_run(argv, said, sizeof(said), d);
	if (rc < 0)
		return rc;
	said[strcspn(said, "\n")] = '\0';
	if (rc)
		return diag_set(d, ERR_UNREACHABLE, "printgate.service does not start: %.300s",
				said);
	return client_ask(cli, CTL_STATUS, NULL, take_gateway, r, d);
}

/* ---- the rest ---------------------------------------------------------------------------------- */

static int take_item(void *ctx, uint16_t type, const union control_any *item, struct diag *d)
{
	struct provision_result *r = ctx;

	(void)d;
	if (type == CTL_PROVISION_BEGUN)
		r->applied = !item->provision_begun.applied;
	else if (type == CTL_PRINTER)
		printer_list_add(&r->printers, &item->printer);
	else if (type == CTL_PEER && r->peers < PROVISION_ITEMS_MAX)
		r->peer[r->peers++] = item->peer.name;
	return 0;
}

static int at_line(unsigned line, int rc, struct diag *d)
{
	const struct diag why = *d;

	return diag_set(d, (enum err)rc, "line %u: %.340s", line, why.text);
}

static int tell(struct cli *cli, const struct provision_file *f, struct provision_result *out,
		struct diag *d)
{
	int rc = 0;

	for (unsigned i = 0; i < f->printers; i++) {
		rc = client_ask(cli, CTL_PROVISION_PRINTER, &f->printer[i].msg, take_item, out, d);
		if (rc)
			return at_line(f->printer[i].line, rc, d);
	}
	for (unsigned i = 0; i < f->peers; i++) {
		rc = client_ask(cli, CTL_PROVISION_PEER, &f->peer[i].msg, take_item, out, d);
		if (rc)
			return at_line(f->peer[i].line, rc, d);
	}
	return 0;
}

static bool is_of(const char *text, const char *kind, const struct name *name, size_t *n)
{
	char head[NAME_BYTES + 32];

	*n = (size_t)snprintf(head, sizeof(head), "[%s %s]: ", kind, name->s);
	return !strncmp(text, head, *n);
}

/* Core says of which section it speaks; the file's owner knows it by its line. */
static int find_line(const struct provision_file *f, int rc, struct diag *d)
{
	const struct diag why = *d;
	unsigned line = 0;
	size_t n = 0;

	for (unsigned i = 0; i < f->printers && !line; i++)
		if (is_of(why.text, "printer", &f->printer[i].msg.name, &n))
			line = f->printer[i].line;
	for (unsigned i = 0; i < f->peers && !line; i++)
		if (is_of(why.text, "enroll", &f->peer[i].msg.enroll.name, &n))
			line = f->peer[i].line;
	if (!line)
		return rc;
	return diag_set(d, (enum err)rc, "line %u: %.340s", line, why.text + n);
}

int provision_apply(struct cli *cli, const struct provision_file *f, struct provision_result *out,
		    struct diag *d)
{
	int rc = client_ask(cli, CTL_PROVISION_BEGIN, &f->head, take_item, out, d);

	if (!rc && out->applied)
		rc = tell(cli, f, out, d);
	if (!rc && out->applied) {
		rc = client_ask(cli, CTL_PROVISION_COMMIT, NULL, take_item, out, d);
		if (rc)
			rc = find_line(f, rc, d);
	}
	return rc;
}

struct recall {
	const struct provision_file *file;
	struct provision_result *out;
};

static bool has_peer(const struct provision_result *r, const struct name *name)
{
	for (unsigned i = 0; i < r->peers; i++)
		if (!strcmp(r->peer[i].s, name->s))
			return true;
	return false;
}

/* Each once, whatever core says: of what the file names there is room for as much. */
static int take_known(void *ctx, uint16_t type, const union control_any *item, struct diag *d)
{
	struct recall *r = ctx;
	struct provision_result *out = r->out;

	(void)d;
	for (unsigned i = 0; type == CTL_PRINTER && i < r->file->printers; i++)
		if (!strcmp(r->file->printer[i].msg.name.s, item->printer.name.s) &&
		    !printer_list_find(&out->printers, &item->printer.name))
			printer_list_add(&out->printers, &item->printer);
	for (unsigned i = 0; type == CTL_PEER && i < r->file->peers; i++)
		if (!strcmp(r->file->peer[i].msg.enroll.name.s, item->peer.name.s) &&
		    !has_peer(out, &item->peer.name) && out->peers < PROVISION_ITEMS_MAX)
			out->peer[out->peers++] = item->peer.name;
	return 0;
}

int provision_recall(struct cli *cli, const struct provision_file *f, struct provision_result *out,
		     struct diag *d)
{
	struct recall r = {f, out};
	int rc = client_ask(cli, CTL_PRINTERS, NULL, take_known, &r, d);

	return rc ? rc : client_ask(cli, CTL_PEERS, NULL, take_known, &r, d);
}

int provision_await_clock(struct diag *d)
{
	auto_close int set = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	const struct itimerspec late = {.it_value.tv_sec = INT32_MAX};
	struct pollfd p = {.fd = set, .events = POLLIN};
	const int64_t ends = mono_boot_ms() + CLOCK_SECONDS * 1000;
	uint64_t ignored;

	/* It is there to be cancelled: timerfd_create(2), TFD_TIMER_CANCEL_ON_SET. */
	if (set < 0 ||
	    timerfd_settime(set, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &late, NULL))
		return diag_errno(d, "cannot wait for the clock to be set");
	do {
		if (synchronised())
			return 0;
		if (poll(&p, 1, CLOCK_PERIOD * 1000) > 0)
			(void)!read(set, &ignored, sizeof(ignored));
	} while (mono_boot_ms() < ends);
	return diag_set(d, ERR_BAD_TIME,
			"the file says when access ends, and this machine's clock has not been set "
			"from the network: nothing was applied, and it is tried again at the next "
			"start");
}

void provision_result_free(struct provision_result *r)
{
	printer_list_free(&r->printers);
}
