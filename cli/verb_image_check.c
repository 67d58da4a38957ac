/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate image-check: refuses an image that would make many machines one. Keys and state are made
 * on each machine at its first boot; what is in the image, every copy has.
 */
#include "cli/verbs.h"

#include <ctype.h>
#include <string.h>

#include "cli/checks.h"
#include "cli/image.h"
#include "cli/place.h"
#include "common/cleanup.h"

#define STATE  "var/lib/printgate"
#define CONFIG "etc/printgate/printgate.conf"

enum { OPT_SKIP };

/* One check under way. */
struct look {
	int root;
	const char *name, *folder; /* the root's, as it was given; the folder that is listed */
	char text[IMAGE_TEXT_BYTES];
	char hit[384]; /* a path that was found */
	struct control_check check;
};

static void say(struct look *l, const char *name, enum check_result result)
{
	(void)snprintf(l->check.name, sizeof(l->check.name), "%s", name);
	l->check.result = (uint8_t)result;
	l->check.fix[0] = '\0';
}

#define message(l, ...) (void)snprintf((l)->check.message, sizeof((l)->check.message), __VA_ARGS__)
#define fix(l, ...)	(void)snprintf((l)->check.fix, sizeof((l)->check.fix), __VA_ARGS__)

/* ---- installed --------------------------------------------------------------------------------- */

static void check_installed(struct look *l)
{
	const bool there = image_has(l->root, "usr/sbin/printgated");
	const bool on =
		image_has(l->root, "etc/systemd/system/multi-user.target.wants/printgate.service");

	say(l, "installed", !there ? CHECK_FAIL : on ? CHECK_OK : CHECK_WARN);
	if (!there)
		message(l, "printgate is not in this image");
	else if (on)
		message(l, "printgate is there, and starts with the machine");
	else
		message(l, "printgate.service does not start with the machine");
	if (there && !on)
		fix(l, "systemctl --root=%s enable printgate printgate-firstboot", l->name);
}

/* ---- state ------------------------------------------------------------------------------------- */

/* The value of "state =" in the configuration, below the root, into out; or where it is otherwise. */
static void state_folder(struct look *l, char out[256])
{
	char *line, *rest = l->text;

	(void)snprintf(out, 256, "%s", STATE);
	if (!image_text(l->root, CONFIG, l->text))
		return;
	while ((line = strsep(&rest, "\n")) != NULL) {
		char path[200];

		if (sscanf(line, " state = /%199s", path) == 1)
			(void)snprintf(out, 256, "%s", path);
	}
}

static bool any_name(void *arg, const char *name)
{
	struct look *l = arg;

	(void)snprintf(l->hit, sizeof(l->hit), "%s/%s", l->folder, name);
	return true;
}

static void check_state(struct look *l)
{
	char folder[256];

	state_folder(l, folder);
	l->folder = folder;
	if (!image_each(l->root, folder, any_name, l)) {
		say(l, "state", CHECK_OK);
		message(l, "there is no key and no store: each machine makes its own");
		return;
	}
	say(l, "state", CHECK_FAIL);
	message(l,
		"%s is in the image: every machine made of it would have the same keys and phones, "
		"and an update of the image would put them over a machine's own",
		l->hit);
	fix(l, "rm -r %s/%s", l->name, folder);
}

/* ---- WireGuard's keys -------------------------------------------------------------------------- */

/* A line "WORD =" of wg-quick, systemd-networkd or NetworkManager, with something after it. */
static bool has_key(const char *text)
{
	static const char *const words[] = {"PrivateKey", "PresharedKey", "private-key",
					    "preshared-key"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		for (const char *at = text; (at = strcasestr(at, words[i])) != NULL; at++) {
			const char *after = at + strlen(words[i]);

			after += strspn(after, " \t");
			if (*after == '=' && after[1 + strspn(after + 1, " \t")] > ' ')
				return true;
		}
	return false;
}

/* 44 characters of base64 that end with '=', which is how WireGuard writes its keys. */
static bool has_base64(const char *text)
{
	for (; *text; text++) {
		size_t n = 0;

		while (isalnum((unsigned char)text[n]) || text[n] == '+' || text[n] == '/')
			n++;
		if (n == 43 && text[n] == '=')
			return true;
		text += n;
		if (!*text)
			break;
	}
	return false;
}

static bool holds_key(void *arg, const char *name)
{
	struct look *l = arg;
	const bool ours = !strcmp(l->folder, "etc/printgate");

	(void)snprintf(l->hit, sizeof(l->hit), "%s/%s", l->folder, name);
	return image_text(l->root, l->hit, l->text) &&
	       (has_key(l->text) || (ours && has_base64(l->text)));
}

static void check_keys(struct look *l)
{
	static const char *const folders[] = {"etc/printgate", "etc/wireguard",
					      "etc/NetworkManager/system-connections",
					      "etc/systemd/network"};

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		l->folder = folders[i];
		if (!image_each(l->root, folders[i], holds_key, l))
			continue;
		say(l, "keys", CHECK_FAIL);
		message(l, "%s holds a WireGuard key: whoever has the image has it", l->hit);
		fix(l, "rm %s/%s", l->name, l->hit);
		return;
	}
	say(l, "keys", CHECK_OK);
	message(l, "no WireGuard key is in its configuration");
}

