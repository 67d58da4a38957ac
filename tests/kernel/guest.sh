#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# PID 1 in the guest once the host's file system is its root: runs one command, says on the second
# serial line whether it succeeded, and turns the machine off. Whatever it writes is gone with it.
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
# Before anything is mounted over it: the checkout may lie in /tmp.
# The words of ours on the kernel's command line: nonce, folder and command, the latter two in hex
# shellcheck disable=SC2013 # words are what is wanted
for word in $(cat /proc/cmdline); do
	case $word in
	pg.nonce=*) nonce=${word#*=} ;;
	pg.dir=*) dir=$(printf %s "${word#*=}" | xxd -r -p) ;;
	pg.run=*) run=$(printf %s "${word#*=}" | xxd -r -p) ;;
	esac
done
mkdir /.checkout
mount --bind "$dir" /.checkout
mkdir -p /dev/pts /dev/shm
ln -s /proc/self/fd /dev/fd
ln -s fd/0 /dev/stdin
ln -s fd/1 /dev/stdout
ln -s fd/2 /dev/stderr
mount -t devpts pts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run
mount -t tmpfs tmp /tmp
mount -t cgroup2 cgroup /sys/fs/cgroup 2>/dev/null
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LANG=C.UTF-8
HOME=/root
export PATH LANG HOME
if ! [ -d "$dir" ]; then
	mkdir -p "$dir"
	mount --bind /.checkout "$dir"
fi
ip link set lo up
modprobe tun # what udev would have done: wireguard-go is tested here too
cd "$dir" || exit 1
if sh -c "$run" </dev/null >/dev/console 2>&1; then
	echo "printgate-guest passed $nonce" >/dev/ttyS1
else
	echo "printgate-guest failed $?" >/dev/ttyS1
fi
sync
exec busybox poweroff -f
