# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab itself can tell open from closed: its probes and witnesses against a plain gateway made
of WireGuard and nft, without a program of ours. What these could not see, no other test here
could either."""

import time

import pytest

import lab as place
from lab import Lab
from node import SLOW, await_that
from phone import make_wireguard
from probes import AT_ONCE, Witness, ping, tcp_probe, udp_probe
from servers import Echoes, UdpStreamer, WebServer, download, fetch, start_ipp_printer, view


@pytest.fixture(scope="module")
def plain():
    with Lab(programs=False) as lab:
        lab.serve(Echoes(lab.printer_a, tcp=[22, 8080], udp=[5000]))
        lab.serve(WebServer(lab.printer_a))
        _plain_gateway(lab)
        yield lab


def _plain_gateway(lab):
    keys = {}
    for who, node in (("gate", lab.gate), ("phone", lab.phone.node)):
        private = node.out("wg", "genkey").strip()
        keys[who] = private, node.out("wg", "pubkey", stdin=private).strip()
    gate = lab.gate
    make_wireguard(gate, "wg0")
    gate.run("wg", "setconf", "wg0", "/dev/stdin", stdin=f"""[Interface]
ListenPort = {place.PORT}
PrivateKey = {keys["gate"][0]}
[Peer]
PublicKey = {keys["phone"][1]}
AllowedIPs = 10.9.0.2/32
""")
    gate.address("wg0", "10.9.0.1/24")
    gate.sysctl("net.ipv4.ip_forward", 1)
    gate.nft(f"""table inet plain {{
        chain refuse {{
            meta l4proto tcp reject with tcp reset
            reject with icmpx admin-prohibited
        }}
        chain in {{ type filter hook prerouting priority raw;
            iifname "wg0" ip daddr {place.B} drop
            iifname "wg0" ip daddr {place.HOST} goto refuse
        }}
        chain out {{ type nat hook postrouting priority srcnat;
            oifname "lan" masquerade
        }}
        }}""")
    lab.phone.join(f"""[Interface]
PrivateKey = {keys["phone"][0]}
Address = 10.9.0.2/32
[Peer]
PublicKey = {keys["gate"][1]}
AllowedIPs = 10.9.0.0/24
Endpoint = {place.GATEWAY_WAN}:{place.PORT}
""")
    lab.phone.node.run("ip", "route", "add", place.LAN, "dev", "wg0")
    lab.phone.grow_greedy()
    lab.phone.connect()


def test_probes_tell_open_refused_and_silent(plain):
    phone = plain.phone.node
    assert tcp_probe(phone, place.A, 8080).kind == "open"
    assert tcp_probe(phone, place.A, 9).kind == "refused"
    assert udp_probe(phone, place.A, 5000).data == b"printer-a probe"
    assert udp_probe(phone, place.A, 9).kind == "refused"
    assert ping(phone, place.A).kind == "open"

    assert tcp_probe(phone, place.HOST, 80).kind == "refused"
    assert tcp_probe(phone, place.HOST, 80).seconds < AT_ONCE
    assert udp_probe(phone, place.HOST, 80).kind == "prohibited"
    assert ping(phone, place.HOST).kind == "prohibited"

    assert tcp_probe(phone, place.B, 80, seconds=0.5).kind == "timeout"
    assert udp_probe(phone, place.B, 80, seconds=0.5).kind == "timeout"
    assert ping(phone, place.B, seconds=0.5).kind == "timeout"


def test_a_witness_sees_what_arrives_and_only_that(plain):
    phone = plain.phone.node
    with Witness(plain.printer_a, "lan") as at_a, Witness(plain.host, "lan") as at_host:
        tcp_probe(phone, place.HOST, 22)
        tcp_probe(phone, place.A, 22)
        arrived = at_a.await_one(lambda p: p.port == 22 and p.protocol == 6)
        assert {p.source for p in arrived} == {place.GATEWAY_LAN}
        assert at_host.take() == []


def test_streams_are_timed_at_the_receiver(plain):
    camera = plain.serve(UdpStreamer(plain.printer_a, 7000))
    phone = plain.phone.node
    tcp, udp = download(phone, place.A), view(phone, place.A, 7000)
    plain.gate.nft(f"""table inet frozen {{
        chain in {{ type filter hook prerouting priority raw;
            udp dport {place.PORT} drop
        }}
        chain out {{ type filter hook output priority raw;
            udp sport {place.PORT} drop
        }}
        }}""")
    stopped = time.monotonic()
    sent = camera.sent
    await_that(lambda: time.monotonic() > stopped + 1.5 * SLOW)
    assert tcp.last < stopped + SLOW and udp.last < stopped + SLOW
    assert camera.sent > sent, "the stream's source had ended by itself"
    plain.gate.nft("delete table inet frozen")
    tcp.flows()
    udp.flows()
    tcp.close()
    udp.close()


def test_the_printers_are_real(plain):
    start_ipp_printer(plain.printer_a, plain.folder)
    answer = plain.phone.node.out("ipptool", "-tv", f"ipp://{place.A}:631/ipp/print",
                                  "get-printer-attributes.test")
    assert "[PASS]" in answer
    assert fetch(plain.phone.node, place.A) == "printer-a\n"
