/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate image-check: refuses an image that would make many machines one. Keys and state are made
 * on each machine at its first boot; what is in the image, every copy has.
 */
#include "cli/verbs.h"

#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include <ini.h>

#include "cli/checks.h"
#include "cli/image.h"
#include "cli/imagekey.h"
#include "cli/place.h"
#include "cli/text.h"
#include "common/cleanup.h"
#include "common/inivalue.h"

#define STATE	  "var/lib/printgate"
#define CONFIG	  "etc/printgate/printgate.conf"
#define OURS	  "etc/printgate"
#define HIT_BYTES 384
#define DEPTH	  4 /* folders in folders that are looked into */

enum { OPT_SKIP };

/* One check under way. */
struct look {
	int root;
	const char *name, *folder; /* the root's, as it was given; the folder that is listed */
	unsigned depth;
	char text[IMAGE_TEXT_BYTES];
	char hit[HIT_BYTES]; /* a path that was found */
	bool unknown;	     /* it could not be looked at */
	struct control_check check;
};

static void __attribute__((format(printf, 4, 5)))
say(struct look *l, const char *name, enum check_result result, const char *fmt, ...)
{
	va_list ap;

	(void)snprintf(l->check.name, sizeof(l->check.name), "%s", name);
	l->check.result = (uint8_t)result;
	va_start(ap, fmt);
	(void)vsnprintf(l->check.message, sizeof(l->check.message), fmt, ap);
	va_end(ap);
}

/* A command about a path of the image, which somebody will copy to a shell of the machine that builds
 * it: none if a link or `..` could lead it out of the image, or if a shell would not read the name as
 * it is, or if it would be cut off. `after` is not quoted. */
static void fix(struct look *l, const char *command, const char *path, const char *after)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789_./-";
	char whole[PATH_MAX], clean[PATH_MAX];
	const size_t size = sizeof(l->check.fix);
	size_t n = strlen(l->name);
	const char *quote;

	while (n && l->name[n - 1] == '/')
		n--;
	if (snprintf(whole, sizeof(whole), "%.*s/%s", (int)n, l->name, path) >= (int)sizeof(whole))
		return;
	text_clean(clean, sizeof(clean), whole);
	if (strcmp(clean, whole) != 0 || strpbrk(whole, "'\n") || *whole == '-' ||
	    !image_is_plain(l->root, *path ? path : "."))
		return;
	quote = whole[strspn(whole, safe)] ? "'" : "";
	if (snprintf(l->check.fix, size, "%s %s%s%s%s", command, quote, whole, quote, after) >=
	    (int)size)
		l->check.fix[0] = '\0';
}

/* Refused: what cannot be looked at may hold anything. */
static void say_unknown(struct look *l, const char *name, const char *path)
{
	say(l, name, CHECK_FAIL,
	    "%s cannot be looked at: run this as root; and a file there of more than 64 KiB is not "
	    "looked through, so it does not belong into an image",
	    path);
}

/* False if the name is too long to be told, which is refused as well. */
static bool set_hit(struct look *l, const char *name)
{
	const int n = snprintf(l->hit, sizeof(l->hit), "%s/%s", l->folder, name);

	l->unknown = n >= (int)sizeof(l->hit);
	return !l->unknown;
}

/* ---- installed --------------------------------------------------------------------------------- */

static void check_installed(struct look *l)
{
	const bool there = image_has(l->root, "usr/sbin/printgated");
	const bool on = image_has(l->root,
				  "etc/systemd/system/multi-user.target.wants/printgate.service") &&
			image_has(l->root,
				  "etc/systemd/system/sockets.target.wants/printgate-clock.socket");

	if (!there) {
		say(l, "installed", CHECK_FAIL, "printgate is not in this image");
	} else if (on) {
		say(l, "installed", CHECK_OK, "printgate is there, and starts with the machine");
	} else {
		say(l, "installed", CHECK_WARN,
		    "printgate.service or printgate-clock.socket does not start with the machine");
		fix(l,
		    "systemctl enable printgate printgate-firstboot printgate-clock.socket --root",
		    "", "");
	}
}

