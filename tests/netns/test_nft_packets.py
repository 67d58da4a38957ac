# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules, met by packets: what passes, what is refused, and that each single rule is needed."""

import contextlib
import errno
import select
import socket
import struct
import time

import pytest

from nftlab import (GATEWAY, GOLDEN, LAN_GATEWAY, LAN_OTHER, LAN_PRINTER, PATIENCE, PHONE, PRINTER,
                    SELF, STRANGER, UNMAPPED, WAN_HOST, Lab, icmp_message, rules_of, udp_datagram,
                    ping, simple, tcp, udp)


@pytest.fixture(scope="module")
def world():
    w = Lab()
    yield w
    w.close()


@pytest.fixture
def lab(world):
    world.load()
    return world


# ---- from the phone -----------------------------------------------------------------------------

LOG_GROUP = 20551  # daemon/priv/nft.h

REACHED = [
    ("tcp", PRINTER, 80, f"{LAN_PRINTER}:80"),
    ("tcp", PRINTER, 505, f"{LAN_PRINTER}:505"),
    ("udp", PRINTER, 70, f"{LAN_PRINTER}:70"),
    ("tcp", SELF, 8000, f"{GATEWAY}:8000"),
    ("tcp", GATEWAY, 80, f"{GATEWAY}:51880"),
    *[("udp", f"10.77.19.{i}", 70, f"192.168.5.{64 + i}:70") for i in range(8)],
    *[("tcp", f"10.77.19.{i}", 80, f"192.168.5.{64 + i}:80") for i in (0, 3, 7)],
]


@pytest.mark.parametrize("how,address,port,by", REACHED)
def test_reached(lab, how, address, port, by):
    assert getattr(lab, how)(lab.phone, address, port) == by


@pytest.mark.parametrize("address", [GATEWAY, PRINTER, SELF, "10.77.19.0", "10.77.19.7"])
def test_ping(lab, address):
    assert lab.ping(lab.phone, address) == "answer"


REFUSED_TCP = [
    (PRINTER, 81), (PRINTER, 22), (PRINTER, 499), (PRINTER, 511),  # no service of it
    (SELF, 22), (SELF, 80),
    ("10.77.19.3", 81), ("10.77.19.8", 80),  # just past the block
    (UNMAPPED, 80),  # granted, and no printer there
    (GATEWAY, 22), (GATEWAY, 81), (GATEWAY, 51880),  # the page's real port
    (LAN_PRINTER, 80), (LAN_OTHER, 80), (LAN_GATEWAY, 22), (LAN_GATEWAY, 80),
    (WAN_HOST, 80), ("203.0.113.1", 22),
    ("10.77.20.9", 80),
]


@pytest.mark.parametrize("address,port", REFUSED_TCP)
def test_refused_tcp_at_once(lab, address, port):
    start = time.monotonic()
    assert lab.tcp(lab.phone, address, port) == "refused"
    assert time.monotonic() - start < PATIENCE / 2


@pytest.mark.parametrize("address,port", [(PRINTER, 69), ("10.77.19.3", 80), (LAN_PRINTER, 70),
                                          (GATEWAY, 53), (WAN_HOST, 53), ("10.77.16.77", 70)])
def test_refused_udp_at_once(lab, address, port):
    assert lab.udp(lab.phone, address, port) == "unreachable"


@pytest.mark.parametrize("address", [UNMAPPED, "10.77.16.77", LAN_PRINTER, LAN_GATEWAY, WAN_HOST,
                                     "10.77.20.9", "10.77.19.8"])
def test_no_ping(lab, address):
    assert lab.ping(lab.phone, address) == "no answer"


def test_refused_ipv6(lab):
    assert lab.tcp(lab.phone, "fd00:77::1", 22) in ("refused", "unreachable", "silence")
    assert lab.ping(lab.phone, "fd00:77::1") == "no answer"


@pytest.mark.parametrize("address,port", [(PRINTER, 80), (PRINTER, 505), ("10.77.19.3", 80),
                                          (SELF, 8000)])
