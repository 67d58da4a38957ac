#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes a release in BUILD/release/printgate-VERSION. Called by make; docs/release.md says how to.
#
#   packaging/release.sh BUILD "SUITE…" "ARCH…"
#
# The tarball is the commit as git knows it, and the packages are built from the tarball, so what is
# released is what anybody can build. But for the signature, the same commit gives the same bits.
set -eu

die() {
	printf 'release.sh: %s\n' "$1" >&2
	exit 1
}

[ $# = 3 ] || die 'usage: packaging/release.sh BUILD "SUITE…" "ARCH…"'
suites=$2
archs=$3
cd "$(dirname "$0")/.."
mkdir -p "$1"
build=$(cd "$1" && pwd -P)

# A checkout may be somebody else's: make runs as root.
ours() {
	git -c safe.directory='*' "$@"
}

# Before anything is built: half an hour of work must not end with a missing key.
check_key() {
	[ -z "${PRINTGATE_MINISIGN_KEY:-}" ] || {
		[ -r "$PRINTGATE_MINISIGN_KEY" ] ||
			die "PRINTGATE_MINISIGN_KEY: there is no file $PRINTGATE_MINISIGN_KEY"
		return 0
	}
	[ -z "${PRINTGATE_GPG_KEY:-}" ] || {
		gpg --batch --list-secret-keys "$PRINTGATE_GPG_KEY" >/dev/null 2>&1 ||
			die "PRINTGATE_GPG_KEY: gpg has no secret key $PRINTGATE_GPG_KEY"
		return 0
	}
	[ "${UNSIGNED:-}" = yes ] ||
		die "there is no key to sign with: set PRINTGATE_MINISIGN_KEY to the file of a secret \
key, or PRINTGATE_GPG_KEY to the name of one that gpg has; or, for a trial, UNSIGNED=yes"
}

# Version, commit and tree; a release of a commit without the version's tag is named after its time.
check_commit() {
	commit=$(ours rev-parse --verify --quiet HEAD) || die "this is no git checkout"
	changes=$(ours status --porcelain --untracked-files=no)
	[ -z "$changes" ] || die "commit these changes first, or take them back:
$changes"
	tree=$(ours rev-parse 'HEAD^{tree}')
	SOURCE_DATE_EPOCH=$(ours log -1 --format=%ct)
	export SOURCE_DATE_EPOCH
	version=$(sed -n 's/^#define PRINTGATE_VERSION "\(.*\)"$/\1/p' common/version.h)
	tag=v$version
	if [ "$(ours rev-parse --verify --quiet "refs/tags/$tag^{commit}")" = "$commit" ]; then
		grep -q "^## $version\b" CHANGELOG.md ||
			die "CHANGELOG.md has no heading \"## $version\", though the commit is tagged $tag"
	else
		tag=none
		version=$version~$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d.%H%M%S)
		printf 'The commit is not tagged v%s: this is a snapshot, %s.\n' "${version%%~*}" "$version"
	fi
	name=printgate-$version
}

tarball() {
	ours -c tar.umask=0022 archive --format=tar --prefix="$name/" "$commit" |
		gzip -9 -n >"$out/$name.tar.gz"
	rm -rf "$work"
	mkdir -p "$work"
	tar -x -z -C "$work" -f "$out/$name.tar.gz"
}

# From the tarball, whose folder lies in a checkout of git perhaps, but is none.
packages() {
	for suite in $suites; do
		for arch in $archs; do
			deb=$(GIT_CEILING_DIRECTORIES=$work "$work/$name/packaging/deb.sh" build \
				"$build" "$suite" "$arch") || exit 1
			cp "$deb" "$out/"
			root=$(packaging/deb.sh root "$build" "$suite" "$arch")
			set -- "$@" "$out/${deb##*/}" "$suite" "$root"
			printf '%s\n' "${deb##*/}"
		done
	done
	packaging/sbom.py "$name" "$tree" "$SOURCE_DATE_EPOCH" "$@" >"$out/$name.spdx.json"
}

sums() {
	cp packaging/verify-release.sh "$out/"
	printf 'version %s\ntag %s\ncommit %s\ntree %s\n' "$version" "$tag" "$commit" "$tree" \
		>"$out/RELEASE"
	chmod 644 "$out"/*
	chmod 755 "$out/verify-release.sh"
	(cd "$out" && LC_ALL=C sha256sum -- *) >"$work/SHA256SUMS"
	cp "$work/SHA256SUMS" "$out/"
}

sign() {
	[ -z "${PRINTGATE_MINISIGN_KEY:-}" ] ||
		minisign -S -s "$PRINTGATE_MINISIGN_KEY" -m "$out/SHA256SUMS" \
			-x "$out/SHA256SUMS.minisig" -t "$name" >/dev/null || die "minisign did not sign"
	[ -z "${PRINTGATE_GPG_KEY:-}" ] ||
		gpg --batch --yes --quiet --local-user "$PRINTGATE_GPG_KEY" --armor --detach-sign \
			--output "$out/SHA256SUMS.asc" "$out/SHA256SUMS" || die "gpg did not sign"
}

check_key
check_commit
out=$build/release/$name
work=$build/release/.work
rm -rf "$out"
mkdir -p "$out"
tarball
packages
sums
sign
rm -rf "$work"
printf '%s\n' "$out"
