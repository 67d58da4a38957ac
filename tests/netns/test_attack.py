# SPDX-License-Identifier: GPL-2.0-or-later
"""Attacks on the real programs: by a phone that sends what it likes (more of that: test_packets.py),
and by a core that is broken into."""

import contextlib
import os
import select
import signal
import socket

import pytest

import lab as place
from broken import COMMIT, DUMP, PRINTER_PUT, BrokenCore, message, prefix
from gateway import TABLE
from lab import Lab
from node import await_that
from packets import echo_request, into_tunnel, packet
from probes import Witness, tcp_probe, udp_probe
from servers import Echoes

IP_RECORD_HOPS = {"loose": 0x83, "strict": 0x89}


@pytest.fixture
def lab():
    with Lab() as it:
        it.gateway.start()
        it.serve(Echoes(it.printer_a, tcp=[8080], udp=[5000]))
        it.serve(Echoes(it.printer_b, tcp=[8080], udp=[5000]))
        it.serve(Echoes(it.gate, tcp=[22, 8080], udp=[5000]))
        yield it


def join(lab, *printers):
    options = [word for p in printers for word in ("--printer", p)]
    lab.phone.join(lab.gateway.enroll("phone", *options)["config"])
    lab.phone.grow_greedy(place.LAN)
    lab.phone.connect()


def test_source_routes_end_at_the_gateway(lab):
    """Even on a machine that is told to obey them."""
    lab.gateway.add_printer("a", place.A, "--port", "tcp/8080")
    lab.gateway.add_printer("b", place.B, "--port", "tcp/8080")
    join(lab, "a")
    lab.gate.sysctl("net.ipv4.conf.all.accept_source_route", 1)
    send = into_tunnel(lab.phone)
    with Witness(lab.printer_b, "lan") as at_b, Witness(lab.printer_a, "lan") as at_a:
        for kind in IP_RECORD_HOPS.values():
            hop = bytes([kind, 7, 4]) + socket.inet_aton(place.B) + b"\0"
            for first in (lab.phone.gateway, "10.77.16.2"):
                send(packet(lab.phone.address, first, 1, echo_request(), hop))
        assert tcp_probe(lab.phone.node, "10.77.16.2", 8080).kind == "open"
        at_a.await_one(lambda p: p.port == 8080)
        assert [p for p in at_b.take() if p.protocol == 1] == []


def test_a_printer_subnet_does_not_hold_the_gateway(lab):
    """Nor the LAN's broadcast address, to which the gateway itself listens."""
    vpn = lab.gateway.add_printer("farm", place.LAN, "--port", "tcp/8080,udp/5000")["vpn_address"]
    join(lab, "farm")
    block = vpn.rsplit(".", 1)[0]
    phone = lab.phone.node
    assert tcp_probe(phone, f"{block}.11", 8080).kind == "open"
    assert udp_probe(phone, f"{block}.11", 5000).data.startswith(b"printer-a")
    assert tcp_probe(phone, f"{block}.2", 8080).kind in ("refused", "prohibited")
    assert udp_probe(phone, f"{block}.2", 5000).kind == "prohibited"
    heard = lab.gate.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
    with heard:
        udp_probe(phone, f"{block}.255", 5000, seconds=0.3)
        heard.setblocking(False)
        with pytest.raises(BlockingIOError):
            while b"probe" not in heard.recv(65536):
                pass


def test_the_companions_inherit_no_environment(lab):
    lab.gateway.stop()
    os.environ["PRINTGATE_TEST_SECRET"] = "s3cr3t"
    try:
        lab.gateway.process = lab.gate.start(
            [os.path.join(lab.gateway.bin, "printgated"), "--config", lab.gateway.config],
            log=lab.gateway.log, env=dict(os.environ, PRINTGATE_DEBUG="1"))
    finally:
        del os.environ["PRINTGATE_TEST_SECRET"]
    for program in ("printgate-core", "printgate-web"):
        pid = await_that(lambda name=program: lab.gate.pids(name), what=program)[0]
        with open(f"/proc/{pid}/environ") as f:
            assert f.read().rstrip("\0") == "PRINTGATE_DEBUG=1"


# ---- a core that is broken into --------------------------------------------------------------


@pytest.fixture
def broken():
    with Lab() as lab:
        core = BrokenCore(lab)
        assert core.change(full=True) == 0
        yield core
        core.line.close()


def test_no_printer_elsewhere(broken):
    for vpn, target in (("10.77.16.5", "127.0.0.1"), ("10.77.16.5", "0.0.0.0"),
                        ("0.0.0.0/0", "0.0.0.0/0"), ("10.77.16.5", "255.255.255.255"),
                        ("10.77.16.5", "10.77.20.1"), ("10.77.16.1", place.A),
                        ("10.77.20.1", place.A), ("10.77.16.5", "8.8.8.8"),
                        ("10.77.18.0/23", "203.0.112.0/23")):
        assert broken.printer(vpn, target), f"{vpn} leads to {target}"
    assert broken.printer("10.77.16.5", place.A) == 0


def test_the_internet_is_not_near_on_a_line_without_a_router(broken):
    broken.lab.gate.ip("route replace default dev wan")
    assert broken.printer("10.77.16.5", "8.8.8.8")
    assert broken.printer("10.77.18.0/23", "8.8.0.0/23")
    assert broken.printer("10.77.16.6", place.PUBLIC) == 0  # the street's own network


def test_what_is_elsewhere_has_no_way_in_a_full_change_either(broken):
    """It is not refused, for the sake of the others: see test_away.py."""
    def put(vpn, target):
        return message(PRINTER_PUT, prefix(vpn) + prefix(target) + b"\0" + bytes(6))
    assert broken.change(put("10.77.16.5", "8.8.8.8"), put("10.77.18.0/23", "203.0.112.0/23"),
                         put("10.77.16.6", place.A), full=True) == 0
    ways = broken.lab.gate.net("ip", "route", "show", "table", TABLE).stdout
    assert place.A in ways and "8.8.8.8" not in ways and "203.0.112" not in ways


def test_an_end_without_a_beginning(broken):
    broken.line.send(message(COMMIT))
    assert broken.line.recv(65536) == b""


def test_a_core_that_does_not_read(broken):
    """printgated still ends when it is told to."""
    broken.line.setblocking(False)

    def full():
        with contextlib.suppress(BlockingIOError):
            while True:
                broken.line.send(message(DUMP))
        return not select.select([], [broken.line], [], 0.5)[1]

    await_that(full, what="printgated to stop reading")
    broken.lab.gateway.kill("printgated", signal.SIGTERM)
    await_that(lambda: not broken.lab.gate.pids("printgated"), what="the end of printgated")
