/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys in texts: see the header.
 */
#include "cli/imagekey.h"

#include <ctype.h>
#include <string.h>

#include "common/cleanup.h"

#define KEY_BYTES 44 /* of 32 bytes in base64 */

static size_t base64_length(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) || (s[n] && strchr("+/", s[n])))
		n++;
	return n;
}

static bool is_key(const char *s)
{
	return base64_length(s) == KEY_BYTES - 1 && s[KEY_BYTES - 1] == '=' && s[KEY_BYTES] != '=';
}

/* What stands after a name: not if it is empty, or says where the key is instead. */
static bool sets_secret(const char *after)
{
	after += strspn(after, " \t");
	if (*after != '=')
		return false;
	after++;
	after += strspn(after, " \t");
	return *after && !strchr("\r\n/@", *after) && strncmp(after, "file:", 5) != 0;
}

static bool has_secret_line(const char *text)
{
	static const char *const words[] = {"PrivateKey", "PresharedKey", "private-key",
					    "preshared-key"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		for (const char *at = text; (at = strcasestr(at, words[i])) != NULL; at++)
			if (sets_secret(at + strlen(words[i])))
				return true;
	return false;
}

bool imagekey_is_in(const char *name, const char *text)
{
	static const char blanks[] = " \t\r\n";
	const char *at = text + strspn(text, blanks);

	if (has_secret_line(text))
		return true;
	return is_key(at) && !at[KEY_BYTES + strspn(at + KEY_BYTES, blanks)] &&
	       !strcasestr(name, "pub");
}

bool imagekey_is_in_ours(const char *text)
{
	static const char store[] = "SQLite format 3";
	const char *at = strstr(text, "-----BEGIN ");

	if (!strncmp(text, store, strlen(store)))
		return true;
	for (; at; at = strstr(at + 1, "-----BEGIN ")) {
		const char *end = strstr(at, "PRIVATE KEY-----");

		if (end && !memchr(at, '\n', (size_t)(end - at)))
			return true;
	}
	for (at = text; *at; at++) {
		if (is_key(at))
			return true;
		at += base64_length(at);
		if (!*at)
			break;
	}
	return false;
}
