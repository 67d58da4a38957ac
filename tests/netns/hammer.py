# SPDX-License-Identifier: GPL-2.0-or-later
"""A phone that sends without end to everything it may not reach, and what of it arrives anywhere."""

import collections
import contextlib
import socket
import struct
import threading
import time

import lab as place
from packets import ICMP, TCP, UDP, Delivered, Raw, echo_request, into_tunnel, packet, tcp, udp

MARK = b"hammered"
PAUSE = 0.001  # seconds between blows of a few packets: no more than the tunnel takes beside others
BLOW = 6

Arrival = collections.namedtuple("Arrival", "machine time packet")


class Hammer:
    """`house` is a MatrixHouse, whose first phone may reach printer a. `arrived` is what came where
    it must not, `sent` the number of packets, once the block has ended."""

    def __init__(self, house):
        self.house = house
        self.packets = self._packets()
        self.arrived = []
        self.sent = 0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.stack = contextlib.ExitStack()

    def _packets(self):
        house, source, out = self.house, self.house.phone.address, []
        vpn = house.vpn(house.alpha)
        for target in (vpn, house.phone.gateway, house.vpn(house.beta), house.phone2.address,
                       place.A, place.B, place.HOST, place.GATEWAY_LAN, place.GATEWAY_WAN,
                       place.PUBLIC, "10.77.31.255", "224.0.0.251"):
            granted = target in (vpn, house.phone.gateway)
            for port in (22, *(() if granted else (8080,))):
                out.append(packet(source, target, TCP, tcp(source, target, 4600, port, data=MARK)))
            for port in (53, *(() if granted else (5000,))):
                out.append(packet(source, target, UDP, udp(4600, port, MARK)))
            if not granted:
                out.append(packet(source, target, ICMP, echo_request(MARK)))
        return out

    def __enter__(self):
        house = self.house
        key = house.phone.config["Peer"]["PublicKey"]
        house.phone.node.run("wg", "set", house.phone.interface, "peer", key,
                             "persistent-keepalive", "1")
        self.witnesses = {name: self.stack.enter_context(Raw(node, interface))
                          for name, node, interface in (
                              ("printer a", house.printer_a, "lan"),
                              ("printer b", house.printer_b, "lan"), ("host", house.host, "lan"),
                              ("internet", house.internet, "street"),
                              ("phone 2", house.phone2.node, house.phone2.interface))}
        self.witnesses["gateway"] = self.stack.enter_context(Delivered(house.gate))
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()
        self.stack.close()

    def _run(self):
        send = into_tunnel(self.house.phone)
        at = 0
        while not self.done.wait(PAUSE):
            send(*self.packets[at:at + BLOW])
            self.sent += len(self.packets[at:at + BLOW])
            at = at + BLOW if at + BLOW < len(self.packets) else 0
            self._look()
        self._look()

    def _look(self):
        now = time.monotonic()
        for machine, witness in self.witnesses.items():
            self.arrived += [Arrival(machine, now, p) for p in witness.take() if MARK in p]

    def verdict(self):
        """A sentence that tells what arrived, "" if nothing did."""
        if not self.arrived:
            return ""
        kinds = collections.Counter(
            (a.machine, socket.inet_ntoa(a.packet[16:20]), a.packet[9],
             struct.unpack("!H", a.packet[22:24])[0]) for a in self.arrived)
        span = self.arrived[-1].time - self.arrived[0].time
        return (f"{len(self.arrived)} of {self.sent} packets arrived within {span:.3f} s "
                "(machine, destination, protocol, port): " +
                ", ".join(f"{k}: {n}" for k, n in kinds.most_common(20)))