def test_a_peer_without_grant(lab, address, port):
    assert lab.tcp(lab.phone, address, port, source=STRANGER) == "refused"
    assert lab.tcp(lab.phone, GATEWAY, 80, source=STRANGER) == f"{GATEWAY}:51880"


@pytest.mark.parametrize("source", [LAN_OTHER, "10.77.16.77", GATEWAY, "10.77.31.255", WAN_HOST])
def test_borrowed_source(lab, source):
    """Not a peer's address: nothing is let in, whatever is granted to it."""
    assert lab.driver.change(f"grant put {source} {PRINTER} 0") == "ok"
    for destination in (PRINTER, GATEWAY, LAN_PRINTER):
        marker = f"borrowed {source} {destination}".encode()
        for where, interface in ((lab.lan, "eth0"), (lab.phone, "t0")):
            assert not lab.sniff(where, interface, lambda to=destination, data=marker: (
                lab.send_raw(lab.phone, source, to, 17, udp_datagram(9, 70, data)),
                lab.send_raw(lab.phone, source, to, 1, icmp_message(8, 0, data))), marker)


def test_icmp_other_than_echo(lab):
    """Redirects, timestamps, errors: none of them, also where a ping is granted."""
    for kind in (0, 3, 5, 11, 12, 13, 17):
        marker = b"icmp %d from the phone" % kind
        assert not lab.sniff(lab.lan, "eth0", lambda k=kind, data=marker: lab.send_raw(
            lab.phone, PHONE, PRINTER, 1, icmp_message(k, 0, data)), marker)


@pytest.mark.parametrize("protocol", [2, 4, 41, 47, 50, 132])
def test_other_protocols(lab, protocol):
    marker = b"protocol %d" % protocol
    assert not lab.sniff(lab.lan, "eth0", lambda: lab.send_raw(
        lab.phone, PHONE, PRINTER, protocol, b"\0\x50\0\x50" + marker), marker)


def test_fragments(lab):
    """The pieces of a granted datagram pass, put together; a piece alone does not."""
    marker = b"a piece of something"
    assert not lab.sniff(lab.lan, "eth0", lambda: lab.send_raw(
        lab.phone, PHONE, PRINTER, 17, marker * 4, fragment=3), marker)
    with lab.phone.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(PATIENCE)
        s.setsockopt(socket.IPPROTO_IP, 10, 0)  # IP_MTU_DISCOVER: fragments are allowed
        s.connect((PRINTER, 70))
        s.send(b"x" * 4000)
        assert s.recv(100).decode() == f"{LAN_PRINTER}:70"


def test_untracked_packet(lab):
    """A TCP packet that belongs to nothing is not led anywhere, though its port is granted."""
    marker = b"out of nowhere"
    for flags in (0x00, 0x04, 0x12, 0x29, 0x3F):
        segment = (b"\x10\0\0\x50" + b"\0\0\0\1" * 2 + bytes([0x50, flags]) + b"\x20\0" +
                   b"\0\0\0\0" + marker)
        for where, interface in ((lab.lan, "eth0"), (lab.wan, "eth0"), (lab.phone, "t0")):
            assert not lab.sniff(where, interface, lambda data=segment: lab.send_raw(
                lab.phone, PHONE, PRINTER, 6, data), marker)


# ---- from elsewhere -----------------------------------------------------------------------------

@pytest.mark.parametrize("address", [PHONE, GATEWAY, PRINTER, SELF, "10.77.19.1"])
def test_nobody_routes_into_the_tunnel(lab, address):
    for port in (80, 51880):
        assert lab.tcp(lab.lan, address, port, source=LAN_PRINTER) == "silence"
    assert lab.ping(lab.lan, address, source=LAN_PRINTER) == "no answer"


def test_the_gateway_itself(lab):
    """Its own services stay as they are for the LAN; over `lo` its tunnel address works; it does
    not call phones."""
    assert lab.tcp(lab.lan, LAN_GATEWAY, 22) == f"{LAN_GATEWAY}:22"
    assert lab.tcp(lab.gateway, LAN_PRINTER, 81) == f"{LAN_PRINTER}:81"
    assert lab.tcp(lab.gateway, GATEWAY, 80) == f"{GATEWAY}:80"
    assert lab.tcp(lab.gateway, GATEWAY, 51880) == f"{GATEWAY}:51880"
    assert lab.tcp(lab.gateway, PHONE, 80) == "silence"
    assert lab.ping(lab.gateway, PHONE) == "no answer"