/* ---- state ------------------------------------------------------------------------------------- */

static int on_value(void *arg, const char *section, const char *name, const char *value)
{
	char *out = arg, text[PATH_MAX];

	if (strcmp(section, "paths") != 0 || strcmp(name, "state") != 0)
		return 1;
	(void)snprintf(text, sizeof(text), "%s", value);
	inivalue_strip(text);
	(void)snprintf(out, HIT_BYTES, "%s", text + strspn(text, "/"));
	return 1;
}

static bool any_name(void *arg, const char *name)
{
	struct look *l = arg;

	(void)set_hit(l, name);
	return true;
}

/* True if it is empty, or not there. */
static bool is_empty(struct look *l, const char *folder)
{
	int rc;

	l->folder = folder;
	rc = *folder ? image_each(l->root, folder, any_name, l) : 0;
	if (rc < 0)
		say_unknown(l, "state", folder);
	if (rc <= 0)
		return rc == 0;
	say(l, "state", CHECK_FAIL,
	    "%s is in the image: every machine made of it would have the same keys and phones, and "
	    "an update of the image would put them over a machine's own",
	    l->hit);
	fix(l, "rm -r", folder, "");
	return false;
}

/* Where the configuration has it, and where it is without one. */
static void check_state(struct look *l)
{
	char folder[HIT_BYTES] = "";

	if (image_text(l->root, CONFIG, l->text) == IMAGE_UNKNOWN) {
		say_unknown(l, "state", CONFIG);
		return;
	}
	(void)ini_parse_string(l->text, on_value, folder);
	if (is_empty(l, folder) && is_empty(l, STATE))
		say(l, "state", CHECK_OK,
		    "there is no key and no store: each machine makes its own");
}

/* ---- keys -------------------------------------------------------------------------------------- */

static bool holds_key(void *arg, const char *name);

/* True if it is not to be gone on; then `hit` tells where that was. */
static bool holds_keys(struct look *l, const char *path)
{
	const char *before = l->folder;
	int rc = -1;

	l->folder = path;
	l->depth++;
	if (l->depth <= DEPTH)
		rc = image_each(l->root, path, holds_key, l);
	l->depth--;
	l->folder = before;
	if (rc < 0) {
		(void)snprintf(l->hit, sizeof(l->hit), "%s", path);
		l->unknown = true;
	}
	return rc != 0;
}

static bool holds_key(void *arg, const char *name)
{
	struct look *l = arg;
	char path[HIT_BYTES];

	if (!set_hit(l, name))
		return true;
	memcpy(path, l->hit, sizeof(path));
	switch (image_text(l->root, path, l->text)) {
	case IMAGE_FILE:
		return imagekey_is_in(name, l->text) ||
		       (!strncmp(path, OURS "/", strlen(OURS "/")) && imagekey_is_in_ours(l->text));
	case IMAGE_FOLDER:
		return holds_keys(l, path);
	case IMAGE_UNKNOWN:
		l->unknown = true;
		return true;
	case IMAGE_NONE:
		break;
	}
	return false;
}

static void check_keys(struct look *l)
{
	static const char *const folders[] = {OURS, "etc/wireguard",
					      "etc/NetworkManager/system-connections",
					      "etc/systemd/network"};

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		if (!holds_keys(l, folders[i]))
			continue;
		if (l->unknown) {
			say_unknown(l, "keys", l->hit);
			return;
		}
		say(l, "keys", CHECK_FAIL, "%s holds a key: whoever has the image has it", l->hit);
		fix(l, "rm", l->hit, "");
		return;
	}
	say(l, "keys", CHECK_OK, "no key is in its configuration");
}

/* ---- the boot partition ------------------------------------------------------------------------ */

