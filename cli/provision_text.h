/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text of a provisioning file, cleaned in place; it never grows.
 */
#pragma once

void provision_text_trim(char *s);    /* blanks at both ends */
void provision_text_blanks(char *s);  /* those that do not break become blanks */
void provision_text_unquote(char *s); /* one pair of quotes around it, typographic ones too */
