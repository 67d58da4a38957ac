# SPDX-License-Identifier: GPL-2.0-or-later
"""Attacks on the real programs: by a phone that sends what it likes, by a core that is broken into,
and by another tool that flushes the firewall."""

import contextlib
import os
import select
import shutil
import signal
import socket
import struct
import threading
import time

import pytest

import lab as place
from lab import Lab
from node import BUILD, await_that
from probes import Witness, tcp_probe, udp_probe
from servers import Echoes

IP_RECORD_HOPS = {"loose": 0x83, "strict": 0x89}
ICMP_ECHO = 8


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def packet(source, destination, protocol, payload, options=b""):
    words = 5 + len(options) // 4
    header = struct.pack("!BBHHHBBH4s4s", 0x40 | words, 0, words * 4 + len(payload), 4711, 0, 64,
                         protocol, 0, socket.inet_aton(source), socket.inet_aton(destination))
    header += options
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def echo_request():
    body = struct.pack("!BBHHH", ICMP_ECHO, 0, 0, 7, 1)
    return body[:2] + struct.pack("!H", checksum(body)) + body[4:]


def into_tunnel(phone):
    """A function that puts any packet into the phone's tunnel."""
    s = phone.node.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0x0800)

    def send(*packets):
        for p in packets:
            try:
                s.sendto(p, ("wg0", 0x0800))
            except OSError:
                pass  # its queue is full
    return send


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


OPEN_AT_MOST = 0.05  # seconds: the kernel's word to us, and ours to the kernel; was twice as long


@pytest.mark.parametrize("tool", ["flush ruleset", "flush table inet printgate",
                                  "delete table inet printgate"])
def test_a_flushed_firewall_is_shut_at_once(lab, tool):
    """The window is measured by what arrives at the gateway itself."""
    lab.gateway.add_printer("a", place.A, "--port", "tcp/8080")
    join(lab, "a")
    phone, send, done = lab.phone.address, into_tunnel(lab.phone), threading.Event()
    datagram = struct.pack("!HHHH", 4000, 5000, 12, 0) + b"leak"
    leak = packet(phone, lab.phone.gateway, 17, datagram)

    def blast():
        while not done.wait(0.001):
            send(leak)

    times = []
    with lab.gate.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as own:
        own.settimeout(0.1)
        blaster = threading.Thread(target=blast)
        blaster.start()
        try:
            lab.gate.run("nft", *tool.split())
            flushed = time.monotonic()
            while time.monotonic() < flushed + 0.6:
                try:
                    if own.recv(65536)[-4:] == b"leak":
                        times.append(time.monotonic())
                except socket.timeout:
                    pass
        finally:
            done.set()
            blaster.join()
    assert not times or max(times) - min(times) < OPEN_AT_MOST
    assert tcp_probe(lab.phone.node, "10.77.16.2", 8080).kind == "open"
    assert tcp_probe(lab.phone.node, lab.phone.gateway, 22).kind == "refused"


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

BEGIN, PRINTER_PUT, COMMIT, DUMP = 1, 2, 10, 11
RESULT = 65
VERSION = 1


def message(kind, body=b""):
    return struct.pack("<HHH", 4 + len(body), VERSION, kind) + body


def prefix(text):
    address, _, length = text.partition("/")
    return struct.pack("<IB", int.from_bytes(socket.inet_aton(address), "big"), int(length or 32))


class BrokenCore:
    """Sits at core's end of the privilege line."""

    def __init__(self, lab):
        gateway = lab.gateway
        programs = os.path.join(gateway.folder, "broken")
        os.mkdir(programs)
        shutil.copy(os.path.join(gateway.bin, "printgated"), programs)
        shutil.copy(os.path.join(gateway.bin, "printgate-web"), programs)
        shutil.copy(os.path.join(BUILD, "netns", "core_bridge"),
                    os.path.join(programs, "printgate-core"))
        self.lab = lab
        gateway.process = lab.gate.start([os.path.join(programs, "printgated"), "--config",
                                          gateway.config], log=gateway.log)
        path = os.path.join(gateway.runtime, "control.sock")
        await_that(lambda: os.path.exists(path), what="the control socket")
        self.line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.line.settimeout(10)
        await_that(self._connect, what="the line")
        self.line.recv(65536)  # HELLO

    def _connect(self):
        try:
            self.line.connect(os.path.join(self.lab.gateway.runtime, "control.sock"))
        except ConnectionRefusedError:
            return False
        return True

    def change(self, *items, full=False):
        """The result's code: 0 is success."""
        for m in (message(BEGIN, bytes([full])), *items, message(COMMIT)):
            self.line.send(m)
        while True:
            answer = self.line.recv(65536)
            assert answer, "printgated has ended"
            if struct.unpack("<H", answer[4:6])[0] == RESULT:
                return struct.unpack("<i", answer[6:10])[0]

    def printer(self, vpn, target):
        return self.change(message(PRINTER_PUT, prefix(vpn) + prefix(target) + b"\0"))


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
