#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`make bench-kernel`: the figures that need WireGuard in the kernel, in a guest of Debian's own kernel.
wg(8) is what ours is compared with: both talk to the same kernel in the same run.

    kernel.py [PART…] [PEERS…]       parts: set add gateways tunnel; peers: 10 100 1000 10000
"""

import os
import sys

os.environ["PRINTGATE_BACKEND"] = "kernel"
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import gateways  # noqa: E402
import rates  # noqa: E402
from figures import Figures, by_turns  # noqa: E402
from tools import (Bench, Node, Spawner, address, private_key, random_key,  # noqa: E402
                   scratch, wg_driver)

SIZES = [10, 100, 1000, 10000]
ROUNDS = {10: 21, 100: 11, 1000: 7, 10000: 5}
ADD_ROUNDS = 41
INTERFACE = "pgbench"
WG = "/usr/bin/wg"


def show(nanoseconds):
    return f"{nanoseconds / 1e6:.2f} ms"


class Device:
    """A WireGuard interface in a namespace of its own, with a list of peers to give it."""

    def __init__(self, peers):
        self.node = Node(f"wg{peers}")
        self.key = private_key()
        self.peers = [(random_key(), random_key(), address(i)) for i in range(peers)]
        self.spawner = Spawner(self.node)
        self.file = self.write(self.peers)
        self.empty = self.write([])

    def write(self, peers):
        """A file for `wg setconf`; its path."""
        path = os.path.join(scratch(), f"{random_key().replace('/', '_')}.conf")
        with open(path, "w") as f:
            f.write(f"[Interface]\nPrivateKey = {self.key}\nListenPort = 51820\n")
            for public, psk, ip in peers:
                f.write(f"[Peer]\nPublicKey = {public}\nPresharedKey = {psk}\n"
                        f"AllowedIPs = {ip}/32\n")
        return path

    def words(self):
        return " ".join(map(",".join, self.peers))

    def by_wg(self):
        """All peers on a fresh interface by wg(8); nanoseconds."""
        self.node.run("ip", "link", "add", INTERFACE, "type", "wireguard")
        took = self.spawner.run(WG, "setconf", INTERFACE, self.file)
        self.spawner.run(WG, "setconf", INTERFACE, self.empty)  # or its end takes very long
        self.node.run("ip", "link", "del", INTERFACE)
        return took

    def by_us(self):
        driver = wg_driver(self.node, INTERFACE, "kernel")
        took = driver.took()  # the device's key
        driver.do(f"sync {self.words()}")
        took += driver.took()
        driver.do("sync")
        driver.do("down")
        driver.close()
        return took

    def close(self):
        self.spawner.close()
        self.node.close()


def set_all(figures, sizes):
    figures.head("All peers on a fresh interface: ours ÷ wg setconf")
    for n in sizes:
        device = Device(n)
        rounds = by_turns(ROUNDS[n], ours=device.by_us, wg=device.by_wg)
        figures.ratio(f"set_all.{n}", rounds["ours"], rounds["wg"], 1.1, show=show)
        device.close()


class Filled(Device):
    """One that has its peers; `put`, `set` and `sync` add one, and it is taken away again."""

    def __init__(self, peers):
        super().__init__(peers)
        self.driver = wg_driver(self.node, INTERFACE, "kernel")
        self.driver.do(f"sync {self.words()}")
        self.one = (random_key(), random_key(), address(peers))
        self.psk = os.path.join(scratch(), f"psk{peers}")
        with open(self.psk, "w") as f:
            f.write(self.one[1] + "\n")
        self.more = self.write([*self.peers, self.one])
        self.run(WG, "set", INTERFACE, "private-key", self._key_file())  # as the files say

    def _key_file(self):
        path = os.path.join(scratch(), f"key{len(self.peers)}")
        with open(path, "w") as f:
            f.write(self.key + "\n")
        return path

    def run(self, *words):
        return self.spawner.run(*words)

    def _away(self, took):
        self.driver.do(f"del {self.one[0]}")
        return took

    def put(self):
        self.driver.do("put " + ",".join(self.one))
        return self._away(self.driver.took())

    def set(self):
        return self._away(self.run(WG, "set", INTERFACE, "peer", self.one[0], "preshared-key",
                                   self.psk, "allowed-ips", self.one[2] + "/32"))

    def sync(self):
        return self._away(self.run(WG, "syncconf", INTERFACE, self.more))

    def dump(self):
        self.driver.do("dump")
        return self.driver.took()

    def show(self):
        return self.run(WG, "show", INTERFACE, "dump")

    def close(self):
        self.driver.do("sync")
        self.driver.do("down")
        self.driver.close()
        super().close()


def add_one(figures, sizes):
    devices = {n: Filled(n) for n in sizes}
    figures.head("One more peer, on an open socket: flat?")
    rounds = by_turns(ADD_ROUNDS, **{str(n): d.put for n, d in devices.items()})
    few, many = str(sizes[0]), sizes[-1]
    for n in sizes[1:]:
        figures.ratio(f"add_one: with {n} ÷ with {few}", rounds[str(n)], rounds[few], 1.2,
                      show=show)
    figures.head("One more peer: ours ÷ wg set; wg syncconf of the whole file ÷ ours")
    for n, device in devices.items():
        rounds = by_turns(ROUNDS[n], put=device.put, set=device.set, sync=device.sync)
        figures.ratio(f"add_one.{n}: ours ÷ wg set", rounds["put"], rounds["set"], show=show)
        figures.ratio(f"add_one.{n}: wg syncconf ÷ ours", rounds["sync"], rounds["put"],
                      50 if n == many == 10000 else None, least=True, show=show)
    figures.head("All peers' state: our dump ÷ wg show dump (a process)")
    for n, device in devices.items():
        rounds = by_turns(ROUNDS[n], ours=device.dump, wg=device.show)
        figures.ratio(f"dump.{n}", rounds["ours"], rounds["wg"], show=show)
    for device in devices.values():
        device.close()


# ---- the whole gateway ----------------------------------------------------------------------------


def enroll(figures, benches, syncconf):
    figures.head("Enrolling one phone: the whole process, its QR code drawn")
    outside = Spawner()

    def cli(bench):
        return outside.run(*bench.cli("enroll", bench.name(), "--printer", "printer"))

    sizes = list(benches)
    rounds = by_turns(ADD_ROUNDS, start=lambda: outside.run("/bin/true"),
                      **{str(n): lambda b=b: cli(b) for n, b in benches.items()})
    for n in sizes[1:]:
        figures.ratio(f"enroll: with {n} ÷ with {sizes[0]}", rounds[str(n)],
                      rounds[str(sizes[0])], 1.2, show=show)
    figures.put("enroll.bare process", gateways.millis(rounds["start"]), unit=" ms")
    if syncconf:
        syncs = [syncconf() for _ in range(3)]
        figures.ratio(f"wg syncconf of {sizes[-1]} ÷ enroll", syncs,
                      rounds[str(sizes[-1])][:len(syncs)], 50 if sizes[-1] == 10000 else None,
                      least=True, show=show)


def status(figures, benches):
    figures.head("printgate --json status ÷ wg show all dump")
    for n, bench in benches.items():
        inside = Spawner(bench.node)
        rounds = by_turns(
            ROUNDS[n], ours=lambda b=bench, s=inside: s.run(*b.cli("--json", "status")),
            wg=lambda s=inside: s.run(WG, "show", "all", "dump"))
        figures.ratio(f"status.{n}_peers", rounds["ours"], rounds["wg"],
                      1.5 if n == 10000 else None, show=show)
        inside.close()


def start(figures, benches):
    figures.head("From start to ready, nothing there yet: ÷ wg setconf of the same number of peers")
    for n, bench in benches.items():
        device = Device(n)
        rounds = by_turns(min(ROUNDS[n], 5), ours=lambda b=bench: gateways.start_anew(b),
                          wg=device.by_wg)
        figures.ratio(f"start.{n}", rounds["ours"], rounds["wg"], 1.1 if n == 10000 else None,
                      show=show)
        device.close()


def run_gateways(figures, sizes):
    benches = {n: Bench(n) for n in sizes}
    filled = Filled(sizes[-1])
    enroll(figures, benches, filled.sync)
    filled.close()
    status(figures, benches)
    gateways.idle(figures, {n: benches[n] for n in sizes if n in (10, 10000)})
    start(figures, benches)
    for bench in benches.values():
        bench.close()


PARTS = {"set": set_all, "add": add_one, "gateways": run_gateways,
         "tunnel": lambda figures, _: rates.tunnel(figures, 9, 1024)}


def main():
    sizes = [int(a) for a in sys.argv[1:] if a.isdigit()] or SIZES
    parts = [a for a in sys.argv[1:] if not a.isdigit()] or list(PARTS)
    figures = Figures()
    for part in parts:
        PARTS[part](figures, sizes)
    figures.end()


if __name__ == "__main__":
    main()
