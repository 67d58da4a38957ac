/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text of the page's secrets, and what may be its password.
 */
#include "common/web.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "common/cleanup.h"

static const struct web_secret secret = {{0x00, 0x01, 0x09, 0x0a, 0x0f, 0x10, 0x90, 0x99, 0x9a,
					  0xa0, 0xa9, 0xaa, 0xf0, 0xf9, 0xfe, 0xff}};
#define SECRET_TEXT "0001090a0f1090999aa0a9aaf0f9feff"

static void secrets_survive_text(void **state)
{
	char text[WEB_SECRET_TEXT_BYTES];
	struct web_secret back = {{0}};

	(void)state;
	web_secret_format(text, &secret);
	assert_string_equal(text, SECRET_TEXT);
	assert_int_equal(web_secret_parse(&back, text, strlen(text)), 0);
	assert_true(web_secret_equal(&back, &secret));
	for (unsigned i = 0; i < WEB_SECRET_BYTES; i++) {
		back.bytes[i] ^= 0x80;
		assert_false(web_secret_equal(&back, &secret));
		back.bytes[i] ^= 0x80;
	}
}

static void anything_but_32_digits_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"0001090a0f1090999aa0a9aaf0f9fef",
		"0001090a0f1090999aa0a9aaf0f9feff0",
		"0001090A0F1090999AA0A9AAF0F9FEFF",
		"0001090a0f1090999aa0a9aaf0f9fefg",
		" 001090a0f1090999aa0a9aaf0f9feff",
		"0001090a0f1090999aa0a9aaf0f9fe\xc3\xa9",
	};
	struct web_secret out = secret;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(web_secret_parse(&out, bad[i], strlen(bad[i])), ERR_BAD_KEY);
	assert_int_equal(web_secret_parse(&out, SECRET_TEXT "junk", 32), 0);
	assert_true(web_secret_equal(&out, &secret));
	web_secret_wipe(&out);
	assert_false(web_secret_equal(&out, &secret));
}

static void passwords(void **state)
{
	static const struct {
		const char *text;
		const char *word; /* NULL: good */
	} rows[] = {
		{"12345678", NULL},
		{"correct horse battery staple", NULL},
		{"\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f", NULL},
		{"", "short"},
		{"1234567", "short"},
		{"\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f", "short"}, /* 8 bytes, 4 characters */
		{"12345678\n", "control"},
		{"1234\x1b"
		 "5678",
		 "control"},
		{"12345678\xc3", "control"},
	};
	char longest[WEB_PASSWORD_BYTES + 1];
	struct diag d;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const int e = web_password_check(rows[i].text, &d);

		assert_int_equal(e, rows[i].word ? ERR_USAGE : 0);
		if (rows[i].word)
			assert_non_null(strstr(d.text, rows[i].word));
	}
	memset(longest, 'a', sizeof(longest));
	longest[WEB_PASSWORD_BYTES] = '\0';
	assert_int_equal(web_password_check(longest, &d), ERR_USAGE);
	assert_non_null(strstr(d.text, "128 bytes"));
	assert_null(strstr(d.text, "aaa"));
	longest[WEB_PASSWORD_BYTES - 1] = '\0';
	assert_int_equal(web_password_check(longest, &d), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_survive_text),
		cmocka_unit_test(anything_but_32_digits_is_refused),
		cmocka_unit_test(passwords),
	};

	return cmocka_run_group_tests_name("web", tests, NULL, NULL);
}
