#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the gateway on this very machine, in the foreground, out of a temporary folder: protects one
# printer, enrolls one phone, shows its QR code until the phone has used it and then the live status.
# When it ends (Ctrl-C, SIGTERM), it takes everything down again. Called by `make try` with the build
# folder.
#
#   PRINTER   the printer's address, its whole subnet, or self for this machine    [self]
#   PRESET    what kind of printer it is, see `printgate presets`                  [web]
#   PHONE     the phone's name                                                     [my-phone]
#   ENDPOINT  where the phone finds this machine, HOST[:PORT]                      [its LAN address]
set -eu

bin=$1
printer=${PRINTER:-self}
preset=${PRESET:-web}
phone=${PHONE:-my-phone}
folder=
gateway=
child=
resized=

die() {
	printf 'try: %s\n' "$1" >&2
	exit 1
}

# shellcheck disable=SC2317 # called by trap
leave() {
	status=$?
	trap '' INT TERM HUP
	trap - EXIT
	set +e
	[ -z "$child" ] || kill "$child" 2>/dev/null
	if [ -n "$gateway" ]; then
		printf '\nTaking everything down again.\n'
		kill "$gateway" 2>/dev/null
		wait "$gateway" 2>/dev/null
		"$bin/printgated" --config "$folder/printgate.conf" --down || status=1
	fi
	[ -z "$folder" ] || rm -rf "$folder"
	[ -n "$sockets" ] || rmdir /run/wireguard 2>/dev/null
	exit "$status"
}

free_port() {
	for port in $(seq 51820 51850); do
		if [ -z "$(ss -Hlun "sport = :$port")" ]; then
			printf '%s\n' "$port"
			return
		fi
	done
	die "the UDP ports from 51820 to 51850 are all taken"
}

# The configuration as `printgate init` chooses it for this machine, with folders and port of ours.
# The accounts are bare numbers: nothing is added to this machine's users.
configure() {
	port=$(free_port)
	"$bin/printgate" init --config "$folder/chosen" ${ENDPOINT:+--endpoint "$ENDPOINT"} >/dev/null
	[ -n "${ENDPOINT:-}" ] || grep -q '^endpoint' "$folder/chosen" ||
		die "this machine has no address in a network: say where the phone finds it, ENDPOINT=HOST:PORT"
	sed -e "s|^listen_port = .*|listen_port = $port|" \
		-e "s|^state = .*|state = $folder/state|" \
		-e "s|^runtime = .*|runtime = $folder/run|" \
		-e "s|^listen = .*|listen = tunnel:80|" \
		-e "s|^# net = .*|net = 61551|;s|^# core = .*|core = 61552|;s|^# web = .*|web = 61553|" \
		"$folder/chosen" >"$folder/printgate.conf"
	[ -n "${ENDPOINT:-}" ] || sed -i "s|^\(endpoint = .*\):51820$|\1:$port|" "$folder/printgate.conf"
	endpoint=$(sed -n 's/^endpoint = //p' "$folder/printgate.conf")
}

start() {
	mkfifo "$folder/ready"
	"$bin/printgated" --config "$folder/printgate.conf" --ready-fd 3 \
		3>"$folder/ready" 2>"$folder/log" &
	gateway=$!
	# The newline of a gateway that is ready, or the end of one that could not start.
	if ! read -r _ <"$folder/ready"; then
		cat "$folder/log" >&2
		die "the gateway did not start"
	fi
}

# What is said of the phone, and the size of window its code needs: in a window of one cell the code
# is not drawn, but its size is told.
enroll() {
	said=$(LINES=1 COLUMNS=1 "$bin/printgate" enroll "$phone" --printer printer)
	# shellcheck disable=SC2046 # two numbers
	set -- $(printf '%s\n' "$said" |
		sed -n 's/^The QR code needs a window of \([0-9]*\) columns and \([0-9]*\) rows.*/\1 \2/p')
	columns=$1
	rows=$2
}

# A standard output without a size is no terminal: everything fits.
fits() {
	{ size=$(stty size 2>/dev/null <&3) || return 0; } 3>&1
	[ "${size% *}" -ge "$rows" ] && [ "${size#* }" -ge "$columns" ]
}

introduce() {
	resized=
	[ ! -t 1 ] || printf '\033[H\033[2J'
	if [ -n "${ENDPOINT:-}" ]; then
		printf 'Phones find this gateway at %s, UDP:\n' "$endpoint"
		printf 'let your router forward that port to port %s of this machine.' "$port"
	else
		printf 'Phones find this gateway at %s, UDP, in the same Wi-Fi.\n' "$endpoint"
		printf 'To reach it from elsewhere, start it with ENDPOINT=your.name:PORT.'
	fi
	printf '\nCtrl-C ends it and leaves nothing behind.\n\n'
	printf '%s\n' "$said" | sed '/^The QR code needs/,$d'
	if fits; then
		"$bin/printgate" qr "$phone"
	else
		printf '\nTo see the QR code, enlarge this window to %s columns and %s rows or more,\n' \
			"$columns" "$rows"
		printf 'or choose a smaller font: it appears by itself.\n'
	fi
}

# The code stays in sight until the phone has connected: the status takes the whole screen.
until_used() {
	while "$bin/printgate" --json show "$phone" 2>/dev/null | grep -q '"state": *"waiting"'; do
		sleep 1 &
		child=$!
		wait "$child" || :
		[ -z "$resized" ] || introduce
	done
}

[ "$(id -u)" = 0 ] || die "run it as root: sudo make try"
sockets=
[ ! -d /run/wireguard ] || sockets=there
trap leave EXIT
trap 'exit 0' INT TERM HUP
trap 'resized=yes' WINCH
folder=$(mktemp -d "${TMPDIR:-/tmp}/printgate-try.XXXXXX")
configure
start
PRINTGATE_SOCKET=$folder/run/control.sock
export PRINTGATE_SOCKET
"$bin/printgate" printer add printer "$printer" --preset "$preset" >/dev/null
enroll
introduce
until_used
"$bin/printgate" status --watch &
child=$!
wait "$child" || {
	cat "$folder/log" >&2
	die "the gateway has ended"
}