def test_transit(lab):
    assert lab.tcp(lab.lan, WAN_HOST, 80) == "silence"  # lan0 is gated
    assert lab.tcp(lab.wan, LAN_PRINTER, 80) == "silence"  # the answers come in by lan0
    lab.gateway.sh("nft", "flush", "set", "inet", "printgate", "gated")
    assert lab.tcp(lab.lan, WAN_HOST, 80) == f"{WAN_HOST}:80"


def test_a_printer_does_not_call(lab):
    """Not even the phone whose answer it has just sent."""
    with lab.stream(PRINTER) as flows:
        assert flows()
        marker = b"unasked for"
        for source in (LAN_PRINTER, PRINTER, GATEWAY):
            assert not lab.sniff(lab.phone, "t0", lambda s=source: lab.send_raw(
                lab.lan, s, PHONE, 17, udp_datagram(72, 70, marker)), marker)


# ---- while it runs ------------------------------------------------------------------------------

@pytest.mark.parametrize("address,grant", [(PRINTER, PRINTER), ("10.77.19.5", "10.77.19.0/29")])
def test_revoking_stops_a_stream(lab, address, grant):
    with lab.stream(address) as flows:
        assert flows()
        assert lab.driver.change(f"grant del {PHONE} {grant} 0") == "ok"
        assert not flows()
        assert lab.driver.change(f"grant put {PHONE} {grant} 0") == "ok"
        assert flows()
        assert lab.driver.change(f"grant put {PHONE} {grant} 1") == "ok"
        assert flows()
        time.sleep(1.2)
        assert not flows()


def test_revoking_cuts_the_way_there(lab):
    with lab.phone.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(PATIENCE)
        s.connect((PRINTER, 70))
        s.send(b"hello")
        assert s.recv(100)
        assert lab.driver.change(f"grant del {PHONE} {PRINTER} 0") == "ok"
        marker = b"after the revocation"
        assert not lab.sniff(lab.lan, "eth0", lambda: s.send(marker), marker)
        with pytest.raises(OSError) as refusal:
            s.recv(100)
        assert refusal.value.errno == errno.EHOSTUNREACH


def test_another_target_cuts_old_connections(lab):
    """A connection made when the VPN address meant another printer reaches neither of the two."""
    with lab.phone.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, lab.stream(PRINTER) as flows:
        s.connect((PRINTER, 70))
        s.send(b"hello")
        assert s.recv(100).decode() == f"{LAN_PRINTER}:70"
        assert flows()
        assert lab.driver.change(f"printer put {PRINTER} {LAN_OTHER}") == "ok"
        assert not flows()
        marker = b"to whom it was"
        assert not lab.sniff(lab.lan, "eth0", lambda: s.send(marker), marker)
    assert lab.udp(lab.phone, PRINTER, 70) == f"{LAN_OTHER}:70"


def test_another_name_is_no_way_out(lab):
    """The interface is known by its group too: renamed, it lets pass no more than before."""
    lab.gateway.ip("link", "set", "pgt0", "group", "20551")
    lab.gateway.ip("link", "set", "pgt0", "down")
    lab.gateway.ip("link", "set", "pgt0", "name", "renamed")
    lab.gateway.ip("link", "set", "renamed", "up")
    try:
        for address, port in ((LAN_PRINTER, 80), (LAN_GATEWAY, 22), (GATEWAY, 22), (WAN_HOST, 80)):
            marker = b"by another name"
            for where in (lab.lan, lab.wan):
                assert not lab.sniff(where, "eth0", lambda to=address, at=port: lab.send_raw(
                    lab.phone, PHONE, to, 17, udp_datagram(9, at, marker)), marker)
            assert lab.tcp(lab.phone, address, port) != f"{address}:{port}"
        assert lab.tcp(lab.lan, PHONE, 80, source=LAN_PRINTER) == "silence"
    finally:
        lab.gateway.ip("link", "set", "renamed", "down")
        lab.gateway.ip("link", "set", "renamed", "name", "pgt0", "group", "default")
        lab.gateway.ip("link", "set", "pgt0", "up")
    assert lab.tcp(lab.phone, PRINTER, 80) == f"{LAN_PRINTER}:80"


