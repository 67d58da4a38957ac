# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules for IPv6, met by packets: page, ping and the gateway machine as a printer; nothing else,
though this gateway is a router for IPv6. And each single rule of the second family is needed."""

import contextlib
import socket
import struct
import time

import pytest

from nftlab import (GATEWAY, GATEWAY6, GOLDEN, GOLDEN6, LAN_PRINTER, MAIN, MAIN6, PATIENCE, PHONE,
                    PHONE6, PRINTER6, SELF, SELF6, STRANGER6, TUNNEL6, BASE6, Driver, Lab, rules_of,
                    udp_datagram, ping, simple, tcp, udp)

LAN6_GATEWAY, LAN6_PRINTER = "fd50::1", "fd50::10"
SPARE6 = BASE6 + "a4d:104d"  # an address of the house that is nobody's


class Lab6(Lab):
    """The same world in both families. The gateway forwards IPv6, for somebody else's sake."""

    def __init__(self):
        super().__init__()
        self.driver.close()
        self.driver = Driver(self.gateway, tunnel6=TUNNEL6)

    def _tunnel(self):
        super()._tunnel()
        self.gateway.ip("addr", "add", f"{GATEWAY6}/116", "dev", "pgt0", "nodad")
        for address in (STRANGER6, PHONE6):
            self.phone.ip("addr", "add", f"{address}/128", "dev", "t0", "nodad")
        self.phone.ip("route", "add", "default", "dev", "t0", "src", PHONE6)

    def _servers(self):
        self.gateway.sh("sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
        self.gateway.sh("sysctl", "-qw", "net.ipv6.icmp.ratelimit=0")
        self.gateway.ip("addr", "add", f"{LAN6_GATEWAY}/64", "dev", "lan0", "nodad")
        self.lan.ip("addr", "add", f"{LAN6_PRINTER}/64", "dev", "eth0", "nodad")
        self.lan.ip("route", "add", "fd77::/16", "via", LAN6_GATEWAY)
        super()._servers()
        for address, port in (("::", 80), ("::", 8000), (GATEWAY6, 51880)):
            self._tcp(self.gateway, address, port, socket.AF_INET6)
        self._udp(self.gateway, GATEWAY6, 71)
        self._tcp(self.lan, "::", 80, socket.AF_INET6)
        self._tcp(self.phone, "::", 80, socket.AF_INET6)

    def load(self):
        assert self.driver.change(MAIN + MAIN6, "full") == "ok"

    def send_raw6(self, where, source, destination, protocol, payload):
        """An IPv6 packet of our own making: IPPROTO_RAW means that the header is in it."""
        header = struct.pack("!IHBB16s16s", 6 << 28, len(payload), protocol, 64,
                             *(socket.inet_pton(socket.AF_INET6, a) for a in (source, destination)))
        with where.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW) as s:
            with contextlib.suppress(PermissionError):  # dropped on the way out
                s.sendto(header + payload, (destination, 0))


@pytest.fixture(scope="module")
def world():
    w = Lab6()
    yield w
    w.close()


@pytest.fixture
def lab(world):
    world.load()
    return world


def icmp6_message(source, destination, kind, code, data):
    def checksum(octets):
        total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        return ~total & 0xFFFF

    data += b"\0" * (len(data) % 2)
    bare = struct.pack("!BBHI", kind, code, 0, 0x12340001) + data
    pseudo = b"".join(socket.inet_pton(socket.AF_INET6, a) for a in (source, destination))
    pseudo += struct.pack("!II", len(bare), 58)
    return bare[:2] + struct.pack("!H", checksum(pseudo + bare)) + bare[4:]


@pytest.mark.parametrize("how,address,port,by", [
    ("tcp", SELF6, 8000, f"{GATEWAY6}:8000"),
    ("udp", SELF6, 71, f"{GATEWAY6}:71"),
    ("tcp", GATEWAY6, 80, f"{GATEWAY6}:51880"),
])
def test_reached(lab, how, address, port, by):
    assert getattr(lab, how)(lab.phone, address, port) == by


def test_ping(lab):
    for address in (GATEWAY6, SELF6):
        assert lab.ping(lab.phone, address) == "answer"
    for address in (PRINTER6, SPARE6, LAN6_PRINTER, LAN6_GATEWAY, STRANGER6[:-1] + "9"):
        assert lab.ping(lab.phone, address) == "no answer"


