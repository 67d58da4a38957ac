# SPDX-License-Identifier: GPL-2.0-or-later
"""A phone: a node with a WireGuard client that knows nothing but a config's text, as its app."""

import ipaddress
import os
import subprocess
import threading

from node import BACKEND, ENV, addressing, await_that
from probes import ping


def read_qr(path):
    """The config in a QR code picture, as ZBar reads it."""
    done = subprocess.run(["zbarimg", "--quiet", "--raw", path], capture_output=True, env=ENV)
    assert done.returncode == 0, f"zbarimg: {done.stderr.decode()}"
    return done.stdout.decode()


def parse(config):
    """{section: {key: value}} of a config's text."""
    sections = {}
    for line in config.splitlines():
        line = line.strip()
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), {})
        elif line:
            key, _, value = line.partition("=")
            section[key.strip()] = value.strip()
    return sections


def make_wireguard(node, interface, log=None):
    """A WireGuard interface that is nobody's yet: the kernel's where that is what is tested."""
    if BACKEND == "kernel":
        node.ip(f"link add {interface} type wireguard")
        return
    node.start(["wireguard-go", "-f", interface], log=log)
    await_that(lambda: not node.run("wg", "show", interface, check=False).returncode,
               what=f"{node.name}'s wireguard-go")


class Phone:
    def __init__(self, node, folder):
        self.node = node
        self.interface = "wg0"
        self.folder = os.path.join(folder, node.name)
        os.makedirs(self.folder, mode=0o700)
        self.config = None

    def join(self, config):
        """Brings the tunnel up as wg-quick would: keys and peer, address, route."""
        self.config = parse(config)
        path = os.path.join(self.folder, f"{self.interface}.conf")
        with open(path, "w", opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write(config)
        stripped = self.node.out("wg-quick", "strip", path)
        make_wireguard(self.node, self.interface, os.path.join(self.folder, "wireguard-go.log"))
        self.node.run("wg", "setconf", self.interface, "/dev/stdin", stdin=stripped)
        self.node.batch(*addressing(self.interface,
                                    *self.config["Interface"]["Address"].split(", ")),
                        f"link set {self.interface} mtu 1280",
                        *(f"route add {prefix.strip()} dev {self.interface}"
                          for prefix in self.config["Peer"]["AllowedIPs"].split(",")))

    def renew(self):
        """Forgets the session, as an app that is switched off and on: the next packet begins one."""
        peer = self.config["Peer"]["PublicKey"]
        kept = self.node.out("wg", "showconf", self.interface)
        self.node.run("wg", "set", self.interface, "peer", peer, "remove")
        self.node.run("wg", "setconf", self.interface, "/dev/stdin", stdin=kept)

    def leave(self):
        """Ends the tunnel, for another config."""
        self.node.ip(f"link del {self.interface}")  # wireguard-go ends with it
        await_that(lambda: self.interface not in self.node.interfaces(), what="the tunnel's end")

    def grow_greedy(self, *prefixes):
        """What an owned phone would do: send anything into the tunnel, whatever the config says."""
        self.node.run("wg", "set", self.interface, "peer", self.config["Peer"]["PublicKey"],
                      "allowed-ips", "0.0.0.0/0,::/0")
        for prefix in prefixes:
            self.node.ip(f"route replace {prefix} dev {self.interface}")

    def _given(self, section, key, nth):
        return self.config[section][key].split(", ")[nth]

    @property
    def address(self):
        return str(ipaddress.ip_interface(self._given("Interface", "Address", 0)).ip)

    @property
    def house(self):
        return ipaddress.ip_network(self._given("Peer", "AllowedIPs", 0))

    @property
    def gateway(self):
        """The gateway's tunnel address: the first of the house."""
        return str(self.house[1])

    # The second family, where the gateway has one.

    @property
    def address6(self):
        return str(ipaddress.ip_interface(self._given("Interface", "Address", 1)).ip)

    @property
    def house6(self):
        return ipaddress.ip_network(self._given("Peer", "AllowedIPs", 1))

    @property
    def gateway6(self):
        return str(self.house6[1])

    def handshake(self):
        """Time of the latest handshake, 0 if there was none."""
        text = self.node.out("wg", "show", self.interface, "latest-handshakes")
        return int(text.split()[1]) if text.split() else 0

    def connect(self, seconds=20):
        """Awaits a handshake; returns its time."""
        pinger = threading.Thread(target=ping, args=(self.node, self.gateway, seconds), daemon=True)
        pinger.start()
        when = await_that(self.handshake, seconds, "a handshake")
        return when