def test_replacing_the_table_loses_nothing(lab):
    with lab.stream(PRINTER) as flows:
        for _ in range(20):
            lab.load()
        assert flows()


# ---- each rule is needed ------------------------------------------------------------------------
# For each rule of the golden file a question whose answer changes when only that rule is deleted.

def granted_stream(change):
    def ask(lab, mutate):
        with lab.stream(PRINTER) as flows:
            assert flows()
            mutate()
            assert lab.driver.change(change) == "ok"
            return flows()
    return ask


def reaches(where, interface, sender, source, destination, payload, protocol=17):
    marker = b"does this arrive?"
    return simple(lambda lab: lab.sniff(getattr(lab, where), interface, lambda: lab.send_raw(
        getattr(lab, sender), source, destination, protocol, payload(marker)), marker))


def not_for_the_lan(lab, mutate):
    """A second barrier: looked at with the first one, the rule that drops the LAN's packets, gone."""
    lab.delete_rule(*LAN_DROP)
    mutate()
    return lab.tcp(lab.lan, GATEWAY, 80)


@contextlib.contextmanager
def somebody_who_tracks(node):
    """Another tool's table: connections are tracked while ours is not there, too."""
    node.sh("nft", "add table ip other; add chain ip other out { type filter hook output priority 0; };"
                   "add rule ip other out ct state established counter")
    try:
        yield
    finally:
        node.sh("nft", "delete table ip other")


def old_connection_from_the_gateway(lab, mutate):
    """One that the gateway began while there was no table: does it still speak to the phone?"""
    assert lab.driver.do("down") == ["ok"]
    with somebody_who_tracks(lab.gateway), lab.gateway.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.bind((GATEWAY, 80))
        s.settimeout(PATIENCE)
        s.connect((PHONE, 80))
        lab.load()
        mutate()
        marker = b"do you hear me?"
        return lab.sniff(lab.phone, "t0", lambda: s.send(marker), marker)


def own_lan_address(address, vpn, target):
    """The gateway's own LAN address, as one printer or as part of a printer subnet."""
    def question(lab, mutate):
        assert lab.driver.change(f"printer put {vpn} {target}\nservice put {vpn} tcp/22\n"
                                 f"grant put {PHONE} {vpn} 0") == "ok"
        mutate()
        return lab.tcp(lab.phone, address, 22)
    return question


def transit_where_it_was(lab, mutate):
    """A router that the machine was before stays one."""
    lab.gateway.sh("nft", "flush", "set", "inet", "printgate", "gated")
    mutate()
    return lab.tcp(lab.lan, WAN_HOST, 80)


def astray(lab, mutate):
    """Does what is for a phone go elsewhere, where its own way is gone?"""
    lab.gateway.ip("route", "add", f"{PHONE}/32", "via", LAN_PRINTER)
    try:
        mutate()
        marker = b"in the clear"
        return lab.sniff(lab.lan, "eth0", lambda: lab.send_raw(
            lab.gateway, LAN_GATEWAY, PHONE, 17, udp_datagram(9, 70, marker)), marker)
    finally:
        lab.gateway.ip("route", "del", f"{PHONE}/32", "via", LAN_PRINTER)


def marked(interface):
    """Does the routing rule for what comes in there without having been judged let a phone's stream
    through, there and back?"""
    rule = ("iif", interface, "fwmark", "0/0x08000000", "prohibit")

    def ask(lab, mutate):
        lab.gateway.ip("rule", "add", *rule)
        try:
            mutate()
            return lab.tcp(lab.phone, PRINTER, 80)
        finally:
            lab.gateway.ip("rule", "del", *rule)
    return ask


