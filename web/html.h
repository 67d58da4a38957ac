/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text for people, as HTML: names are escaped here and nowhere else, so whatever writes a name writes
 * it with html_text. Pure functions over a stream in memory.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "common/inet.h"

/* For text and for attributes in double quotes; also safe in a line of an event stream: texts of core
 * have no control character but the line feed (wire.h), which becomes a blank. */
void html_text(FILE *out, const char *text);

#define HTML_AMOUNT_BYTES 16
/* "0 B", "999 B", "1.2 kB", "34 MB": decimal, as data plans and printers' files are measured. */
void html_amount(char out[HTML_AMOUNT_BYTES], uint64_t bytes);

#define HTML_WHEN_BYTES 48
/* "just now", "12 min ago", "3 h ago", "5 days ago"; changes once a minute at most. never for 0. */
void html_ago(char out[HTML_WHEN_BYTES], int64_t then, int64_t now);
/* "24 Dec 18:00 UTC (in 2 h)"; "ended" once it is over. */
void html_until(char out[HTML_WHEN_BYTES], int64_t then, int64_t now);

#define HTML_URL_BYTES 96
/* What to open at the printer's address: "http://10.77.16.2/"; "" if a browser has no use for it. */
void html_url(char out[HTML_URL_BYTES], uint32_t vpn, uint8_t protocol, uint16_t first,
	      uint16_t last);
