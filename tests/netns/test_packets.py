# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets that no honest phone, printer or LAN host would send, through the real tunnel and the real
gateway. What counts is what arrived."""

import contextlib
import socket
import struct

import pytest

import lab as place
from matrix import MatrixHouse
from node import SLOW, await_that
from packets import (ACK, ECHO_REPLY, FRAGMENTATION_NEEDED, HOST_UNREACHABLE, ICMP, PORT_UNREACHABLE, PROHIBITED,
                     REDIRECT, RST, SYN, TCP, TIME_EXCEEDED, UDP, UNREACHABLE, Delivered, Raw,
                     addresses, cut, echo_request, fragments, icmp, inner, into_tunnel, offset, onto,
                     packet, tcp, udp)
from probes import ping, udp_probe
from servers import download

MARK = b"forged!!"  # in every packet that must not arrive
GRANTED, UNGRANTED = 5000, 53
DEAF = 5009         # granted, and nobody listens there
BIG = 5001          # granted, and a test serves it
UDP_ANSWERS = b"forged?!"


@pytest.fixture(scope="module")
def home():
    with MatrixHouse() as house:
        house.more = house.gateway.add_printer(
            "more of a", place.A, "--port", f"udp/{DEAF},udp/{BIG}")
        house.gateway.json("allow", "phone", "more of a")
        yield house


def settled(home):
    """What went into the tunnel, or came out of the LAN, before this has arrived."""
    for phone, printer in ((home.phone, home.alpha), (home.phone2, home.beta)):
        await_that(lambda p=phone, at=home.vpn(printer):
                   udp_probe(p.node, at, GRANTED, seconds=0.5).kind == "open", what="an echo")


def into(phone):
    """into_tunnel, no faster than the tunnel takes it: its queue holds 500."""
    send = into_tunnel(phone)

    def in_turn(*packets):
        for at in range(0, len(packets), 50):
            send(*packets[at:at + 50])
            await_that(lambda: ping(phone.node, phone.gateway, seconds=0.5).kind == "open",
                       what="an echo of the gateway")
    return in_turn


def is_refusal(home, p):
    """The gateway's word to the phone that what it sent is prohibited quotes that."""
    return (addresses(p) == (home.phone.gateway, home.phone.address) and p[9] == ICMP and
            inner(p)[1][:2] == bytes([UNREACHABLE, PROHIBITED]))


def is_own(p):
    """A node's own kernel tells its own socket that nobody is there, when it has asked for long enough:
    what a test has sent from there. No test forges that."""
    source, target = addresses(p)
    return source == target and p[9] == ICMP and inner(p)[1][:2] == bytes([UNREACHABLE, HOST_UNREACHABLE])


@contextlib.contextmanager
def watched(home, gateway=True):
    """Nothing with MARK arrives at any printer, the LAN host, the internet or a phone, or is taken
    in by the gateway (which LAN hosts may talk to)."""
    with contextlib.ExitStack() as stack:
        witnesses = {name: stack.enter_context(Raw(node, interface)) for name, node, interface in (
            ("printer a", home.printer_a, "lan"), ("printer b", home.printer_b, "lan"),
            ("host", home.host, "lan"), ("internet", home.internet, "street"),
            ("phone", home.phone.node, home.phone.interface),
            ("phone 2", home.phone2.node, home.phone2.interface))}
        if gateway:
            witnesses["gateway"] = stack.enter_context(Delivered(home.gate))
        yield witnesses
        settled(home)
        for name, witness in witnesses.items():
            came = [p for p in witness.take() if MARK in p and not is_refusal(home, p) and not is_own(p)]
            assert came == [], f"{name}: {[(addresses(p), *inner(p)) for p in came[:5]]}"


# ---- senders -------------------------------------------------------------------------------------


UNKNOWN_PEER = "10.77.31.200"  # peers of any name may ping the gateway


def false_senders(home):
    return (home.phone2.address, home.phone.gateway, home.vpn(home.alpha), home.vpn(home.beta),
            UNKNOWN_PEER, "10.77.31.255", "10.77.16.0", place.A, place.GATEWAY_LAN, place.HOST,
            place.PUBLIC, "127.0.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.251", "10.20.0.2")


def everywhere(home):
    return (home.vpn(home.alpha), home.vpn(home.beta), home.phone.gateway, home.phone2.address,
            place.A, place.B, place.HOST, place.GATEWAY_LAN, place.PUBLIC)