def told_of_handshake(lab, mutate):
    """Is a listener of the NFLOG group told of handshake messages, and of nothing else?"""
    mutate()
    with lab.gateway.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12) as log:  # NETLINK_NETFILTER
        log.bind((0, 0))
        # NFULNL_MSG_CONFIG of NFNL_SUBSYS_ULOG for the group: NFULA_CFG_CMD BIND; QTHRESH 1
        for attribute in (struct.pack("=HHBxxx", 5, 1, 1), struct.pack("=HH", 8, 5) + b"\0\0\0\1"):
            body = struct.pack(">BBH", 0, 0, LOG_GROUP) + attribute
            log.send(struct.pack("=IHHII", 16 + len(body), 4 << 8 | 1, 5, 1, 0) + body)
            assert struct.unpack_from("=i", log.recv(4096), 16)[0] == 0
        told = []
        for first in (b"\4", b"\1", b"\2"):
            lab.send_raw(lab.lan, LAN_PRINTER, LAN_GATEWAY, 17, udp_datagram(9, 51820, first + b"..."))
            told.append(bool(select.select([log], [], [], 0.3)[0]))
            while select.select([log], [], [], 0)[0]:
                log.recv(65536)
    return tuple(told)


LAN_TO_GATEWAY = simple(lambda lab: lab.tcp(lab.lan, LAN_GATEWAY, 22))
IN, OUT = "ip daddr . meta l4proto . th dport", "ip saddr . meta l4proto . th sport"
CT = "ct original ip daddr . ct reply ip saddr"
RELATED = "ct state related icmp type destination-unreachable ip daddr . ct original ip daddr"

NOT_FROM, NOT_TO = 'iifname != "pgt0" iifgroup != 20551', 'oifname != "pgt0" oifgroup != 20551'

LAN_DROP = ("from_tunnel", f'ip daddr 10.77.16.0/20 {NOT_FROM} iifname != "lo" drop')