@pytest.mark.parametrize("address,port", [
    (SELF6, 22), (SELF6, 80), (SELF6, 51880), (GATEWAY6, 22), (GATEWAY6, 8000), (GATEWAY6, 51880),
    (SPARE6, 80), (LAN6_PRINTER, 80), (LAN6_GATEWAY, 22), (LAN6_GATEWAY, 8000),
])
def test_refused_tcp_at_once(lab, address, port):
    start = time.monotonic()
    assert lab.tcp(lab.phone, address, port) == "refused"
    assert time.monotonic() - start < PATIENCE / 2


def test_a_lan_printer_has_no_ipv6(lab):
    """It is granted, and there is no way to it by IPv6: no map, no target, no transit."""
    marker = b"is anybody there?"
    for port in (80, 505):
        assert not lab.sniff(lab.lan, "eth0", lambda at=port: lab.send_raw6(
            lab.phone, PHONE6, PRINTER6, 17, udp_datagram(9, at, marker)), marker)
        assert lab.tcp(lab.phone, PRINTER6, port) in ("refused", "unreachable")


@pytest.mark.parametrize("address,port", [(SELF6, 70), (GATEWAY6, 53), (LAN6_PRINTER, 70)])
def test_refused_udp_at_once(lab, address, port):
    assert lab.udp(lab.phone, address, port) == "unreachable"


def test_a_peer_without_grant(lab):
    assert lab.tcp(lab.phone, SELF6, 8000, source=STRANGER6) == "refused"
    assert lab.ping(lab.phone, SELF6, source=STRANGER6) == "no answer"
    assert lab.tcp(lab.phone, GATEWAY6, 80, source=STRANGER6) == f"{GATEWAY6}:51880"


@pytest.mark.parametrize("source", ["fd50::77", SPARE6, GATEWAY6, "fd77:1:2:3:0:1:a4d:1401",
                                    "fe80::1"])
def test_borrowed_source(lab, source):
    for destination in (SELF6, GATEWAY6, LAN6_PRINTER):
        marker = f"borrowed {source} {destination}".encode()
        for where, interface in ((lab.lan, "eth0"), (lab.phone, "t0")):
            assert not lab.sniff(where, interface, lambda to=destination, data=marker: (
                lab.send_raw6(lab.phone, source, to, 17, udp_datagram(9, 71, data)),
                lab.send_raw6(lab.phone, source, to, 58, icmp6_message(source, to, 128, 0, data)),
            ), marker)


def test_icmp_other_than_echo(lab):
    """Errors, neighbour and router discovery, redirects: no answer and no effect, on all alike."""
    for kind in (1, 2, 129, 134, 135, 137):
        for to in (SELF6, LAN6_PRINTER):
            marker = b"icmp %d to " % kind + to.encode()
            assert not lab.sniff(lab.lan, "eth0", lambda k=kind, at=to, data=marker: lab.send_raw6(
                lab.phone, PHONE6, at, 58, icmp6_message(PHONE6, at, k, 0, data)), marker)
    assert lab.gateway.ip("-6", "route", "show", "default") == ""


def test_nobody_routes_into_the_tunnel(lab):
    for address in (PHONE6, GATEWAY6, SELF6):
        for port in (80, 51880):
            assert lab.tcp(lab.lan, address, port) == "silence"
        assert lab.ping(lab.lan, address) == "no answer"


def test_the_gateway_itself(lab):
    assert lab.tcp(lab.lan, LAN6_GATEWAY, 22) == f"{LAN6_GATEWAY}:22"
    assert lab.tcp(lab.gateway, LAN6_PRINTER, 80) == f"{LAN6_PRINTER}:80"
    assert lab.tcp(lab.gateway, GATEWAY6, 51880) == f"{GATEWAY6}:51880"
    assert lab.tcp(lab.gateway, PHONE6, 80) == "silence"
    assert lab.ping(lab.gateway, PHONE6) == "no answer"


def test_revoking_stops_a_stream(lab):
    with lab.stream(SELF6, source=PHONE6) as flows:
        assert flows()
        assert lab.driver.change(f"grant del {PHONE} {SELF} 0") == "ok"
        assert not flows()
        assert lab.driver.change(f"grant put {PHONE} {SELF} 0") == "ok"
        assert flows()
        assert lab.driver.change(f"grant put {PHONE} {SELF} 1") == "ok"
        assert flows()
        time.sleep(1.2)
        assert not flows()


# ---- each rule is needed ------------------------------------------------------------------------
# As in test_nft_packets.py, for the rules that the second family adds.

def granted_stream(change):
    def ask(lab, mutate):
        with lab.stream(SELF6, source=PHONE6) as flows:
            assert flows()
            mutate()
            assert lab.driver.change(change) == "ok"
            return flows()
    return ask