def send_as_others(home, *but):
    send = into(home.phone)
    for source in set(false_senders(home)).difference(but):
        for target in everywhere(home):
            send(packet(source, target, UDP, udp(4444, GRANTED, MARK)),
                 packet(source, target, TCP, tcp(source, target, 4444, 8080, SYN, MARK)),
                 packet(source, target, ICMP, echo_request(MARK)))


def test_a_false_sender_inside_the_tunnel_is_nobody(home):
    with watched(home):
        send_as_others(home)


def test_a_false_sender_is_nobody_though_wireguard_lets_him_in(home):
    """WireGuard knows each phone's address. Where that were undone, the table does: only peers'
    addresses are senders."""
    key = [k for k, ips in home.gateway.wireguard_peers().items() if home.phone.address in ips][0]
    home.gate.run("wg", "set", "wg0", "peer", key, "allowed-ips",
                  f"{home.phone.address}/32,0.0.0.0/0")
    try:
        with watched(home):
            send_as_others(home, UNKNOWN_PEER)
    finally:
        home.gate.run("wg", "set", "wg0", "peer", key, "allowed-ips", f"{home.phone.address}/32")


# ---- fragments -----------------------------------------------------------------------------------


def test_a_datagram_in_the_smallest_pieces_is_judged_as_a_whole(home):
    """A granted one arrives."""
    source, target = home.phone.address, home.vpn(home.alpha)
    with home.phone.node.socket(kind=socket.SOCK_DGRAM) as s:
        s.settimeout(5 * SLOW)
        s.bind((source, 4450))
        pieces = cut(udp(4450, GRANTED, b"in small pieces, all of them"), 8)
        into(home.phone)(*fragments(source, target, UDP, pieces, 600))
        assert s.recv(2048) == b"printer-a in small pieces, all of them"
    with home.phone.node.socket(kind=socket.SOCK_DGRAM) as s:
        s.settimeout(5 * SLOW)
        s.connect((target, GRANTED))
        s.send(b"." * 4000)
        assert len(s.recv(8000)) == 4000 + len("printer-a ")


def test_tiny_first_fragments_do_not_hide_a_port(home):
    source, send = home.phone.address, into(home.phone)
    with watched(home):
        ident = 700
        for target in everywhere(home):
            whole = {TCP: tcp(source, target, 4451, 22, SYN, MARK * 4),
                     UDP: udp(4451, UNGRANTED, MARK * 4), ICMP: icmp(13, 0, bytes(4), MARK * 4)}
            for protocol, payload in whole.items():
                for size in (8, 16, 24):
                    ident += 1
                    pieces = cut(payload, size)
                    send(*fragments(source, target, protocol, pieces, ident))
                    send(*fragments(source, target, protocol, reversed(pieces), ident + 4000))


def test_overlapping_fragments_do_not_change_a_port(home):
    """Granted in one piece, something else in the one that lies over it."""
    source, send = home.phone.address, into(home.phone)
    target = home.vpn(home.alpha)
    good, bad = udp(4452, GRANTED, MARK * 3), udp(4452, UNGRANTED, MARK * 3)
    syn, evil = (tcp(source, target, 4452, p, SYN, MARK * 3) for p in (8080, 22))
    with watched(home) as witnesses:
        ident = 800
        for protocol, a, b in ((UDP, good, bad), (TCP, syn, evil)):
            for pieces in (
                    [(0, a[:16], True), (0, b[:16], True), (16, a[16:], False)],
                    [(0, a[:16], True), (0, b[:8], True), (16, a[16:], False)],
                    [(0, a[:16], True), (8, b[8:], False), (0, b[:16], True)],
                    [(16, a[16:], False), (0, a[:16], True), (0, b[:8], True)],
                    [(0, a[:24], True), (0, b, False)],
                    [(8, a[8:], False), (0, b[:16], True), (0, a[:8], True)]):
                ident += 1
                send(*fragments(source, target, protocol, pieces, ident))
        settled(home)
        witnesses["phone"].take()  # the answers to what was granted
        # what was put together of the granted pieces may come, in pieces again; nothing else
        came = [p for p in witnesses["printer a"].take() if p[9] in (UDP, TCP)]
        firsts = [p for p in came if not offset(p)]
        assert {struct.unpack("!H", inner(p)[1][2:4])[0] for p in firsts} <= {GRANTED, 8080}
        assert {p[4:6] for p in came} == {p[4:6] for p in firsts}, "a piece without a first"


