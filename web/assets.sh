#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Prints a C header with the stylesheet and the script as strings, without comments and indentation,
# and the SHA-256 of each in base64, for the Content-Security-Policy. Run by make:
#
#     web/assets.sh web/page.css web/page.js
set -eu

stripped() {
	sed -e 's|^[[:space:]]*//.*$||' -e 's|/\*.*\*/||' -e 's/^[[:space:]]*//' -e 's/[[:space:]]*$//' \
		-e '/^$/d' "$1"
}

# One C string literal a line, so that none is longer than compilers must take.
literal() {
	stripped "$1" | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/?/\\?/g' -e 's/^/	"/' -e 's/$/\\n"/'
}

hash() {
	stripped "$1" | sha256sum | perl -ne 'print pack("H64", $_)' | base64
}

printf '/* Made by web/assets.sh from %s and %s. */\n' "$1" "$2"
printf '#define PAGE_CSS_SHA256 "%s"\n#define PAGE_JS_SHA256 "%s"\n' "$(hash "$1")" "$(hash "$2")"
printf 'static const char page_css[] =\n%s;\n' "$(literal "$1")"
printf 'static const char page_js[] =\n%s;\n' "$(literal "$2")"
