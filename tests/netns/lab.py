# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab: two phones, each behind its NAT router, the internet, a gateway, and the LAN with two
printers and another host. Nothing of it is visible outside, so any number of labs run side by side.

  phone ── nat1 ─┐                            ┌─ printer-a  192.168.50.11
                 internet ── home ── lan ─────┼─ printer-b  192.168.50.12
  phone2 ─ nat2 ─┘   └─ gateway ──────┘       └─ host       192.168.50.20

The gateway is on the internet itself, or (behind_router) only on the LAN and the home router
forwards one UDP port to it.
"""

import os
import shutil
import tempfile

from gateway import Gateway
from node import Node, addressing, cabling
from phone import Phone

PORT = 51820
LAN = "192.168.50.0/24"
A, B, HOST = "192.168.50.11", "192.168.50.12", "192.168.50.20"
GATEWAY_LAN = "192.168.50.2"
HOME_LAN = "192.168.50.1"
GATEWAY_WAN = "203.0.113.10"
HOME_WAN = "203.0.113.20"
PUBLIC = "203.0.113.80"  # a host on the internet
LAN6 = "fd50::"
PUBLIC6 = "2001:db8:1::1"


class Lab:
    def __init__(self, behind_router=False, programs=True, **gateway_options):
        self.behind_router = behind_router
        self.folder = tempfile.mkdtemp(prefix="printgate-lab-")
        self.nodes = []
        self.servers = []
        self.gateway = None
        try:
            self._make_nodes()
            self._make_internet()
            self._make_lan()
            self._make_gateway()
            self.phone = self._make_phone(1)
            self.phone2 = self._make_phone(2)
            if programs:
                self.gateway = Gateway(self.gate, f"{self.public_address}:{PORT}",
                                       **gateway_options)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for server in reversed(self.servers):
            server.close()
        for node in self.nodes:
            node.end()
        for node in self.nodes:
            node.close()
        if self.gateway:
            self.gateway.close()
        shutil.rmtree(self.folder)

    def serve(self, server):
        """Ends it with the lab."""
        self.servers.append(server)
        return server

    @property
    def public_address(self):
        return HOME_WAN if self.behind_router else GATEWAY_WAN

    def node(self, name):
        node = Node(name)
        self.nodes.append(node)
        # a new namespace inherits some of these from the machine: say what they are
        node.sysctl("net.ipv4.ip_forward", 0)
        node.sysctl("net.ipv4.conf.all.rp_filter", 0)
        node.sysctl("net.ipv4.conf.default.rp_filter", 0)
        # every refusal is answered, however many come in a second
        # The mask and not the rate: a rate of 0 empties, in kernels as old as 6.1, the bucket from
        # which a prohibited route's answers are taken as well.
        node.sysctl("net.ipv4.icmp_ratemask", 0)
        node.sysctl("net.ipv6.icmp.ratelimit", 0)
        node.sysctl("net.ipv6.icmp.ratemask", 127)  # not those that are limited for all together
        return node

    def _make_nodes(self):
        self.internet = self.node("internet")
        self.home = self.node("home")
        self.lan = self.node("lan")
        self.gate = self.node("gate")
        self.printer_a = self.node("printer-a")
        self.printer_b = self.node("printer-b")
        self.host = self.node("host")

    # A street is made by its own node: bridge and cables in one batch; then each house at it.

    def _make_internet(self):
        net = self.internet
        net.sysctl("net.ipv4.ip_forward", 1)
        gate = [] if self.behind_router else _port(self.gate, "wan", "street")
        net.batch("link add street type bridge",
                  *addressing("street", "203.0.113.1/24", f"{PUBLIC}/24", f"{PUBLIC6}/64"),
                  *_port(self.home, "wan", "street"), *gate)
        self.home.batch(*addressing("wan", f"{HOME_WAN}/24"),
                        "route add default via 203.0.113.1")

    def _make_lan(self):
        self.lan.batch("link add lan type bridge", "link set lan up",
                       *(line for node in (self.home, self.printer_a, self.printer_b, self.host,
                                           self.gate) for line in _port(node, "lan", "lan")))
        for node, last in ((self.home, 1), (self.printer_a, 11), (self.printer_b, 12),
                           (self.host, 20)):
            node.batch(*addressing("lan", f"192.168.50.{last}/24", f"{LAN6}{last}/64"),
                       *([] if node is self.home else [f"route add default via {HOME_LAN}"]))
        self.home.sysctl("net.ipv4.ip_forward", 1)
        masquerade(self.home, "wan")

    def plug_lan(self, node, *addresses):
        """Another machine in the LAN, or another interface of one."""
        self.lan.batch(*_port(node, "lan", "lan"))
        node.address("lan", *addresses)

    def _make_gateway(self):
        lines = addressing("lan", f"{GATEWAY_LAN}/24", f"{LAN6}2/64")
        if self.behind_router:
            self.gate.batch(*lines, f"route add default via {HOME_LAN}")
            self.home.nft(f"""table ip forwarding {{
                chain in {{ type nat hook prerouting priority dstnat;
                    iifname "wan" udp dport {PORT} dnat to {GATEWAY_LAN}
                }}
        }}""")
        else:
            self.gate.batch(*lines, *addressing("wan", f"{GATEWAY_WAN}/24", "2001:db8:1::10/64"),
                            "route add default via 203.0.113.1",
                            f"route add default via {PUBLIC6}")

    def _make_phone(self, number):
        router = self.node(f"nat{number}")
        node = self.node("phone" if number == 1 else f"phone{number}")
        router.sysctl("net.ipv4.ip_forward", 1)
        self.internet.batch(cabling(f"isp{number}", router, "wan"),
                            *addressing(f"isp{number}", f"198.51.100.{number * 4 + 1}/30"))
        router.batch(cabling("inside", node, "mobile"),
                     *addressing("wan", f"198.51.100.{number * 4 + 2}/30"),
                     f"route add default via 198.51.100.{number * 4 + 1}",
                     *addressing("inside", "10.20.0.1/24"))
        masquerade(router, "wan")
        node.batch(*addressing("mobile", "10.20.0.2/24"), "route add default via 10.20.0.1")
        return Phone(node, self.folder)


def _port(node, interface, bridge):
    """Lines for the bridge's node: a cable from a port of it to the node's interface."""
    port = node.name[:15]
    return [cabling(port, node, interface), f"link set {port} master {bridge} up"]


def masquerade(node, interface):
    node.nft(f"""table ip outgoing {{
        chain out {{ type nat hook postrouting priority srcnat;
            oifname "{interface}" masquerade
        }}
        }}""")