def spoofed_ping(lab):
    marker = b"does this come back?"
    return lab.sniff(lab.phone, "t0", lambda: lab.send_raw6(
        lab.phone, SPARE6, GATEWAY6, 58, icmp6_message(SPARE6, GATEWAY6, 128, 0, marker)), marker)


def astray(lab, mutate):
    """Does what is for a phone go elsewhere, where its own way is gone?"""
    lab.gateway.ip("route", "add", f"{PHONE6}/128", "via", LAN6_PRINTER)
    try:
        mutate()
        marker = b"in the clear"
        return lab.sniff(lab.lan, "eth0", lambda: lab.send_raw6(
            lab.gateway, LAN6_GATEWAY, PHONE6, 17, udp_datagram(9, 70, marker)), marker)
    finally:
        lab.gateway.ip("route", "del", f"{PHONE6}/128", "via", LAN6_PRINTER)


CT = "ct original ip6 daddr . ct reply ip6 saddr"
IN, OUT = "ip6 daddr . meta l4proto . th dport", "ip6 saddr . meta l4proto . th sport"
NEEDED = {
    ("from_tunnel", f'ip6 daddr {BASE6}a4d:1000/116 iifname != "pgt0" iifgroup != 20551 '
                    'iifname != "lo" drop'): simple(lambda lab: lab.tcp(lab.lan, GATEWAY6, 51880)),
    ("from_tunnel", f"ip6 saddr != {PHONE6[:-4]}1400-{PHONE6[:-4]}1ffe drop"):
        simple(spoofed_ping),
    ("from_tunnel", f"ip6 daddr {GATEWAY6} tcp dport 80 accept"): tcp(GATEWAY6, 80),
    ("from_tunnel", f"ip6 daddr {GATEWAY6} icmpv6 type echo-request accept"): ping(GATEWAY6),
    ("from_tunnel", "ip6 saddr . ip6 daddr != @grants6 goto refuse"): tcp(SELF6, 8000, STRANGER6),
    ("from_tunnel", "icmpv6 type echo-request accept"): ping(SELF6),
    ("from_tunnel", f"{IN} @services6 accept"): tcp(SELF6, 8000),
    ("from_tunnel", f"{IN} @ranges6 accept"): udp(SELF6, 71),
    ("to_printer", f"ip6 daddr {GATEWAY6} tcp dport 80 dnat ip6 to [{GATEWAY6}]:51880"):
        tcp(GATEWAY6, 80),
    ("to_printer", "dnat ip6 to ip6 daddr map @printers6"): tcp(SELF6, 8000),
    ("to_self", f"ip6 daddr {GATEWAY6} ct original ip6 daddr {GATEWAY6} accept"): tcp(GATEWAY6, 80),
    ("to_self", f"{CT} @targets6 accept"): tcp(SELF6, 8000),
    ("unasked", "iif 0 icmpv6 type destination-unreachable accept"): udp(SELF6, 69),
    ("to_tunnel", f'ip6 daddr {BASE6}a4d:1000/116 oifname != "pgt0" oifgroup != 20551 '
                  'oifname != "lo" drop'): astray,
    ("to_tunnel", f"ip6 saddr {GATEWAY6} tcp sport 80 accept"): tcp(GATEWAY6, 80),
    ("to_tunnel", f"ip6 saddr {GATEWAY6} icmpv6 type echo-reply accept"): ping(GATEWAY6),
    ("to_tunnel", "ip6 daddr . ip6 saddr != @grants6 drop"):
        granted_stream(f"grant del {PHONE} {SELF} 0"),
    ("to_tunnel", f"{CT} != @targets6 drop"): granted_stream(f"printer put {SELF} {LAN_PRINTER}"),
    ("to_tunnel", "icmpv6 type echo-reply accept"): ping(SELF6),
    ("to_tunnel", f"{OUT} @services6 accept"): tcp(SELF6, 8000),
    ("to_tunnel", f"{OUT} @ranges6 accept"): udp(SELF6, 71),
}
ADDED = [rule for rule in rules_of(GOLDEN6.read_text())
         if rule not in set(rules_of(GOLDEN.read_text()))]


def test_the_first_family_keeps_its_rules():
    assert [r for r in rules_of(GOLDEN6.read_text()) if r not in ADDED] == list(
        rules_of(GOLDEN.read_text()))
    assert GATEWAY in GOLDEN6.read_text() and set(ADDED) == set(NEEDED)


@pytest.mark.parametrize("chain,rule", ADDED)
def test_rule_is_needed(lab, chain, rule):
    answers = []
    for mutate in (lambda: None, lambda: lab.delete_rule(chain, rule)):
        lab.load()
        answers.append(NEEDED[chain, rule](lab, mutate))
    assert answers[0] != answers[1]
