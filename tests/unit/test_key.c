/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys are read strictly, made as WireGuard makes them, and useless ones are known.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "common/key.h"

/* RFC 7748, section 6.1: Alice's keys. */
static const struct wg_secret alice_secret = {{0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d,
					       0x3c, 0x16, 0xc1, 0x72, 0x51, 0xb2, 0x66, 0x45,
					       0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0, 0x99, 0x2a,
					       0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a}};
static const struct wg_key alice_public = {{0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54,
					    0x74, 0x8b, 0x7d, 0xdc, 0xb4, 0x3e, 0xf7, 0x5a,
					    0x0d, 0xbf, 0x3a, 0x0d, 0x26, 0x38, 0x1a, 0xf4,
					    0xeb, 0xa4, 0xa9, 0x8e, 0xaa, 0x9b, 0x4e, 0x6a}};

static void the_public_key_is_that_of_rfc_7748(void **state)
{
	struct wg_key key;

	(void)state;
	secret_public(&key, &alice_secret);
	assert_true(key_equal(&key, &alice_public));
}

static void keys_survive_text(void **state)
{
	char text[WG_KEY_TEXT_BYTES];
	struct wg_secret secret;
	struct wg_key key;

	(void)state;
	key_format(text, &alice_public);
	assert_string_equal(text, "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=");
	assert_int_equal(key_parse(&key, text), 0);
	assert_true(key_equal(&key, &alice_public));
	secret_format(text, &alice_secret);
	assert_int_equal(secret_parse(&secret, text), 0);
	assert_true(secret_equal(&secret, &alice_secret));
}

static void anything_but_44_strict_characters_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo", /* no padding */
		"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo==",
		"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmp=", /* stray bits */
		"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTm==", /* 31 bytes */
		"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmoA", /* 33 bytes */
		" SDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=",
		"hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo=", /* the other alphabet */
		"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=\n",
		"hSDwC\xa7kwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=", /* libsodium takes it */
		"8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
	};
	struct wg_secret secret = alice_secret;
	struct wg_key key = alice_public;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(key_parse(&key, bad[i]), ERR_BAD_KEY);
		assert_int_equal(secret_parse(&secret, bad[i]), ERR_BAD_KEY);
	}
	assert_true(key_equal(&key, &alice_public));
	assert_true(secret_equal(&secret, &alice_secret));
}

static void low_order_points_are_known(void **state)
{
	/* 0, 1, p-1, p, p+1 and the two points of order 8, little-endian. */
	static const uint8_t points[][WG_KEY_BYTES] = {
		{0},
		{1},
		{0xec, [1 ... 30] = 0xff, 0x7f},
		{0xed, [1 ... 30] = 0xff, 0x7f},
		{0xee, [1 ... 30] = 0xff, 0x7f},
		{0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
		 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
		 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
		{0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
		 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
		 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
	};
	struct wg_key key;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(points); i++) {
		memcpy(key.b, points[i], sizeof(key.b));
		assert_true(key_is_low_order(&key));
		key.b[31] |= 0x80; /* X25519 ignores this bit: the same point */
		assert_true(key_is_low_order(&key));
	}
	assert_false(key_is_low_order(&alice_public));
}

static void generated_secrets_are_clamped_and_differ(void **state)
{
	struct wg_secret a, b;
	struct wg_key key;

	(void)state;
	for (int i = 0; i < 64; i++) {
		secret_generate(&a);
		secret_generate(&b);
		assert_int_equal(a.b[0] & 7, 0);
		assert_int_equal(a.b[31] & 0xc0, 0x40);
		assert_false(secret_equal(&a, &b));
		secret_public(&key, &a);
		assert_false(key_is_low_order(&key));
	}
}

static void random_secrets_are_not_clamped(void **state)
{
	struct wg_secret s;
	uint8_t low = 0, high = 0;

	(void)state;
	for (int i = 0; i < 64; i++) {
		secret_random(&s);
		low |= s.b[0] & 7;
		high |= s.b[31] & 0x80;
	}
	assert_int_equal(low, 7);
	assert_int_equal(high, 0x80);
}

static void wiped_secrets_are_zero(void **state)
{
	struct wg_secret s = alice_secret;

	(void)state;
	assert_false(secret_is_zero(&s));
	key_wipe(&s, sizeof(s));
	assert_true(secret_is_zero(&s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_public_key_is_that_of_rfc_7748),
		cmocka_unit_test(keys_survive_text),
		cmocka_unit_test(anything_but_44_strict_characters_is_refused),
		cmocka_unit_test(low_order_points_are_known),
		cmocka_unit_test(generated_secrets_are_clamped_and_differ),
		cmocka_unit_test(random_secrets_are_not_clamped),
		cmocka_unit_test(wiped_secrets_are_zero),
	};

	return cmocka_run_group_tests_name("key", tests, NULL, NULL);
}
