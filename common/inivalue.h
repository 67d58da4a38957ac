/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What libinih leaves to its users: comments that begin with '#'.
 */
#pragma once

/* Cuts a comment that a blank and '#' begin (libinih does so for ';' only), and trailing blanks. */
void inivalue_strip(char *value);
