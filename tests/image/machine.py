# SPDX-License-Identifier: GPL-2.0-or-later
"""The gateway as a machine: QEMU with plain emulation, Debian's kernel, systemd as PID 1. It runs in a network
namespace of its own; the one way in is a UDP port of an address on the internet, as a router forwards it."""

import os
import re
import secrets
import socket
import threading
import time

import disks
from node import SLOW, Node, await_that

PORT = 51820
ROUTER = "203.0.113.1"
ENDPOINT = f"{ROUTER}:{PORT}"
SECONDS = 240  # for failures only

QEMU = {
    "arm64": ("qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a53"),
    "armhf": ("qemu-system-arm", "-M", "virt,highmem=off", "-cpu", "cortex-a15"),
}
# kpti=off: a kernel whose address is random has page tables of its own otherwise, which costs an emulated
# processor a fifth of a boot, since each system call empties its TLB.
WORDS = ("console=ttyAMA0 panic=-1 quiet loglevel=3 systemd.show_status=no systemd.firstboot=off kpti=off "
         "audit=0 nowatchdog rcupdate.rcu_expedited=1 mitigations=off random.trust_cpu=on")

# What printgate has the kernel load, one process after the other. The first boot of a device leaves it to
# that; starts in which something else is asked have it loaded at once (warm), a third of a boot sooner.
WARM = ",".join(("wireguard", "nft_ct", "nft_limit", "nft_log", "nfnetlink_log", "nft_masq", "nft_nat",
                 "nft_chain_nat", "nft_reject_inet"))


def street():
    """A node for the router, in which QEMU runs, and for phones outside."""
    node = Node("street")
    node.batch("link set lo up", f"address add {ROUTER}/32 dev lo")
    return node


class Disks:
    """Copies of a pristine image, which are a device from then on."""

    def __init__(self, folder, deb, arch, kind="rw", files=None):
        self.folder, self.kind, self.arch = folder, kind, arch
        self.kernel, self.initrd = disks.kernel(deb, arch)
        self.root = disks.duplicate(disks.root_disk(deb, arch, kind), os.path.join(folder, "root.img"))
        self.boot = os.path.join(folder, "boot.img")
        disks.fat(self.boot, files or {})
        self.state = None
        if kind == "ro":
            self.state = os.path.join(folder, "state.img")
            disks.ext4(self.state, disks.STATE_MIB, "state")

    def all(self):
        return {name: getattr(self, name) for name in ("root", "boot", "state") if getattr(self, name)}


class Machine:
    """One start of it, until it is off."""

    def __init__(self, node, given, moment="", warm=False):
        self.node, self.given = node, given
        self.text = b""
        self.hand, shell = socket.socketpair()
        self.told, teller = socket.socketpair()
        words = " ".join((WORDS, given.kind, *([f"pg.moment={moment.encode().hex()}"] if moment else []),
                          *([f"modules_load={WARM}"] if warm else [])))
        # unsafe: the host's disk is not awaited. What the guest has had written is with the host's kernel, which
        # pulling the plug does not touch; what it has not is lost, as ever.
        drives = [word for name, path in given.all().items() for word in (
            "-drive", f"if=none,id={name},format=raw,cache=unsafe,file={path}",
            "-device", f"virtio-blk-device,drive={name},serial={name}")]
        consoles = [word for number, end in enumerate((shell, teller)) for word in (
            "-chardev", f"socket,id=hvc{number},fd={end.fileno()}", "-device", f"virtconsole,chardev=hvc{number}")]
        out, console = os.pipe()
        self.process = node.start(
            [*QEMU[given.arch], "-accel", "tcg,thread=multi", "-smp", "2", "-m", "512", "-nodefaults",
             "-no-user-config", "-display", "none", "-no-reboot", "-kernel", given.kernel,
             "-initrd", given.initrd, "-append", words,
             "-netdev", f"user,id=wan,hostfwd=udp:{ENDPOINT}-10.0.2.15:{PORT}",
             "-device", "virtio-net-device,netdev=wan", "-device", "virtio-rng-device",
             "-device", "virtio-serial-device", *consoles, *drives,
             "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"],
            stdout=console, pass_fds=(shell.fileno(), teller.fileno()),
            log=os.path.join(given.folder, "qemu.log"))
        for end in (shell, teller):
            end.close()
        os.close(console)
        self.reader = threading.Thread(target=self._read, args=(out,), daemon=True)
        self.reader.start()
        self.began = time.monotonic()
        self.ready = False

    def _read(self, out):
        with os.fdopen(out, "rb", buffering=0) as f:
            while data := f.read(65536):
                self.text += data

    @property
    def console(self):
        return self.text.decode(errors="replace").replace("\r\n", "\n")

    # ---- a hand in it --------------------------------------------------------------------------

    def run(self, command, check=True):
        """What a shell command in the guest says."""
        word = secrets.token_hex(8)
        self.hand.settimeout(SECONDS * SLOW)
        if not self.ready:
            assert self.hand.recv(64), f"the guest does not come up:\n{self.console}"
            self.ready = True
        self.hand.sendall(f"{word} {command}\n".encode())
        said = b""
        end = re.compile(rb"\n%s (\d+)\n" % word.encode())
        while not (found := end.search(said)):
            data = self.hand.recv(65536)
            assert data, f"the guest is gone:\n{self.console}"
            said += data
        answer = said[:found.start()].decode().strip()
        assert not check or found[1] == b"0", f"{command}: status {found[1].decode()}\n{answer}"
        return answer

    def is_up(self):
        """Awaits the end of the boot; what could not be started is an error."""
        state = self.run("systemctl is-system-running --wait", check=False)
        assert state == "running", state + self.run("systemctl --failed --plain --no-legend; journalctl -b "
                                                    "-p warning --no-pager", check=False)

    def await_moment(self):
        self.told.settimeout(SECONDS * SLOW)
        try:
            assert self.told.recv(16)
        except (TimeoutError, AssertionError):
            state = self.run("journalctl -b -u 'printgate*' --no-pager -o cat; "
                             "ls -lR /var/lib/printgate /etc/printgate /boot/firmware", check=False)
            raise AssertionError(f"the moment did not come:\n{self.console}\n{state}") from None

    # ---- its end -------------------------------------------------------------------------------

    def power_off(self):
        self.hand.sendall(b"- systemctl poweroff\n")
        self.process.wait(SECONDS)
        self._clean()

    def pull_the_plug(self):
        """QEMU is ended by force: what the guest has not written is lost."""
        if self.process.poll() is None:
            for pid in self.node.pids(QEMU[self.given.arch][0]):
                os.kill(pid, 9)
        self.process.wait(SECONDS)
        self._clean()

    def _clean(self):
        self.reader.join(SECONDS)
        self.hand.close()
        self.told.close()

    def shows(self, pattern, seconds=SECONDS):
        """Awaits a regular expression on the console."""
        await_that(lambda: re.search(pattern, self.console), seconds, f"{pattern} on the console")
