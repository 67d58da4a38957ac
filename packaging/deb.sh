#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the Debian package, into BUILD/packages. Called by make.
#
#   packaging/deb.sh stage BUILD SUITE ARCH    only makes a source folder, and prints its name
#   packaging/deb.sh build BUILD SUITE ARCH    builds it as well, and prints the package's
#   packaging/deb.sh root BUILD SUITE ARCH     prints the root folder of the system that it is built in
#
# For this machine's own suite and architecture it builds here; for others in a chroot of that suite, with
# a cross compiler, made once by mmdebstrap below BUILD/chroot. Each chroot is for one architecture:
# libevent-dev cannot be installed for two at once.
#
# The version is that of common/version.h, with ~debNN for the suite, since libraries differ between
# suites; as long as CHANGELOG.md has no such heading, it is one before it, named after the last commit.
# That commit's time is the package's (SOURCE_DATE_EPOCH), whose bits depend on nothing else.
set -eu

mirror=${MIRROR:-http://deb.debian.org}

die() {
	printf 'deb.sh: %s\n' "$1" >&2
	exit 1
}

[ $# = 4 ] || die "usage: packaging/deb.sh stage|build|root BUILD SUITE ARCH"
what=$1
suite=$3
arch=$4
cd "$(dirname "$0")/.."
mkdir -p "$2"
build=$(cd "$2" && pwd)
here=$(dpkg --print-architecture)

case $suite in
bookworm) release=12 ;;
trixie) release=13 ;;
*) die "no suite \"$suite\": bookworm and trixie are there" ;;
esac
case $arch in
amd64 | arm64 | armhf) ;;
*) die "no architecture \"$arch\": amd64, arm64 and armhf are there" ;;
esac

# A checkout may be somebody else's: make runs as root.
ours() {
	git -c safe.directory='*' "$@" 2>/dev/null
}

# shellcheck disable=SC1091
suite_here=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
root=$build/chroot/$suite-$arch
[ "$suite $arch" != "$suite_here $here" ] || root=/
[ "$what" != root ] || {
	printf '%s\n' "$root"
	exit
}

# Like CHANGELOG.md, in Debian's form.
changelog() {
	printf 'printgate (%s) %s; urgency=medium\n\n' "$version" "$suite"
	awk -v number="$number" '
		/^## /  { ours = ($2 == number || $2 == "Unreleased") && !seen++; next }
		!ours   { next }
		/^- /   { if (text) print "  * " text; text = substr($0, 3) }
		/^  /   { text = text " " substr($0, 3) }
		END     { if (text) print "  * " text }' CHANGELOG.md |
		fold -s -w 74 | sed -e 's/ *$//' -e '/^  \* /!s/^/    /'
	printf '\n -- %s  %s\n' "$(sed -n 's/^Maintainer: //p' packaging/debian/control)" \
		"$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")"
}

stage() {
	number=$(sed -n 's/^#define PRINTGATE_VERSION "\(.*\)"$/\1/p' common/version.h)
	: "${SOURCE_DATE_EPOCH:=$(ours log -1 --format=%ct || stat -c %Y CHANGELOG.md)}"
	export SOURCE_DATE_EPOCH
	version=$number
	grep -q "^## $number\b" CHANGELOG.md ||
		version=$number~$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d.%H%M%S)
	version=$version~deb$release
	top=$build/deb/$suite-$arch
	source=$top/printgate
	rm -rf "$top"
	mkdir -p "$source"
	# What git knows, as it lies here; without git, all but what was built.
	if ours ls-files -z >"$top/files"; then
		tar -c --null --no-recursion --ignore-failed-read -T "$top/files" 2>/dev/null
	else
		tar -c --exclude=./build --exclude='./build-*' --exclude=./.git .
	fi | tar -x -C "$source"
	cp -r "$source/packaging/debian" "$source/debian"
	changelog >"$source/debian/changelog"
}

# Makes the chroot, from the archives named.
strap() {
	foreign=
	cross="build-essential"
	[ "$arch" = "$here" ] || {
		foreign=,$arch
		cross=crossbuild-essential-$arch
	}
	# shellcheck disable=SC2016 # $1 is mmdebstrap's to expand
	mmdebstrap --quiet --mode=root --variant=minbase --architectures="$here$foreign" \
		--include="$cross,debhelper" \
		--customize-hook='mkdir -p "$1/build/debian"' \
		--customize-hook="upload $source/debian/control /build/debian/control" \
		--customize-hook="upload $source/debian/changelog /build/debian/changelog" \
		--customize-hook="chroot \"\$1\" apt-get -qq -y --no-install-recommends \
			-o Dpkg::Use-Pty=0 --host-architecture $arch --build-profiles cross,nocheck \
			build-dep /build >/dev/null" \
		--customize-hook='rm -r "$1/build/debian"' \
		"$suite" "$root" "$@"
}

# Some mirrors' indexes of the smaller archives are not those that are signed for, for armhf above all.
again() {
	echo "deb.sh: going on without $1, which $mirror has not whole for $arch" >&2
	shift
	rm -rf "$root"
	strap "$@"
}

# It is made again when what the package is built from has changed.
prepare() {
	! cmp -s "$source/debian/control" "$root/complete" || return 0
	[ "$(id -u)" = 0 ] || die "run it as root: it makes a chroot in $root"
	rm -rf "$root"
	mkdir -p "$build/chroot"
	main="deb $mirror/debian $suite main"
	updates="deb $mirror/debian $suite-updates main"
	security="deb $mirror/debian-security $suite-security main"
	strap "$main" "$updates" "$security" || again "$suite-security" "$main" "$updates" ||
		again "$suite-updates" "$main" || return 1
	cp "$source/debian/control" "$root/complete"
}

# In a mount namespace of its own: nothing stays mounted, whatever happens.
inside() {
	# shellcheck disable=SC2016 # the inner shell's
	SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH DEB_BUILD_OPTIONS="nocheck $DEB_BUILD_OPTIONS" \
		unshare --mount --pid --fork --kill-child sh -c '
			mount --bind "$2" "$1/build" && mount -t proc proc "$1/proc" &&
			exec chroot "$1" sh -c "cd /build/printgate && exec $3"' \
		sh "$root" "$top" "dpkg-buildpackage -b -uc -us -a$arch -Pcross,nocheck"
}

stage
[ "$what" = build ] || {
	printf '%s\n' "$source"
	exit
}
# Parallel, unless it was told otherwise. (The unit tests are `make check`'s, which runs more.)
DEB_BUILD_OPTIONS=${DEB_BUILD_OPTIONS:-parallel=$(nproc)}
if [ "$root" = / ]; then
	(cd "$source" && DEB_BUILD_OPTIONS="nocheck $DEB_BUILD_OPTIONS" \
		dpkg-buildpackage -b -uc -us -Pnocheck)
else
	prepare && inside
fi >"$top/log" 2>&1 || {
	tail -n 40 "$top/log" >&2
	die "the package was not built: the whole log is $top/log"
}
mkdir -p "$build/packages"
for file in "$top"/printgate*_"$version"_"$arch".*; do
	cp "$file" "$build/packages/"
	case $file in *-dbgsym_*) ;; *.deb) printf '%s\n' "$build/packages/${file##*/}" ;; esac
done
