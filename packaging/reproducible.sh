#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the package twice under different circumstances and compares the bits. Called by make with
# build folder, suite, architecture (this machine's own) and reprotest's list of variations.
set -eu

cd "$(dirname "$0")/.."
source=$(packaging/deb.sh stage "$1" "$2" "$3")
# As in the package's changelog, from which dpkg-buildpackage takes it again.
exec reprotest --no-diffoscope --vary="$4" --store-dir "$(dirname "$source")/reproducible" \
	'dpkg-buildpackage -b -uc -us -Pnocheck' "$source" '../*.deb'
