#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Says whether a release of printgate is whole and is what was signed:
#
#   verify-release.sh --key FILE [--repository CLONE] [RELEASE]
#   verify-release.sh --unsigned [--repository CLONE] [RELEASE]
#
# FILE is the public key, minisign's or gpg's, from a place that you trust: not from beside the release.
# RELEASE is the folder with everything that was published, by default the one where this script is.
# The tarball is compared with the commit that it says it is, and with the tag in CLONE; a script that
# lies in a clone takes that one. It needs sha256sum, tar, git, and minisign or gpg and gpgv.
set -eu

usage="usage: verify-release.sh --key FILE | --unsigned [--repository CLONE] [RELEASE]"
here=$(cd "$(dirname "$0")" && pwd)
key=
unsigned=
clone=

no() {
	printf 'verify-release.sh: %s\n' "$1" >&2
	exit 1
}

need() {
	command -v "$1" >/dev/null || no "it needs the program $1"
}

while [ $# -gt 0 ]; do
	case $1 in
	--key | --repository)
		[ $# -gt 1 ] || no "$usage"
		[ "$1" = --key ] && key=$2 || clone=$2
		shift
		;;
	--unsigned) unsigned=yes ;;
	--help)
		printf '%s\n' "$usage"
		exit 0
		;;
	-*) no "$usage" ;;
	*) break ;;
	esac
	shift
done
[ $# -le 1 ] || no "$usage"
[ -n "$key$unsigned" ] ||
	no "give --key FILE, the public key of who makes the releases, or --unsigned to go without"
release=${1:-$here}
[ -f "$release/SHA256SUMS" ] || no "SHA256SUMS is missing in $release: this is not a whole release"
[ -n "$clone" ] || [ ! -e "$here/../.git" ] || clone=$here/..

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
trap 'exit 1' HUP INT TERM

# What is checked is a copy: the file could change in between.
cp "$release/SHA256SUMS" "$temporary/SHA256SUMS"

minisign_good() {
	need minisign
	[ -f "$release/SHA256SUMS.minisig" ] || no "SHA256SUMS.minisig is missing: nobody signed this"
	minisign -V -q -p "$key" -m "$temporary/SHA256SUMS" -x "$release/SHA256SUMS.minisig" \
		>/dev/null 2>&1
}

gpg_good() {
	need gpg
	need gpgv
	[ -f "$release/SHA256SUMS.asc" ] || no "SHA256SUMS.asc is missing: nobody signed this"
	mkdir -m 700 "$temporary/gpg"
	gpg --homedir "$temporary/gpg" --no-autostart --batch --quiet --dearmor <"$key" \
		>"$temporary/key" 2>/dev/null || no "$key is no public key"
	gpgv --homedir "$temporary/gpg" --quiet --keyring "$temporary/key" "$release/SHA256SUMS.asc" \
		"$temporary/SHA256SUMS" >/dev/null 2>&1
}

check_signature() {
	[ -r "$key" ] || no "there is no file $key"
	if grep -q "^untrusted comment:" "$key"; then
		minisign_good
	elif grep -q "BEGIN PGP PUBLIC KEY BLOCK" "$key"; then
		gpg_good
	else
		no "$key is neither minisign's public key nor gpg's (gpg --armor --export)"
	fi || no "the signature is not that of this key: the list of checksums is somebody else's, or was changed"
}

# Each line is a checksum and a plain name.
check_list() {
	! grep -v -E -q '^[0-9a-f]{64}  [A-Za-z0-9][A-Za-z0-9._~+-]*$' "$temporary/SHA256SUMS" ||
		no "SHA256SUMS has a line that is none of a checksum and a name"
	sed 's/^[0-9a-f]*  //' "$temporary/SHA256SUMS" >"$temporary/names"
	printf '%s\n' SHA256SUMS >>"$temporary/names"
	[ -z "$key" ] || {
		grep -q "^untrusted comment:" "$key" && printf '%s\n' SHA256SUMS.minisig ||
			printf '%s\n' SHA256SUMS.asc
	} >>"$temporary/names"
	for name in RELEASE verify-release.sh; do
		grep -q -x -F "$name" "$temporary/names" || no "SHA256SUMS does not list $name"
	done
}

# Signatures by the other program are not judged, and so not in the way.
check_files() {
	while read -r name; do
		[ ! -L "$release/$name" ] || no "$name is not a plain file"
		[ -f "$release/$name" ] || no "$name is missing"
	done <"$temporary/names"
	find "$release" -mindepth 1 -maxdepth 1 -printf '%f\n' |
		grep -v -x -F -f "$temporary/names" -e SHA256SUMS.asc -e SHA256SUMS.minisig \
			>"$temporary/more" || :
	[ ! -s "$temporary/more" ] ||
		no "$(head -n 1 "$temporary/more") is not part of the release: it is not in SHA256SUMS"
	bad=$(cd "$release" && LC_ALL=C sha256sum --check --quiet "$temporary/SHA256SUMS" 2>/dev/null) ||
		no "$(printf '%s\n' "$bad" | sed -n '1s/: .*//p') is not the file that was released: its checksum differs"
}

about() {
	sed -n "s/^$1 \([A-Za-z0-9.~+-]*\)\$/\1/p" "$release/RELEASE"
}

in_clone() {
	git -c safe.directory='*' -C "$clone" "$@"
}

# The tree of what is unpacked, by git's own reckoning, whatever the machine's git is told elsewhere.
tree_of() {
	export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_DIR="$temporary/git"
	git init -q --bare "$GIT_DIR"
	git --work-tree "$1" -c core.autocrlf=false -c core.fileMode=true \
		-c core.attributesFile=/dev/null add --all --force "$1"
	git --work-tree "$1" write-tree
}

check_tarball() {
	need git
	version=$(about version)
	tag=$(about tag)
	commit=$(about commit)
	tarball=printgate-$version.tar.gz
	grep -q -x -F "$tarball" "$temporary/names" || no "$tarball is not part of the release"
	mkdir "$temporary/source"
	tar -x -z -C "$temporary/source" -f "$release/$tarball" || no "$tarball cannot be unpacked"
	[ "$(ls -A "$temporary/source")" = "printgate-$version" ] ||
		no "$tarball has other things in it than the folder printgate-$version"
	tree=$(tree_of "$temporary/source/printgate-$version")
	[ "$tree" = "$(about tree)" ] || no "$tarball is not commit $commit: its content differs"
}

check_clone() {
	what=$tag
	[ "$tag" != none ] || what=$commit
	there=$(in_clone rev-parse --verify --quiet "$what^{commit}") ||
		no "$clone does not know $what: \`git fetch --tags\` first"
	[ "$there" = "$commit" ] || no "$what is commit $there in $clone, but $commit in the release"
	[ "$(in_clone rev-parse "$what^{tree}")" = "$tree" ] ||
		no "$tarball is not $what of $clone: its content differs"
}

[ -z "$key" ] || check_signature
check_list
check_files
check_tarball
[ -z "$clone" ] || check_clone
printf 'printgate %s is good: %s files, %s\n' "$version" "$(wc -l <"$temporary/SHA256SUMS")" \
	"${key:+signed; }commit $commit${clone:+, as in $clone}"
[ -n "$key" ] || echo "Who made it was not checked (--unsigned)."
[ -n "$clone" ] || echo "Whether that is the tag in a repository was not checked (--repository CLONE)."
