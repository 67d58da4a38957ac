/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The matrix of a QR code and its text forms. Level L and one 8-bit segment keep the code sparse:
 * fewer modules are larger ones on the same screen, and phones read them from further away.
 */
#include "cli/qr.h"

#include <errno.h>
#include <qrencode.h>
#include <stdlib.h>
#include <string.h>

#include "common/key.h"
#include "common/mem.h"

/*
 * Black on white whatever the terminal's theme is. The colours are said twice: in the eight-colour
 * form every terminal knows (a theme may have remapped it), then by index in the 256-colour cube,
 * which themes leave alone; a terminal without that one ignores it and keeps the first.
 */
#define SGR_CODE  "\033[30;47m\033[38;5;16;48;5;231m"
#define SGR_RESET "\033[0m"

static void wipe_code(QRcode *code)
{
	key_wipe(code->data, (size_t)code->width * (size_t)code->width);
	QRcode_free(code);
}

int qr_make(struct qr *out, const char *text, struct diag *d)
{
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
	unsigned inner, width;

	if (!code && errno == ERANGE)
		return diag_set(d, ERR_LIMIT, "the config is too long for a QR code");
	if (!code)
		return diag_errno(d, "cannot make a QR code");
	inner = (unsigned)code->width;
	width = inner + 2 * QR_QUIET;
	out->width = width;
	out->dark = mem_zalloc((size_t)width * width, 1);
	for (unsigned y = 0; y < inner; y++) {
		for (unsigned x = 0; x < inner; x++)
			out->dark[(y + QR_QUIET) * width + x + QR_QUIET] =
				code->data[y * inner + x] & 1;
	}
	wipe_code(code);
	return 0;
}

void qr_free(struct qr *q)
{
	if (q->dark)
		key_wipe(q->dark, (size_t)q->width * q->width);
	free(q->dark);
	*q = (struct qr){0};
}

bool qr_dark(const struct qr *q, unsigned x, unsigned y)
{
	return x < q->width && y < q->width && q->dark[y * q->width + x];
}

unsigned qr_columns(const struct qr *q)
{
	return q->width;
}

unsigned qr_rows(const struct qr *q)
{
	return (q->width + 1) / 2;
}

void qr_draw(const struct qr *q, FILE *out)
{
	static const char *const block[] = {" ", "▀", "▄", "█"};

	for (unsigned y = 0; y < q->width; y += 2) {
		fputs(SGR_CODE, out);
		for (unsigned x = 0; x < q->width; x++)
			fputs(block[qr_dark(q, x, y) | qr_dark(q, x, y + 1) << 1], out);
		fputs(SGR_RESET "\n", out);
	}
}

/* The dark modules of one line, as runs. */
static void svg_line(const struct qr *q, FILE *out, unsigned y)
{
	for (unsigned x = 0, end; x < q->width; x = end + 1) {
		end = x;
		while (qr_dark(q, end, y))
			end++;
		if (end > x)
			fprintf(out, "M%u %uh%uv1h-%uz", x, y, end - x, end - x);
	}
}

void qr_svg(const struct qr *q, FILE *out)
{
	unsigned w = q->width, px = w * QR_PNG_PIXELS;

	fprintf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
		"viewBox=\"0 0 %u %u\" shape-rendering=\"crispEdges\">\n"
		"<path fill=\"#fff\" d=\"M0 0h%uv%uh-%uz\"/>\n<path fill=\"#000\" d=\"",
		px, px, w, w, w, w, w);
	for (unsigned y = 0; y < w; y++)
		svg_line(q, out, y);
	fputs("\"/>\n</svg>\n", out);
}
