/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration in a provisioning file: printgated itself is asked whether it is good, so nothing
 * is parsed in two ways.
 */
#include "cli/provision.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/program.h"
#include "common/cleanup.h"

#define SENTENCE_BYTES 2048

/* printgated says "…PATH:LINE: what is wrong": the file of ours is nobody's business. */
static int translate(const char *path, char *said, struct diag *d)
{
	char *at = strstr(said, path), *end;
	unsigned long line;

	said[strcspn(said, "\n")] = '\0';
	if (!at)
		return diag_set(d, ERR_CONFIG, "printgated: %.300s", said);
	at += strlen(path);
	at += *at == ':';
	line = strtoul(at, &end, 10);
	if (line && *end == ':')
		return diag_set(d, ERR_CONFIG, "line %lu: %.320s", line, end + 1 + (end[1] == ' '));
	return diag_set(d, ERR_CONFIG, "%.320s", at + strspn(at, " :"));
}

int provision_conf_check(const struct provision_file *p, struct diag *d)
{
	char gated[PATH_MAX], path[32], said[SENTENCE_BYTES];
	char config[] = "--config", check[] = "--check";
	char *argv[] = {gated, config, path, check, NULL};
	/* One is chosen later, if none is given; printgated wants to see one. */
	const char *tunnel = p->has_tunnel ? "" : "[gateway]\ntunnel = 10.0.0.0/20\n";
	auto_close int fd = memfd_create("printgate.conf", 0); /* it is handed on */
	int rc;

	if (!p->has_conf)
		return 0;
	if (fd < 0 || fchmod(fd, 0600) || dprintf(fd, "%s%s", p->conf, tunnel) < 0)
		return diag_errno(d, "cannot hand the configuration to printgated");
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	program_gated(gated, sizeof(gated));
	rc = program_run(argv, said, sizeof(said), d);
	if (rc <= 0)
		return rc;
	return translate(path, said, d);
}