def test_pieces_without_a_first_arrive_nowhere(home):
    source, send = home.phone.address, into(home.phone)
    with watched(home):
        for number, target in enumerate(everywhere(home)):
            for protocol in (UDP, TCP, ICMP, 47):
                send(*fragments(source, target, protocol, [(8, MARK, True), (16, MARK, False)],
                                900 + number))


# ---- from the LAN to phones ----------------------------------------------------------------------


def flow(home, port=GRANTED):
    """A UDP flow of the phone to printer a: (socket, the gateway's port for it in the LAN)."""
    s = home.phone.node.socket(kind=socket.SOCK_DGRAM)
    s.connect((home.vpn(home.alpha), port))
    with Raw(home.printer_a, "lan") as witness:
        s.send(b"first")
        came = witness.await_bytes(lambda p: p.endswith(b"first"))[-1]
    s.settimeout(5 * SLOW)
    s.recv(2048)
    return s, struct.unpack("!H", inner(came)[1][:2])[0]


def lan_mac(node):
    return bytes.fromhex(node.ip("-o link show lan").split("link/ether ")[1].split()[0]
                         .replace(":", ""))


def test_a_printer_that_calls_reaches_no_phone(home):
    """Neither by the tunnel's addresses nor back along a flow of the phone's."""
    s, port = flow(home)
    gate = lan_mac(home.gate)
    with s, watched(home):
        for node, own in ((home.printer_a, place.A), (home.printer_b, place.B),
                          (home.host, place.HOST)):
            send = onto(node, "lan", gate)
            for source in (own, home.vpn(home.alpha), home.phone.gateway, home.phone2.address,
                           place.GATEWAY_LAN, place.PUBLIC):
                for target in (home.phone.address, home.phone2.address, "10.77.31.255"):
                    send(packet(source, target, UDP, udp(GRANTED, s.getsockname()[1], MARK)),
                         packet(source, target, TCP, tcp(source, target, 8080, 80, SYN, MARK)),
                         packet(source, target, TCP, tcp(source, target, 8080, 80, ACK, MARK)),
                         packet(source, target, ICMP, echo_request(MARK)),
                         packet(source, target, ICMP, icmp(ECHO_REPLY, 0, b"\0\7\0\1", MARK)))


def test_only_the_asked_printer_answers_and_from_the_asked_port(home):
    s, port = flow(home)
    gate = lan_mac(home.gate)
    target = place.GATEWAY_LAN
    with s, Raw(home.phone.node, home.phone.interface) as at_phone:
        for node, source, source_port in (
                (home.printer_a, place.A, UNGRANTED), (home.printer_a, place.A, 7000),
                (home.printer_b, place.B, GRANTED), (home.host, place.HOST, GRANTED),
                (home.host, place.PUBLIC, GRANTED)):
            send = onto(node, "lan", gate)
            send(packet(source, target, UDP, udp(source_port, port, MARK)),
                 packet(source, target, TCP, tcp(source, target, source_port, port, RST, MARK)))
        settled(home)
        assert [p for p in at_phone.take() if MARK in p] == []
        onto(home.printer_a, "lan", gate)(
            packet(place.A, target, UDP, udp(GRANTED, port, UDP_ANSWERS)))
        assert s.recv(2048) == UDP_ANSWERS  # as it should be: the flow is alive


# ---- multicast and broadcast -----------------------------------------------------------------------

GROUPS = ("224.0.0.1", "224.0.0.251", "224.0.0.252", "239.255.255.250", "255.255.255.255",
          "192.168.50.255", "192.168.50.0", "10.77.31.255", "10.77.16.0", "203.0.113.255")
GROUP_PORTS = (5353, 1900, 137, GRANTED, 67)


def member(node, address, interface):
    """A socket of a machine that listens to discovery, as Avahi does on every interface."""
    s = node.socket(kind=socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    index = int(node.net("ip", "-o", "link", "show", interface).stdout.split(":")[0])
    for group in ("224.0.0.251", "239.255.255.250"):
        s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                     struct.pack("4s4si", socket.inet_aton(group), socket.inet_aton(address), index))
    return s


def test_no_multicast_or_broadcast_leaves_the_tunnel(home):
    source, send = home.phone.address, into(home.phone)
    with member(home.gate, home.phone.gateway, "wg0"), watched(home):
        for group in GROUPS:
            send(packet(source, group, ICMP, echo_request(MARK)),
                 packet(source, group, socket.IPPROTO_IGMP, MARK),
                 *(packet(source, group, UDP, udp(4470, port, MARK)) for port in GROUP_PORTS))


