/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A QR code as PNG: one bit a pixel, grey, QR_PNG_PIXELS square pixels a module. Called when a
 * picture is asked for by --output.
 */
#include "cli/qr.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/key.h"
#include "common/mem.h"

/* libpng leaves by longjmp and would print to standard error itself; we say it once, in main. */
static void quiet_error(png_structp png, png_const_charp message)
{
	(void)message;
	png_longjmp(png, 1);
}

static void quiet_warning(png_structp png, png_const_charp message)
{
	(void)png;
	(void)message;
}

/* One line of pixels: a set bit is white. */
static void fill_row(const struct qr *q, unsigned y, png_bytep row)
{
	/* A module is one byte wide, since QR_PNG_PIXELS is 8. */
	_Static_assert(QR_PNG_PIXELS == 8, "fill_row writes one byte a module");
	for (unsigned x = 0; x < q->width; x++)
		row[x] = qr_dark(q, x, y) ? 0x00 : 0xff;
}

/* No automatic variable is changed between setjmp and longjmp. */
static int write_all(png_structp png, png_infop info, const struct qr *q, png_bytep row, FILE *out)
{
	unsigned size = q->width * QR_PNG_PIXELS;

	if (setjmp(png_jmpbuf(png)))
		return -1;
	png_init_io(png, out);
	png_set_IHDR(png, info, size, size, 1, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
		     PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_write_info(png, info);
	for (unsigned y = 0; y < size; y++) {
		fill_row(q, y / QR_PNG_PIXELS, row);
		png_write_row(png, row);
	}
	png_write_end(png, info);
	return 0;
}

int qr_png(const struct qr *q, FILE *out, struct diag *d)
{
	auto_free png_bytep row = mem_zalloc(q->width, 1);
	png_structp png =
		png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, quiet_error, quiet_warning);
	png_infop info = png ? png_create_info_struct(png) : NULL;
	int rc = info ? write_all(png, info, q, row, out) : -1;

	png_destroy_write_struct(&png, &info);
	key_wipe(row, q->width);
	return rc ? diag_set(d, ERR_SYSTEM, "cannot write the PNG file") : 0;
}