/* ---- the boot partition ------------------------------------------------------------------------ */

static bool left_over(void *arg, const char *name)
{
	struct look *l = arg;
	const size_t n = strlen(name);
	const bool picture = !strncmp(name, PLACE_PICTURE, strlen(PLACE_PICTURE)) && n > 4 &&
			     !strcmp(name + n - 4, ".png");

	(void)snprintf(l->hit, sizeof(l->hit), "%s/%s", l->folder, name);
	return picture || !strcmp(name, PLACE_APPLIED) || !strcmp(name, PLACE_ERROR);
}

static bool has_code(void *arg, const char *name)
{
	struct look *l = arg;
	const char *at = l->text;

	if (strcmp(name, "printgate.conf") != 0 && strcmp(name, "printgate.conf.txt") != 0)
		return false;
	(void)snprintf(l->hit, sizeof(l->hit), "%s/%s", l->folder, name);
	if (!image_text(l->root, l->hit, l->text))
		return false;
	for (; at; at = strchr(at, '\n')) {
		at += strspn(at, " \t\r\n");
		if (!strncmp(at, "code", 4) && at[4 + strspn(at + 4, " \t")] == '=')
			return true;
	}
	return false;
}

static void check_boot(struct look *l)
{
	static const char *const folders[] = {"boot/firmware", "boot"};

	say(l, "boot", CHECK_OK);
	message(l, "nothing of an earlier start lies on the boot partition");
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		l->folder = folders[i];
		if (image_each(l->root, folders[i], has_code, l)) {
			say(l, "boot", CHECK_WARN);
			message(l, "%s has a code, which is of one machine", l->hit);
		}
		if (!image_each(l->root, folders[i], left_over, l))
			continue;
		say(l, "boot", CHECK_FAIL);
		message(l, "%s is of a machine that was started already", l->hit);
		fix(l, "rm %s/%s", l->name, l->hit);
		return;
	}
}

/* ---- the rest of the machine ------------------------------------------------------------------- */

static void check_machine_id(struct look *l)
{
	const bool there = image_text(l->root, "etc/machine-id", l->text);

	l->text[there ? strcspn(l->text, " \r\n") : 0] = '\0';
	if (!l->text[0] || !strcmp(l->text, "uninitialized")) {
		say(l, "machine-id", CHECK_OK);
		message(l, "each machine gets an identity of its own");
		return;
	}
	say(l, "machine-id", CHECK_FAIL);
	message(l, "etc/machine-id is a machine's identity: every copy would have it, and their "
		   "network would take them for one");
	fix(l, "truncate -s 0 %s/etc/machine-id", l->name);
}

static bool host_key(void *arg, const char *name)
{
	struct look *l = arg;
	const size_t n = strlen(name);

	(void)snprintf(l->hit, sizeof(l->hit), "%s/%s", l->folder, name);
	return !strncmp(name, "ssh_host_", 9) && n > 4 && !strcmp(name + n - 4, "_key");
}

static void check_ssh(struct look *l)
{
	l->folder = "etc/ssh";
	if (!image_each(l->root, l->folder, host_key, l)) {
		say(l, "ssh", CHECK_OK);
		message(l, "no SSH host key is in the image");
		return;
	}
	say(l, "ssh", CHECK_WARN);
	message(l, "%s: whoever has the image can pretend to be any machine made of it", l->hit);
	fix(l, "rm %s/etc/ssh/ssh_host_*", l->name);
}

static const struct step {
	const char *name;
	void (*check)(struct look *l);
} steps[] = {
	{"installed", check_installed}, {"state", check_state},		  {"keys", check_keys},
	{"boot", check_boot},		{"machine-id", check_machine_id}, {"ssh", check_ssh},
};

static bool is_skipped(const struct args *args, const struct step *s)
{
	for (unsigned i = 0; i < args->count; i++)
		if (args->given[i].option == OPT_SKIP && !strcmp(args->given[i].value, s->name))
			return true;
	return false;
}

static int run(struct cli *cli, const struct args *args, struct diag *d)
{
	static struct look l;
	struct checks k = {.cli = cli};
	auto_close int root = image_open(args->words[0], d);
	int rc = root < 0 ? root : 0;

	l.root = root;
	l.name = args->words[0];
	if (!rc)
		checks_begin(&k);
	for (size_t i = 0; !rc && i < ARRAY_LEN(steps); i++) {
		if (is_skipped(args, &steps[i]))
			continue;
		steps[i].check(&l);
		rc = checks_put(&k, &l.check, d);
	}
	if (!rc)
		checks_end(&k);
	key_wipe(l.text, sizeof(l.text));
	return rc;
}

static const struct verb_option options[] = {
	[OPT_SKIP] = {"skip", "CHECK", "leave this one out (repeat for more)", true},
};

const struct verb verb_image_check = {
	.name = "image-check",
	.args = "ROOT",
	.help = "refuse an image that holds keys or state",
	.words_min = 1,
	.words_max = 1,
	.options = options,
	.option_count = 1,
	.run = run,
};
