#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Prints the names of all shell scripts of the project: by their first line, wherever they are.
set -eu

find . \( -name .git -o -name 'build*' -o -name '*.pyc' \) -prune -o -type f -print |
	while read -r file; do
		if head -n 1 "$file" | LC_ALL=C grep -aqE '^#! ?/(usr/)?bin/(env )?(ba|da)?sh'; then
			printf '%s\n' "$file"
		fi
	done