NEEDED = {
    ("refuse", "meta l4proto tcp reject with tcp reset"): tcp(PRINTER, 81),
    ("refuse", "reject with icmpx admin-prohibited"): udp(PRINTER, 69),
    LAN_DROP: simple(lambda lab: lab.tcp(lab.lan, GATEWAY, 51880)),
    ("elsewhere", "iifname @gated meta mark set meta mark | 0x08000000"): marked("lan0"),
    ("from_tunnel", f"{NOT_FROM} goto elsewhere"): LAN_TO_GATEWAY,
    ("from_tunnel", "ip saddr != 10.77.20.0-10.77.31.254 drop"):
        reaches("phone", "t0", "phone", "10.77.16.77", GATEWAY,
                lambda data: icmp_message(8, 0, data), protocol=1),
    ("from_tunnel", "meta mark set meta mark | 0x08000000"): marked("pgt0"),
    ("from_tunnel", "ip daddr 10.77.16.1 tcp dport 80 accept"): tcp(GATEWAY, 80),
    ("from_tunnel", "ip daddr 10.77.16.1 icmp type echo-request accept"): ping(GATEWAY),
    ("from_tunnel", "ip saddr . ip daddr != @grants ip saddr . ip daddr != @subnet_grants "
                    "goto refuse"): tcp(PRINTER, 80, STRANGER),
    ("from_tunnel", "icmp type echo-request accept"): ping(PRINTER),
    ("from_tunnel", f"{IN} @services accept"): tcp(PRINTER, 80),
    ("from_tunnel", f"{IN} @ranges accept"): tcp(PRINTER, 505),
    ("from_tunnel", "goto refuse"): tcp(PRINTER, 81),
    ("to_printer", f"{NOT_FROM} accept"): not_for_the_lan,
    ("to_printer", "ip daddr 10.77.16.1 tcp dport 80 dnat ip to 10.77.16.1:51880"):
        tcp(GATEWAY, 80),
    ("to_printer", "dnat ip to ip daddr map @printers"): tcp(PRINTER, 80),
    ("to_printer", "dnat ip prefix to ip daddr map @subnets"): tcp("10.77.19.3", 80),
    ("to_self", f"{NOT_FROM} accept"): LAN_TO_GATEWAY,
    ("to_self", "ip daddr 10.77.16.1 ct original ip daddr 10.77.16.1 accept"): tcp(GATEWAY, 80),
    ("to_self", f"{CT} @targets accept"): own_lan_address("10.77.16.4", "10.77.16.4", LAN_GATEWAY),
    ("to_self", "goto refuse"): own_lan_address("10.77.19.9", "10.77.19.8/29", "192.168.5.0/29"),
    ("others", f'meta nfproto ipv4 iifname @gated {NOT_TO} drop'):
        simple(lambda lab: lab.tcp(lab.lan, WAN_HOST, 80)),
    ("others", 'oifname "pgt0" tcp flags syn tcp option maxseg size set rt mtu'):
        simple(lambda lab: lab.sniff(lab.phone, "t0", lambda: lab.tcp(lab.phone, PRINTER, 80),
                                     b"\x02\x04\x05\x64")),  # the option: 1380, for 1420
    ("transit", f"{NOT_FROM} goto others"): transit_where_it_was,
    ("transit", f"{CT} @targets accept"): tcp(PRINTER, 80),
    ("transit", f"{CT} @subnet_targets accept"): tcp("10.77.19.3", 80),
    ("transit", "goto refuse"): tcp(UNMAPPED, 80),
    ("as_gateway", 'iifname "pgt0" oifname != "pgt0" masquerade'): tcp(PRINTER, 80),
    ("unasked", "iif 0 tcp flags rst accept"): tcp(PRINTER, 81),
    ("unasked", "iif 0 icmp type destination-unreachable accept"): udp(PRINTER, 69),
    ("unasked", f"{RELATED} @grants accept"): udp(PRINTER, 72),
    ("unasked", f"{RELATED} @subnet_grants accept"): udp("10.77.19.3", 72),
    ("unasked", "drop"): reaches("phone", "t0", "gateway", GATEWAY, PHONE,
                                 lambda data: udp_datagram(9, 70, data)),
    ("to_tunnel", f'ip daddr 10.77.16.0/20 {NOT_TO} oifname != "lo" drop'): astray,
    ("to_tunnel", f"{NOT_TO} accept"):
        simple(lambda lab: lab.tcp(lab.gateway, LAN_PRINTER, 81)),
    ("to_tunnel", "ct state != established goto unasked"): tcp(PRINTER, 81),
    ("to_tunnel", "ct direction original drop"): old_connection_from_the_gateway,
    ("to_tunnel", "ip saddr 10.77.16.1 tcp sport 80 accept"): tcp(GATEWAY, 80),
    ("to_tunnel", "ip saddr 10.77.16.1 icmp type echo-reply accept"): ping(GATEWAY),
    ("to_tunnel", "ip daddr . ip saddr != @grants ip daddr . ip saddr != @subnet_grants drop"):
        granted_stream(f"grant del {PHONE} {PRINTER} 0"),
    ("to_tunnel", f"{CT} != @targets {CT} != @subnet_targets drop"):
        granted_stream(f"printer put {PRINTER} {LAN_OTHER}"),
    ("to_tunnel", "icmp type echo-reply accept"): ping(PRINTER),
    ("to_tunnel", f"{OUT} @services accept"): tcp(PRINTER, 80),
    ("to_tunnel", f"{OUT} @ranges accept"): tcp(PRINTER, 505),
    ("handshakes", f"{NOT_FROM} udp dport 51820 @th,64,8 0x1-0x2 limit rate 5/second "
                   "log group 20551"): told_of_handshake,
    ("to_tunnel", "drop"): granted_stream(f"service del {PRINTER} udp/71-72"),
}


@pytest.mark.parametrize("chain,rule", list(rules_of(GOLDEN.read_text())))
def test_rule_is_needed(lab, chain, rule):
    answers = []
    for mutate in (lambda: None, lambda: lab.delete_rule(chain, rule)):
        lab.load()
        answers.append(NEEDED[chain, rule](lab, mutate))
    assert answers[0] != answers[1]