def test_no_multicast_or_broadcast_enters_the_tunnel(home):
    """Neither the LAN's nor the gateway machine's own."""
    lan = ((home.host, place.HOST), (home.printer_a, place.A))
    group_mac = {"224": b"\x01\0\x5e\0\0\xfb", "239": b"\x01\0\x5e\x7f\xff\xfa"}
    with Raw(home.phone.node, home.phone.interface) as first, \
            Raw(home.phone2.node, home.phone2.interface) as second:
        for node, source in lan:
            for group in GROUPS:
                for mac in (group_mac.get(group[:3], b"\xff" * 6), lan_mac(home.gate)):
                    onto(node, "lan", mac)(
                        packet(source, group, ICMP, echo_request(MARK)),
                        *(packet(source, group, UDP, udp(4470, p, MARK)) for p in GROUP_PORTS))
        with home.gate.socket(kind=socket.SOCK_DGRAM) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                         socket.inet_aton(home.phone.gateway))
            for group in GROUPS:
                for port in GROUP_PORTS:
                    with contextlib.suppress(OSError):
                        s.sendto(MARK, (group, port))
        settled(home)
        assert [p for p in first.take() + second.take() if MARK in p] == []


# ---- ICMP errors -----------------------------------------------------------------------------------


def errors(source, target, about):
    """Packets of the kinds that tell of trouble with the packet `about`."""
    return [packet(source, target, ICMP, icmp(kind, code, rest, about))
            for kind, code, rest in ((UNREACHABLE, PORT_UNREACHABLE, bytes(4)), (REDIRECT, 1, bytes(4)),
                                     (UNREACHABLE, FRAGMENTATION_NEEDED, b"\0\0\2\x58"),
                                     (TIME_EXCEEDED, 0, bytes(4)))]


def about_flow(port, target=place.A, target_port=GRANTED):
    """A packet of the phone's flow, as a printer sees it."""
    return packet(place.GATEWAY_LAN, target, UDP, udp(port, target_port, MARK))


def test_an_error_about_a_granted_flow_arrives(home):
    """A port that nobody listens at is told at once, by the printer."""
    assert udp_probe(home.phone.node, home.more["vpn_address"], DEAF).kind == "refused"


def test_errors_about_anything_else_reach_no_phone(home):
    """About flows that never were, or are somebody else's."""
    gate, phone = lan_mac(home.gate), home.phone.address
    s, port = flow(home)
    about = [about_flow(port, place.B), about_flow(port, place.HOST), about_flow(port, place.PUBLIC),
             about_flow(port, place.A, UNGRANTED), about_flow(9999),
             packet(phone, place.A, UDP, udp(port, GRANTED, MARK)),
             packet(phone, home.vpn(home.alpha), UDP, udp(s.getsockname()[1], GRANTED, MARK)),
             packet(home.phone2.address, place.B, UDP, udp(port, GRANTED, MARK)),
             packet(phone, place.A, TCP, tcp(phone, place.A, 4460, 8080, SYN, MARK)),
             packet(place.GATEWAY_LAN, place.A, ICMP, echo_request(MARK))]
    with s, watched(home, gateway=False):
        for node, own in ((home.printer_a, place.A), (home.printer_b, place.B),
                          (home.host, place.HOST)):
            for to in (place.GATEWAY_LAN, phone, home.phone2.address):
                onto(node, "lan", gate)(*(e for a in about for e in errors(own, to, a)))
        settled(home)
        s.send(b"again")  # an error would come first
        assert s.recv(2048) == b"printer-a again"


def test_a_phone_sends_no_errors_about_what_it_has_no_part_in(home):
    phone = home.phone.address
    with watched(home):
        for target in everywhere(home):
            for about in (packet(target, phone, UDP, udp(GRANTED, 4461, MARK)),
                          packet(place.B, home.phone2.address, UDP, udp(GRANTED, 4461, MARK)),
                          packet(place.B, place.HOST, TCP, tcp(place.B, place.HOST, 1, 2, ACK, MARK))):
                into(home.phone)(*errors(phone, target, about))


