#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs the Debian packages that are missing, by group:
#
#   packaging/deps.sh build    what `make` needs
#   packaging/deps.sh run      what the gateway needs besides its libraries
#   packaging/deps.sh test     what `make check` and `make demo` need
#   packaging/deps.sh kernel   what `make check-kernel` needs besides (the kernel itself is only
#                              unpacked, by tests/kernel/vm.py)
#   packaging/deps.sh deb      what `make deb` needs besides; reprotest: `make deb-reproducible`;
#   packaging/deps.sh debtest  `make check-deb`; release: `make release`
#   packaging/deps.sh image    `make check-image`
#
# With nothing missing it only asks dpkg, changes nothing and prints nothing.
set -eu

build="gcc libc6-dev make pkg-config libcap-dev libevent-dev libinih-dev libjansson-dev libmnl-dev
	libnftnl-dev libnl-3-dev libnl-genl-3-dev libnl-route-3-dev libpng-dev libqrencode-dev libseccomp-dev
	libsodium-dev libsqlite3-dev libssl-dev libunistring-dev"
run="wireguard-go iproute2"
# Only unpacked, never installed: these would take over the network of this machine.
unpacked="firewalld network-manager prometheus ufw"
# libcurl3-gnutls to libreadline8: what it is linked with. netbase: without /etc/protocols nft shows
# numbers where the tests expect names.
# python3-*: what ufw and firewalld import.
test="chromium chromium-driver clang clang-format clang-tidy cppcheck cups-client cups-ipp-utils
	curl dbus-daemon dnsmasq-base fonts-dejavu-core iproute2 iptables iputils-ping libcmocka-dev
	libcurl3-gnutls libndp0 libnm0 libreadline8 librsvg2-bin mandoc netbase nftables openssl procps
	python3 python3-dbus python3-firewall python3-gi python3-nftables python3-pytest
	python3-pytest-xdist python3-selenium shellcheck strace util-linux
	wireguard-go wireguard-tools zbar-tools zxing-cpp-tools"
kernel="busybox-static cpio kmod qemu-system-x86 xxd"
deb="build-essential debhelper mmdebstrap"
reprotest="disorderfs faketime locales-all reprotest sudo"
debtest="e2fsprogs libcap2-bin lintian mmdebstrap systemd"
release="git gpg gpgv minisign python3"
image="busybox-static cpio e2fsprogs kmod mmdebstrap mtools qemu-system-arm systemd"

die() {
	printf 'deps.sh: %s\n' "$1" >&2
	exit 1
}

# Package names among the arguments that are not installed.
missing() {
	for package in "$@"; do
		state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=
		[ "$state" = installed ] || printf '%s ' "$package"
	done
}

apt_get() {
	DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@"
}

need_root() {
	[ "$(id -u)" = 0 ] || die "these packages are missing: $1 (run as root to install them)"
}

install_missing() {
	wanted=$(missing "$@")
	[ -n "$wanted" ] || return 0
	need_root "$wanted"
	printf 'Installing from Debian: %s\n' "$wanted"
	apt_get update
	# shellcheck disable=SC2086 # a list of names
	apt_get install -y --no-install-recommends $wanted >/dev/null
}

unpack() {
	to="${B:-build}/unpacked/$1"
	[ ! -e "$to/done" ] || return 0
	need_root "$1"
	printf 'Unpacking from Debian, without installing it: %s\n' "$1"
	rm -rf "$to"
	mkdir -p "$to"
	[ -n "$(apt-cache madison "$1")" ] || apt_get update
	(cd "$to" && apt_get -o APT::Sandbox::User=root download "$1" && dpkg-deb -x "$1"_*.deb .)
	: >"$to/done"
}

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
	die "this is not a Debian machine; install by hand: $build"
fi
[ $# -gt 0 ] || die "usage: packaging/deps.sh build|run|test|kernel|deb|reprotest|debtest|image|release..."

cd "$(dirname "$0")/.."
packages=
for group in "$@"; do
	case $group in
	build) packages="$packages $build" ;;
	run) packages="$packages $run" ;;
	test) packages="$packages $test" ;;
	kernel) packages="$packages $kernel" ;;
	deb) packages="$packages $deb" ;;
	reprotest) packages="$packages $reprotest" ;;
	debtest) packages="$packages $debtest" ;;
	release) packages="$packages $release" ;;
	image) packages="$packages $image" ;;
	*) die "no group \"$group\": the first lines of packaging/deps.sh tell them" ;;
	esac
done
# shellcheck disable=SC2086 # lists of names
install_missing $packages
case " $* " in
*" test "*)
	for package in $unpacked; do
		unpack "$package"
	done
	;;
esac
