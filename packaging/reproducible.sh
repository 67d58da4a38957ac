#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the package twice under different circumstances and compares the bits. Called by make with
# build folder, suite, architecture (this machine's own) and reprotest's list of variations.
set -eu

cd "$(dirname "$0")/.."
source=$(packaging/deb.sh stage "$1" "$2" "$3")
vary=-all
for variation in $4; do vary=$vary,+$variation; done
# SOURCE_DATE_EPOCH is taken from the package's changelog again.
exec reprotest --no-diffoscope --vary="$vary" --store-dir "$(dirname "$source")/reproducible" \
	-c 'dpkg-buildpackage -b -uc -us -Pnocheck' "$source" '../*.deb' -- null
