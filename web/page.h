/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The status page as HTML: one view in, text out. Every name is escaped here and nowhere else.
 */
#pragma once

#include <stdio.h>

#include "web/ask.h"

/* Of the stylesheet in page.c, for the Content-Security-Policy: base64 of its SHA-256.
 * tests/unit/test_page.c checks that it is. */
#define PAGE_STYLE_SHA256 "wRQgWVs2uR2WcY0g2bi6+KCSAEVDbO2HPFzgO2b48xs="

extern const char page_style[];

/* NULL: core does not answer; then the page says so. The caller checks ferror(out). */
void page_render(FILE *out, const struct view *v);
