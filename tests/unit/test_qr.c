/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QR codes: the matrix has the marks ISO/IEC 18004 asks for, and the terminal form and the PNG show
 * that matrix. (That decoders read them is tested in tests/cli/test_qr.py.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/qr.h"

/* As long as a phone's config is. */
static const char *config(void)
{
	static char text[345];

	memset(text, 'x', sizeof(text) - 1);
	return text;
}

static void test_quiet_zone_is_light(void **state)
{
	auto_qr q = {0};

	(void)state;
	assert_int_equal(qr_make(&q, config(), NULL), 0);
	for (unsigned i = 0; i < q.width; i++) {
		for (unsigned edge = 0; edge < QR_QUIET; edge++) {
			assert_false(qr_dark(&q, i, edge));
			assert_false(qr_dark(&q, i, q.width - 1 - edge));
			assert_false(qr_dark(&q, edge, i));
			assert_false(qr_dark(&q, q.width - 1 - edge, i));
		}
	}
	assert_false(qr_dark(&q, q.width, 0));
	assert_false(qr_dark(&q, 0, q.width));
}

static void assert_finder(const struct qr *q, unsigned left, unsigned top)
{
	for (unsigned y = 0; y < 7; y++) {
		for (unsigned x = 0; x < 7; x++) {
			bool frame = x == 0 || x == 6 || y == 0 || y == 6;
			bool core = x >= 2 && x <= 4 && y >= 2 && y <= 4;

			assert_int_equal(qr_dark(q, left + x, top + y), frame || core);
		}
	}
}

static void test_finders_and_timing(void **state)
{
	auto_qr q = {0};
	unsigned far;

	(void)state;
	assert_int_equal(qr_make(&q, config(), NULL), 0);
	assert_int_equal((q.width - 2 * QR_QUIET - 17) % 4, 0); /* a version's width */
	far = q.width - QR_QUIET - 7;
	assert_finder(&q, QR_QUIET, QR_QUIET);
	assert_finder(&q, far, QR_QUIET);
	assert_finder(&q, QR_QUIET, far);
	for (unsigned i = 8; i < q.width - 2 * QR_QUIET - 8; i++)
		assert_int_equal(qr_dark(&q, QR_QUIET + i, QR_QUIET + 6), i % 2 == 0);
}

/* 344 bytes at level L are a version 12 code: 65 modules. */
static void test_level_and_size(void **state)
{
	auto_qr q = {0};

	(void)state;
	assert_int_equal(qr_make(&q, config(), NULL), 0);
	assert_int_equal(q.width, 65 + 2 * QR_QUIET);
	assert_int_equal(qr_columns(&q), 73);
	assert_int_equal(qr_rows(&q), 37);
	/* The format information begins with the level: L is 01, which its mask turns into 11. */
	assert_int_equal(qr_dark(&q, QR_QUIET, QR_QUIET + 8), 1);
	assert_int_equal(qr_dark(&q, QR_QUIET + 1, QR_QUIET + 8), 1);
}

static void test_too_long_is_refused(void **state)
{
	static char text[4000];
	auto_qr q = {0};
	struct diag d = {0};

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	assert_int_equal(qr_make(&q, text, &d), ERR_LIMIT);
	assert_non_null(strstr(d.text, "too long"));
	assert_null(q.dark);
}

/* One character of the terminal form; returns what follows it. */
static const char *cell(const char *s, bool *upper, bool *lower)
{
	static const struct {
		const char *text;
		bool upper, lower;
	} cells[] = {{" ", 0, 0}, {"▀", 1, 0}, {"▄", 0, 1}, {"█", 1, 1}};

	for (unsigned i = 0; i < 4; i++) {
		if (!strncmp(s, cells[i].text, strlen(cells[i].text))) {
			*upper = cells[i].upper;
			*lower = cells[i].lower;
			return s + strlen(cells[i].text);
		}
	}
	fail_msg("not a half block: %.4s", s);
	return s;
}

static void assert_row(const struct qr *q, unsigned y, const char *line)
{
	const char *s = strrchr(line, 'm'); /* the reset's own */

	assert_memory_equal(line, "\033[", 2);
	assert_string_equal(s - 3, "\033[0m");
	s = line;
	while (*s == '\033')
		s = strchr(s, 'm') + 1;
	for (unsigned x = 0; x < q->width; x++) {
		bool upper, lower;

		s = cell(s, &upper, &lower);
		assert_int_equal(upper, qr_dark(q, x, y));
		assert_int_equal(lower, qr_dark(q, x, y + 1));
	}
	assert_string_equal(s, "\033[0m");
}

static void test_terminal_form_is_the_matrix(void **state)
{
	auto_qr q = {0};
	char *text = NULL, *rest = NULL, *line;
	unsigned rows = 0;
	size_t n;
	FILE *out;

	(void)state;
	assert_int_equal(qr_make(&q, config(), NULL), 0);
	out = open_memstream(&text, &n);
	assert_non_null(out);
	qr_draw(&q, out);
	assert_int_equal(fclose(out), 0);
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		assert_row(&q, 2 * rows++, line);
	assert_int_equal(rows, qr_rows(&q));
	free(text);
}

static void test_png_is_the_matrix(void **state)
{
	png_image image = {.version = PNG_IMAGE_VERSION};
	auto_qr q = {0};
	FILE *f = tmpfile();
	png_bytep pixels;

	(void)state;
	assert_non_null(f);
	assert_int_equal(qr_make(&q, config(), NULL), 0);
	assert_int_equal(qr_png(&q, f, NULL), 0);
	rewind(f);
	assert_true(png_image_begin_read_from_stdio(&image, f));
	assert_int_equal(image.width, q.width * QR_PNG_PIXELS);
	assert_int_equal(image.height, image.width);
	image.format = PNG_FORMAT_GRAY;
	pixels = malloc((size_t)image.width * image.height);
	assert_non_null(pixels);
	assert_true(png_image_finish_read(&image, NULL, pixels, 0, NULL));
	for (unsigned y = 0; y < image.height; y++) {
		for (unsigned x = 0; x < image.width; x++)
			assert_int_equal(pixels[y * image.width + x],
					 qr_dark(&q, x / QR_PNG_PIXELS, y / QR_PNG_PIXELS) ? 0
											   : 255);
	}
	free(pixels);
	(void)fclose(f);
}

static void test_png_tells_of_a_full_disk(void **state)
{
	auto_qr q = {0};
	struct diag d = {0};
	FILE *f = fopen("/dev/full", "we");

	(void)state;
	assert_non_null(f);
	assert_int_equal(setvbuf(f, NULL, _IONBF, 0), 0);
	assert_int_equal(qr_make(&q, config(), NULL), 0);
	assert_int_equal(qr_png(&q, f, &d), ERR_SYSTEM);
	(void)fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quiet_zone_is_light),
		cmocka_unit_test(test_finders_and_timing),
		cmocka_unit_test(test_level_and_size),
		cmocka_unit_test(test_too_long_is_refused),
		cmocka_unit_test(test_terminal_form_is_the_matrix),
		cmocka_unit_test(test_png_is_the_matrix),
		cmocka_unit_test(test_png_tells_of_a_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
