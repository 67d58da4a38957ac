/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values of INI files: see the header.
 */
#include "common/inivalue.h"

#include <string.h>

void inivalue_strip(char *value)
{
	char *p = value;
	size_t n;

	if (*p == '#')
		*p = '\0';
	for (; *p; p++) {
		if (*p == '#' && (p[-1] == ' ' || p[-1] == '\t')) {
			*p = '\0';
			break;
		}
	}
	n = strlen(value);
	while (n && strchr(" \t\r", value[n - 1]))
		value[--n] = '\0';
}
