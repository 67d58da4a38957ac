# SPDX-License-Identifier: GPL-2.0-or-later
"""What a packet costs on its way through the policy, and what changing the policy costs.

    phone ==t0/pgt0== gateway --lan0/eth0-- printer

`pgt0` is one end of a veth pair in the tunnel's stead, or a real WireGuard interface. All variants
stand side by side and are measured by turns.
"""

import os
import subprocess

from figures import by_turns
from tools import (BUILD, LAN_GATEWAY, LAN_PRINTER, PORT, TUNNEL, VPN, Node, Program, address,
                   await_that, cable, nft_driver, nft_load)

PACKETS = 16384
ROUNDS = 25
TUNNEL_PACKETS = 8192

CONNTRACK = """table ip tracked {
    chain every { type filter hook forward priority 0; ct state invalid drop; }
}"""


class Path:
    """`policy` is None (nothing at all), "conntrack", or a number of grants."""

    def __init__(self, policy, wireguard=False):
        self.phone, self.gate, self.printer = Node("phone"), Node("gate"), Node("printer")
        self.nodes = (self.phone, self.gate, self.printer)
        self.driver = None
        self._lan()
        if wireguard:
            self._wireguard()
        else:
            self._veth()
        self.phone.run("ip", "route", "add", "local", "10.77.64.0/18", "dev", "lo")
        if policy == "conntrack":
            self.gate.nft(CONNTRACK)
        elif policy:
            self.driver = nft_driver(self.gate, "pgt0", policy)
        self.gate.sysctl("net.ipv4.ip_forward", 1)
        self.blast = Program(
            os.path.join(BUILD, "bench", "blast"), f"/proc/{self.phone.init}/ns/net",
            f"/proc/{self.printer.init}/ns/net", address(0),
            VPN if self.driver else LAN_PRINTER, PORT)

    def _lan(self):
        for node in self.nodes:
            node.sysctl("net.ipv4.conf.all.rp_filter", 0)
            node.sysctl("net.ipv4.conf.default.rp_filter", 0)
        cable(self.gate, "lan0", self.printer, "eth0")
        self.gate.address("lan0", f"{LAN_GATEWAY}/24")
        self.printer.address("eth0", f"{LAN_PRINTER}/24")
        self.printer.ip(f"route add default via {LAN_GATEWAY}")

    def _veth(self):
        """No ARP, and the same address at both ends: like WireGuard it takes whatever is routed in."""
        cable(self.gate, "pgt0", self.phone, "t0")
        for node, name in ((self.gate, "pgt0"), (self.phone, "t0")):
            node.ip(f"link set {name} address 02:00:00:00:00:01 arp off mtu 1420 up")
        self.gate.ip(f"address add 10.77.0.1/{TUNNEL.split('/')[1]} dev pgt0")
        self.phone.ip("route add default dev t0")

    def _wireguard(self):
        cable(self.gate, "wan0", self.phone, "wan0")
        self.gate.address("wan0", "192.0.2.1/24")
        self.phone.address("wan0", "192.0.2.2/24")
        keys = {}
        for node, name in ((self.gate, "pgt0"), (self.phone, "t0")):
            keys[node] = node.out("wg", "genkey").strip()
            if node.run("ip", "link", "add", name, "type", "wireguard", check=False).returncode:
                node.start(["wireguard-go", "-f", name])
            await_that(lambda n=node, i=name: not n.run("wg", "show", i, check=False).returncode)
        self._peer(self.gate, "pgt0", keys, self.phone, "10.77.64.0/18")
        self._peer(self.phone, "t0", keys, self.gate, "0.0.0.0/0", "endpoint", "192.0.2.1:51820")
        for node, name in ((self.gate, "pgt0"), (self.phone, "t0")):
            node.ip(f"link set {name} mtu 1420 up")
        self.gate.ip(f"address add 10.77.0.1/{TUNNEL.split('/')[1]} dev pgt0")
        self.phone.ip("route add 10.77.0.0/18 dev t0")
        self.phone.ip("route add 192.168.5.0/24 dev t0")

    @staticmethod
    def _peer(node, name, keys, other, allowed, *more):
        public = subprocess.run(["wg", "pubkey"], input=keys[other], capture_output=True, text=True,
                                check=True).stdout.strip()
        node.run("wg", "set", name, "private-key", "/proc/self/fd/0", "listen-port", "51820", "peer",
                 public, "allowed-ips", allowed, *more, stdin=keys[node])

    def measure(self, packets, flows):
        """Nanoseconds a packet: (up, down, wall)."""
        up, down, wall, lost = map(int, self.blast.ask(f"{packets} {flows}").split())
        if lost > packets / 1000:
            raise RuntimeError(f"{lost} of {packets} datagrams were lost")
        return up / packets, down / packets, wall / packets / 2

    def close(self):
        self.blast.close()
        if self.driver:
            self.driver.close()
        for node in self.nodes:
            node.close()