def test_of_errors_about_a_granted_flow_only_those_that_it_needs_arrive(home):
    s, port = flow(home)
    send = onto(home.printer_a, "lan", lan_mac(home.gate))
    with s, Raw(home.phone.node, home.phone.interface) as witness:
        send(*errors(place.A, place.GATEWAY_LAN, about_flow(port)))
        settled(home)
        came = {tuple(inner(p)[1][:2]) for p in witness.take() if MARK in p and p[9] == ICMP}
        assert {(UNREACHABLE, PORT_UNREACHABLE), (UNREACHABLE, FRAGMENTATION_NEEDED)} <= came
        assert REDIRECT not in {kind for kind, _ in came}
        with pytest.raises(OSError):  # one of the two: they quote the flow as the phone knows it
            s.recv(2048)
    home.phone.node.ip("route flush cache")


def test_no_error_about_a_flow_arrives_after_its_grant_is_gone(home):
    s, port = flow(home)
    send = onto(home.printer_a, "lan", lan_mac(home.gate))
    home.gateway.json("deny", "phone", "alpha")
    try:
        with s, Raw(home.phone.node, home.phone.interface) as witness:
            send(*errors(place.A, place.GATEWAY_LAN, about_flow(port)))
            assert udp_probe(home.phone.node, home.more["vpn_address"], DEAF).kind == "refused"
            assert [p for p in witness.take() if MARK in p] == []
    finally:
        home.gateway.json("allow", "phone", "alpha")


# ---- path MTU --------------------------------------------------------------------------------------

IP_MTU_DISCOVER, IP_PMTUDISC_DO, IP_MTU = 10, 2, 14  # linux/in.h
IP_UDP = 28  # bytes of headers
NARROW = 900


def unfragmented(s):
    s.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO)
    s.settimeout(5 * SLOW)


def learned(s, mtu):
    """Sends what is too long until the path's MTU has been told."""
    with contextlib.suppress(OSError):  # the error of the one before, or the one that is awaited
        s.send(b"." * (s.getsockopt(socket.IPPROTO_IP, IP_MTU) - IP_UDP))
    return s.getsockopt(socket.IPPROTO_IP, IP_MTU) == mtu


def test_a_printer_finds_the_path_mtu_into_the_tunnel(home):
    tunnel_mtu = int(home.gate.ip("-o link show wg0").split(" mtu ")[1].split()[0])
    with home.printer_a.socket(kind=socket.SOCK_DGRAM) as printer, \
            home.phone.node.socket(kind=socket.SOCK_DGRAM) as phone:
        unfragmented(printer)
        printer.bind(("", BIG))
        phone.settimeout(5 * SLOW)
        phone.connect((home.more["vpn_address"], BIG))
        phone.send(b"hello")
        printer.connect(printer.recvfrom(100)[1])
        assert tunnel_mtu < 1500
        await_that(lambda: learned(printer, tunnel_mtu), what="the printer's path MTU")
        await_that(lambda: not printer.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        printer.send(b"!" * (tunnel_mtu - IP_UDP))
        await_that(lambda: phone.recv(2000) == b"!" * (tunnel_mtu - IP_UDP), what="what fits")
    home.printer_a.ip("route flush cache")


@pytest.mark.parametrize("where", ["the gateway", "a router behind it"])
def test_a_phone_finds_the_path_mtu_to_a_printer(home, where):
    s, port = flow(home)
    unfragmented(s)
    if where == "the gateway":
        home.gate.ip(f"link set lan mtu {NARROW}")
    try:
        with s:
            if where != "the gateway":
                error = icmp(UNREACHABLE, FRAGMENTATION_NEEDED, struct.pack("!HH", 0, NARROW),
                             about_flow(port))
                onto(home.host, "lan", lan_mac(home.gate))(
                    packet(place.HOST, place.GATEWAY_LAN, ICMP, error))
            await_that(lambda: learned(s, NARROW), what="the phone's path MTU")
    finally:
        home.gate.ip("link set lan mtu 1500")
        home.phone.node.ip("route flush cache")


def test_a_long_stream_passes_a_narrow_tunnel(home):
    """The printer is told, whatever the phone has announced."""
    home.gate.ip(f"link set wg0 mtu {NARROW}")
    try:
        with contextlib.closing(download(home.phone.node, home.vpn(home.alpha))) as stream:
            stream.flows()
        known = home.printer_a.ip(f"route get {place.GATEWAY_LAN}")
        assert f"mtu {NARROW}" in known, known
    finally:
        home.gate.ip("link set wg0 mtu 1420")
        home.printer_a.ip("route flush cache")