/* FAT does not tell capitals from small letters. */
static bool left_over(void *arg, const char *name)
{
	struct look *l = arg;
	const size_t n = strlen(name);
	const bool picture = !strncasecmp(name, PLACE_PICTURE, strlen(PLACE_PICTURE)) && n > 4 &&
			     !strcasecmp(name + n - 4, ".png");

	if (!picture && strcasecmp(name, PLACE_APPLIED) != 0 &&
	    strcasecmp(name, PLACE_ERROR) != 0 && strcasecmp(name, PLACE_TEMPORARY) != 0 &&
	    strcasecmp(name, PLACE_OLD) != 0)
		return false;
	(void)set_hit(l, name);
	return true;
}

static bool has_code(void *arg, const char *name)
{
	struct look *l = arg;
	const char *at = l->text;

	if (strcasecmp(name, "printgate.conf") != 0 && strcasecmp(name, "printgate.conf.txt") != 0)
		return false;
	(void)set_hit(l, name);
	if (image_text(l->root, l->hit, l->text) != IMAGE_FILE)
		return false;
	for (; at; at = strchr(at, '\n')) {
		at += strspn(at, " \t\r\n");
		if (!strncmp(at, "code", 4) && at[4] && strchr("=: \t", at[4]))
			return true;
	}
	return false;
}

/* True if it was said what is wrong there. */
static bool check_boot_folder(struct look *l, const char *folder)
{
	int rc;

	l->folder = folder;
	rc = image_each(l->root, folder, left_over, l);
	if (rc < 0) {
		say_unknown(l, "boot", folder);
		return true;
	}
	if (rc > 0) {
		say(l, "boot", CHECK_FAIL, "%s is of a machine that was started already", l->hit);
		fix(l, "rm", l->hit, "");
		return true;
	}
	if (l->check.result == CHECK_OK && image_each(l->root, folder, has_code, l) > 0)
		say(l, "boot", CHECK_WARN,
		    "%s has a code, which is of one machine: the others refuse the file", l->hit);
	return false;
}

static void check_boot(struct look *l)
{
	say(l, "boot", CHECK_OK, "nothing of an earlier start lies on the boot partition");
	if (!check_boot_folder(l, "boot/firmware"))
		(void)check_boot_folder(l, "boot");
}

/* ---- the rest of the machine ------------------------------------------------------------------- */

/* dbus's is most often a link to the first. */
static void check_machine_id(struct look *l)
{
	static const char *const files[] = {"etc/machine-id", "var/lib/dbus/machine-id"};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const enum image_kind kind = image_text(l->root, files[i], l->text);

		l->text[strcspn(l->text, " \r\n")] = '\0';
		if (kind == IMAGE_UNKNOWN) {
			say_unknown(l, "machine-id", files[i]);
			return;
		}
		if (!l->text[0] || !strcmp(l->text, "uninitialized"))
			continue;
		say(l, "machine-id", CHECK_FAIL,
		    "%s is a machine's identity: every copy would have it, and their network would "
		    "take them for one",
		    files[i]);
		fix(l, i ? "rm" : "truncate -s 0", files[i], "");
		return;
	}
	say(l, "machine-id", CHECK_OK, "each machine gets an identity of its own");
}

static bool host_key(void *arg, const char *name)
{
	const size_t n = strlen(name);

	if (strncmp(name, "ssh_host_", 9) != 0 || n < 5 || strcmp(name + n - 4, "_key") != 0)
		return false;
	(void)set_hit(arg, name);
	return true;
}

static void check_ssh(struct look *l)
{
	int rc;

	l->folder = "etc/ssh";
	rc = image_each(l->root, l->folder, host_key, l);
	if (!rc) {
		say(l, "ssh", CHECK_OK, "no SSH host key is in the image");
		return;
	}
	say(l, "ssh", CHECK_WARN,
	    "%s: whoever has the image can pretend to be any machine made of it",
	    rc < 0 ? "etc/ssh cannot be looked at; a host key there" : l->hit);
	if (rc > 0)
		fix(l, "rm", l->folder, "/ssh_host_*");
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
		l.unknown = false;
		l.check.fix[0] = '\0';
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