def show(nanoseconds):
    return f"{nanoseconds:.0f} ns"


def _speeds(figures, name, flows, policy, bare, tracked, goal):
    """Speed ÷ bare speed: time of the bare path ÷ time of the other. Both ways together have the
    goal."""
    rounds = by_turns(ROUNDS, bare=lambda: bare.measure(PACKETS, flows),
                      tracked=lambda: tracked.measure(PACKETS, flows),
                      policy=lambda: policy.measure(PACKETS, flows))
    for what, who, aim in (("conntrack alone", "tracked", None), ("policy", "policy", goal)):
        pick = {"both ways": lambda v: v[0] + v[1], "to the printer": lambda v: v[0],
                "from the printer": lambda v: v[1]}
        for way, cost in pick.items():
            figures.ratio(f"forward.{name}: {what}, {way}",
                          [cost(v) for v in rounds["bare"]], [cost(v) for v in rounds[who]],
                          aim if way == "both ways" else None, least=True, show=show)


def forward(figures):
    figures.head("Small packets over veth, through everything ÷ with no firewall at all (speed)")
    paths = {policy: Path(policy) for policy in (None, "conntrack", 10, 10000)}
    for grants, flows, goal in ((10, 10, 0.78), (10000, 1000, 0.73)):
        _speeds(figures, f"{grants}_grants", flows, paths[grants], paths[None],
                paths["conntrack"], goal)
    for path in paths.values():
        path.close()


def tunnel(figures, count=ROUNDS, packets=TUNNEL_PACKETS):
    figures.head("The same through real WireGuard: policy ÷ none (speed)")
    off, on = Path(None, wireguard=True), Path(10, wireguard=True)
    for path in (off, on):
        path.blast.ask("32 1")  # the handshake
    rounds = by_turns(count, off=lambda: off.measure(packets, 10)[2],
                      on=lambda: on.measure(packets, 10)[2])
    figures.ratio("tunnel.policy_on_off", rounds["off"], rounds["on"], 0.97, least=True, show=show)
    for path in (off, on):
        path.close()


# ---- changing the rules ------------------------------------------------------------------------------


def nft(figures):
    figures.head("Changing the rules")
    node = {n: Node("gate") for n in (10, 10000)}
    driver = {n: nft_driver(node[n], "pgt0", n) for n in node}

    def change(n, what):
        driver[n].tell("begin delta")
        driver[n].tell(f"grant {what} {address(20000)} {VPN} 0")
        driver[n].do("commit")
        return driver[n].took()

    def pair(n):
        return change(n, "put"), change(n, "del")

    rounds = by_turns(51, few=lambda: pair(10), many=lambda: pair(10000))
    for i, what in enumerate(("add", "remove")):
        figures.ratio(f"nft.{what}_one: with 10,000 ÷ with 10", [v[i] for v in rounds["many"]],
                      [v[i] for v in rounds["few"]], 1.2)
    loads = by_turns(9, load=lambda: nft_load(driver[10000], 10000))["load"]
    figures.put("nft.load_10000: one transaction", [v / 1e6 for v in loads], unit=" ms")
    for n in node:
        driver[n].close()
        node[n].close()
