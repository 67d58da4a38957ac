/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QR codes: made by libqrencode at level L with the quiet zone of 4 modules that ISO/IEC 18004
 * asks for, and drawn for a terminal, as PNG and as SVG.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/err.h"

#define QR_QUIET      4 /* modules of quiet zone on each side */
#define QR_PNG_PIXELS 8 /* per module */

struct qr {
	unsigned width; /* modules, quiet zone included */
	uint8_t *dark;	/* width × width; ours */
};

int qr_make(struct qr *out, const char *text, struct diag *d) __attribute__((warn_unused_result));
void qr_free(struct qr *q); /* wipes: the code is a secret where its text is */
bool qr_dark(const struct qr *q, unsigned x, unsigned y); /* outside the code: light */

/* What the terminal form takes. */
unsigned qr_columns(const struct qr *q);
unsigned qr_rows(const struct qr *q);

void qr_draw(const struct qr *q, FILE *out);
void qr_svg(const struct qr *q, FILE *out);
int qr_png(const struct qr *q, FILE *out, struct diag *d) __attribute__((warn_unused_result));

#define auto_qr __attribute__((cleanup(qr_free))) struct qr
