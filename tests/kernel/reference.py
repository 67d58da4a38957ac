#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the reference, wg(8), sends to the kernel and what the kernel answers, for fixed inputs.

As a program, in the guest, it prints what belongs into tests/golden/genl/ (a new kernel or a new
wg is a reason to look again):

    tests/kernel/vm.py python3 tests/kernel/reference.py
"""

import base64
import os
import struct
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "netns")]

import genl  # noqa: E402
from wg_lab import Namespace, run, wait_for  # noqa: E402

GOLDEN = os.path.join(os.path.dirname(HERE), "golden", "genl")
PORT = 51820
PRIVATE = base64.b64encode(b"\x10" + b"\x11" * 30 + b"\x51").decode()  # clamped as keys must be
FEW = 60  # too many for one message of the reference


def key(n, fill=0xAA):
    return base64.b64encode(struct.pack(">H", n) + bytes([fill]) * 30).decode()


def psk(n):
    """Every other peer has none."""
    return None if n % 2 else key(n, 0x55)


def address(n):
    return f"10.77.{20 + n // 256}.{n % 256}"


def word(n):
    """The peer as our driver takes it."""
    return f"{key(n)},{psk(n) or '-'},{address(n)}"


class Reference:
    """A namespace with a WireGuard interface that wg(8) drives."""

    def __init__(self):
        self.ns = Namespace()
        self.ns.ip("link", "add", "wg0", "type", "wireguard")
        self.ns.interfaces.append("wg0")
        self.talker = genl.Talker(self.ns)
        self.folder = tempfile.TemporaryDirectory()

    def close(self):
        self.talker.close()
        self.folder.cleanup()
        self.ns.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def wg(self, *words):
        """The SET_DEVICE messages that it sends."""
        trace = os.path.join(self.folder.name, "trace")
        self.ns.run(*genl.TRACE, trace, "wg", "set", "wg0", *map(str, words))
        return genl.traced(trace, self.talker.family)

    def file(self, text):
        path = os.path.join(self.folder.name, "key")
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        return path

    def set_config(self):
        return self.wg("listen-port", PORT, "private-key", self.file(PRIVATE + "\n"))

    def set_peers(self, count=FEW):
        """In one command; /dev/null is how wg(8) is told that there is no preshared key."""
        words = []
        for n in range(count):
            secret = "/dev/null"
            if psk(n):
                secret = os.path.join(self.folder.name, str(n))
                with open(secret, "w", encoding="ascii") as f:
                    f.write(psk(n) + "\n")
            words += ["peer", key(n), "preshared-key", secret, "allowed-ips", f"{address(n)}/32"]
        return self.wg(*words)

    def remove_peer(self):
        return self.wg("peer", key(1), "remove")

    def dump(self):
        """The kernel's messages, and one line for each peer, as wg(8) tells them."""
        lines = []
        for line in self.ns.run("wg", "show", "wg0", "dump").splitlines()[1:]:
            public, secret, endpoint, ips, handshake, rx, tx, _ = line.split("\t")
            secret = secret.replace("(none)", base64.b64encode(bytes(32)).decode())
            ip = ips.split(",")[-1] if ips != "(none)" else "0.0.0.0/0"
            exact = int(ips.endswith("/32") and "," not in ips)
            ip = ip.split("/")[0] if exact else "-"
            lines.append(f"{public} {secret} {ip} {exact} {handshake} {rx} {tx} "
                         f"{endpoint.replace('(none)', '-')}")
        return self.talker.dump("wg0"), lines


def session(reference):
    """A phone connects: a handshake, bytes and an endpoint that the kernel has learnt."""
    phone = Namespace()
    try:
        run("ip", "link", "add", "wire", "netns", reference.ns.name, "type", "veth", "peer", "name",
            "wire", "netns", phone.name)
        for ns, end in ((reference.ns, 1), (phone, 2)):
            ns.ip("addr", "add", f"fd00::{end}/64", "dev", "wire", "nodad")
            ns.ip("link", "set", "wire", "up")
        phone.ip("link", "add", "wg0", "type", "wireguard")
        own, public = run("wg", "genkey").strip(), run("wg", "pubkey", stdin=PRIVATE).strip()
        phone.run("wg", "set", "wg0", "private-key", reference.file(own + "\n"), "peer", public,
                  "endpoint", f"[fd00::1]:{PORT}", "allowed-ips", "10.77.16.1/32")
        reference.wg("peer", run("wg", "pubkey", stdin=own).strip(), "allowed-ips",
                     "10.77.31.1/32")
        for ns, own in ((reference.ns, "10.77.16.1/20"), (phone, "10.77.31.1/20")):
            ns.ip("addr", "add", own, "dev", "wg0")
            ns.ip("link", "set", "wg0", "up")
        assert wait_for(lambda: "1 received" in phone.run(
            "ping", "-c1", "-W5", "10.77.16.1", check=False), 30)
    finally:
        phone.close()


def show(name, lines):
    print(f"== {name}", *lines, sep="\n")


def main():
    with Reference() as r:
        show("set_config.hex", map(genl.golden_line, r.set_config()))
        show("remove_peer.hex", map(genl.golden_line, r.remove_peer()))
        session(r)
        r.wg("peer", key(0), "preshared-key", r.file(psk(0) + "\n"), "allowed-ips",
             "10.77.20.0/32", "endpoint", "192.0.2.1:4500", "persistent-keepalive", 25)
        r.wg("peer", key(1), "allowed-ips", "10.77.20.1/32,2001:db8::/64")
        r.wg("peer", key(2))
        found, lines = r.dump()
        show("dump_few.hex", map(genl.golden_line, found))
        show("dump_few.txt", lines)
    with Reference() as r:
        show("set_peers.hex", map(genl.golden_line, r.set_peers()))
        r.wg("peer", key(9), "allowed-ips", ",".join(
            f"10.{64 + n // 256}.{n % 256}.0/24" for n in range(250)))
        found, lines = r.dump()
        show("dump_continued.hex", map(genl.golden_line, found))
        show("dump_continued.txt", lines)
    print("==")


if __name__ == "__main__":
    main()
