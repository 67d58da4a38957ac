/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What editors, word processors and messengers do to plain text, undone. No system call.
 */
#include "cli/provision_text.h"

#include <string.h>

#include "common/cleanup.h"

#define NO_BREAK_SPACE "\xc2\xa0" /* U+00A0 */

/* Opening and closing, of the languages that have others than English. */
static const char *const quotes[][2] = {
	{"\"", "\""},
	{"'", "'"},
	{"\xe2\x80\x9c", "\xe2\x80\x9d"},
	{"\xe2\x80\x9e", "\xe2\x80\x9c"},
	{"\xe2\x80\x9d", "\xe2\x80\x9d"},
	{"\xe2\x80\x98", "\xe2\x80\x99"},
	{"\xe2\x80\x9a", "\xe2\x80\x98"},
	{"\xc2\xab", "\xc2\xbb"},
	{"\xc2\xbb", "\xc2\xab"},
};

void provision_text_trim(char *s)
{
	size_t n = strlen(s), skip;

	while (n && strchr(" \t\r\n", s[n - 1]))
		s[--n] = '\0';
	skip = strspn(s, " \t");
	memmove(s, s + skip, n - skip + 1);
}

void provision_text_blanks(char *s)
{
	char *at;

	while ((at = strstr(s, NO_BREAK_SPACE)) != NULL) {
		*at = ' ';
		memmove(at + 1, at + 2, strlen(at + 2) + 1);
	}
}

void provision_text_unquote(char *s)
{
	const size_t n = strlen(s);

	for (size_t i = 0; i < ARRAY_LEN(quotes); i++) {
		const size_t a = strlen(quotes[i][0]), b = strlen(quotes[i][1]);

		if (n < a + b || strncmp(s, quotes[i][0], a) != 0 ||
		    strcmp(s + n - b, quotes[i][1]) != 0)
			continue;
		s[n - b] = '\0';
		memmove(s, s + a, n - a - b + 1);
		provision_text_trim(s);
		return;
	}
}
