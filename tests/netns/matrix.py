# SPDX-License-Identifier: GPL-2.0-or-later
"""The matrix: who may reach what, as one table, and a round of probes that asks all of it at once.

A cell of TABLE has one letter for each of SERVICES, in their order. Every probe has a number of its
own, which is its source port (or its echo request's identifier) and which translation keeps: so a
packet that arrives at a machine tells which cell it belongs to. What counts is what arrived there;
the client's own view comes second.
"""

import collections
import contextlib
import errno
import resource
import selectors
import socket
import struct
import time

import house as h
import lab as place
from house import House
from node import SLOW, inside
from packets import IPV4, PACKET_OTHERHOST
from probes import ETH_P_ALL, SO_RCVBUFFORCE, checksum
from servers import Echoes

SECONDS = 1.0 * SLOW  # how long silence is listened to; what got no answer is asked again half way

# A granted service of each protocol, one that is not, and ping. At the gateway's own addresses the
# first is tcp/80 instead: the page, beside which another web server of the machine listens.
SERVICES = (("tcp", 8080), ("udp", 5000), ("tcp", 22), ("udp", 53), ("icmp", 0))
PAGE = 80
PAGE_PORT = 51880  # where the page really listens

SOURCES = ("phone", "phone 2", "printer a", "host", "internet", "gateway")

# o: open: an answer, and the packet came to that machine    p: the same, and it was the page
# r: refused in so many words, and nothing arrived           s: silence, and nothing arrived
# n: refused because nobody listens at the page's port       x: one of r and s
# -: not asked                                               .: whatever it is
TABLE = """
printer a by VPN       oorro  rrrrr  sssss  sssss  sssss  xxxxx
printer b by VPN       rrrrr  oorro  sssss  sssss  sssss  xxxxx
printer a by LAN       rrrrr  rrrrr  -----  ooooo  xxxxx  ooooo
printer b by LAN       rrrrr  rrrrr  ooooo  ooooo  xxxxx  ooooo
host                   rrrrr  rrrrr  ooooo  -----  xxxxx  ooooo
internet               rrrrr  rrrrr  xxxxx  xxxxx  -----  ooooo
gateway in the tunnel  prrro  prrro  sssss  sssss  sssss  ooooo
gateway in the LAN     rrrrr  rrrrr  ooooo  ooooo  ooooo  ooooo
gateway's WAN          rrrrr  rrrrr  ooooo  ooooo  ooooo  ooooo
phone                  -----  rrrrr  sssss  sssss  sssss  xxxxx
phone 2                rrrrr  -----  sssss  sssss  sssss  xxxxx
printer a, IPv6        xxxxx  xxxxx  -----  ooooo  xxxxx  ooooo
printer b, IPv6        xxxxx  xxxxx  ooooo  ooooo  xxxxx  ooooo
host, IPv6             xxxxx  xxxxx  ooooo  -----  xxxxx  ooooo
internet, IPv6         xxxxx  xxxxx  xxxxx  xxxxx  -----  ooooo
gateway's LAN, IPv6    xxxxx  xxxxx  ooooo  ooooo  ooooo  ooooo
gateway's WAN, IPv6    xxxxx  xxxxx  ooooo  ooooo  ooooo  ooooo
phone, IPv6            -----  xxxxx  xxxxx  xxxxx  xxxxx  xxxxx
phone 2, IPv6          xxxxx  -----  xxxxx  xxxxx  xxxxx  xxxxx
"""
COLUMN = 23  # where the cells begin
NAMES = {"o": "open", "p": "the page", "n": "the page, where nobody is", "r": "refused",
         "s": "silent", "x": "not open", "a": "answered by another machine",
         "A": "not open, but ARRIVED there"}

Cell = collections.namedtuple("Cell", "source target service")


def normal(table=TABLE):
    """{(target, source): letters} of a table."""
    cells = {}
    for line in table.strip().splitlines():
        for source, letters in zip(SOURCES, line[COLUMN:].split(), strict=True):
            cells[line[:COLUMN].strip(), source] = letters
    return cells


def differs(table=TABLE, **changes):
    """The table with other letters: `phone` for all of that source's cells (`phone_2` too) or a dict
    {target: letters}. What is not asked stays so."""
    cells = normal(table)
    for name, change in changes.items():
        source = name.replace("_", " ")
        for (target, whose), letters in cells.items():
            new = change if isinstance(change, str) else change.get(target, letters)
            if whose == source and letters != "-----":
                cells[target, whose] = new
    return cells


PHONE6 = "fd77::"


class MatrixHouse(House):
    """Everybody serves everything, and sends everything by way of the gateway. `phone` may use
    printer a, `phone 2` printer b."""

    def __init__(self, **options):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a socket for each question
        super().__init__(**options)
        self.spoilt = False  # by a test that failed
        try:
            self.enter(self.phone2, "phone 2", "--printer", "beta")
            for node in (self.internet, self.phone.node, self.phone2.node):
                self.serve(Echoes(node, tcp=h.TCP_PORTS, udp=h.UDP_PORTS))
            self.serve(Echoes(self.gate, tcp=(*h.TCP_PORTS, PAGE), udp=h.UDP_PORTS))
            for number, phone in ((1, self.phone), (2, self.phone2)):
                self.make_greedy(phone, number)
            self._make_detours()
        except BaseException:
            self.close()
            raise

    def make_greedy(self, phone, number):
        """All its traffic goes into the tunnel, but that of the tunnel itself."""
        node = phone.node
        node.sysctl(f"net.ipv6.conf.{phone.interface}.disable_ipv6", 0)
        node.batch(f"route replace {place.GATEWAY_WAN}/32 via 10.20.0.1",
                   f"address add {PHONE6}{number}/64 dev {phone.interface} nodad",
                   f"route replace ::/0 dev {phone.interface}")
        phone.grow_greedy("default")

    def _make_detours(self):
        tunnel = self.gateway.tunnel
        for node in (self.printer_a, self.host):
            node.batch(f"route add {tunnel} via {place.GATEWAY_LAN}",
                       f"route add 203.0.113.0/24 via {place.GATEWAY_LAN}",
                       f"route add ::/0 via {place.LAN6}2")
        self.internet.batch(f"route add {tunnel} via {place.GATEWAY_WAN}",
                            f"route add {place.LAN} via {place.GATEWAY_WAN}",
                            f"route add {place.LAN6}/64 via 2001:db8:1::10",
                            f"route add {PHONE6}/64 via 2001:db8:1::10")

    @property
    def source_nodes(self):
        return dict(zip(SOURCES, (self.phone.node, self.phone2.node, self.printer_a, self.host,
                                  self.internet, self.gate), strict=True))

    def targets(self):
        """{name in TABLE: (address, machine)}"""
        lan6, gate = place.LAN6, "gateway"
        return {
            "printer a by VPN": (self.vpn(self.alpha), "printer a"),
            "printer b by VPN": (self.vpn(self.beta), "printer b"),
            "printer a by LAN": (place.A, "printer a"), "printer b by LAN": (place.B, "printer b"),
            "host": (place.HOST, "host"), "internet": (place.PUBLIC, "internet"),
            "gateway in the tunnel": (self.phone.gateway, gate),
            "gateway in the LAN": (place.GATEWAY_LAN, gate),
            "gateway's WAN": (place.GATEWAY_WAN, gate),
            "phone": (self.phone.address, "phone"), "phone 2": (self.phone2.address, "phone 2"),
            "printer a, IPv6": (f"{lan6}11", "printer a"),
            "printer b, IPv6": (f"{lan6}12", "printer b"),
            "host, IPv6": (f"{lan6}20", "host"), "internet, IPv6": (place.PUBLIC6, "internet"),
            "gateway's LAN, IPv6": (f"{lan6}2", gate),
            "gateway's WAN, IPv6": ("2001:db8:1::10", gate),
            "phone, IPv6": (f"{PHONE6}1", "phone"), "phone 2, IPv6": (f"{PHONE6}2", "phone 2"),
        }


# ---- arrivals ----------------------------------------------------------------------------------

ECHO_REQUEST = {4: 8, 6: 128}
ECHO_REPLY = {4: 0, 6: 129}
ICMP = {socket.IPPROTO_ICMP: 4, socket.IPPROTO_ICMPV6: 6}
IPV6 = 0x86DD


def number_of(protocol, payload):
    """(number, port) of a request's transport header; None if it is something else."""
    if len(payload) >= 8 and protocol in (socket.IPPROTO_TCP, socket.IPPROTO_UDP):
        return struct.unpack("!HH", payload[:4])
    if len(payload) >= 8 and payload[0] == ECHO_REQUEST.get(ICMP.get(protocol)):
        return struct.unpack("!H", payload[4:6])[0], 0
    return None


def transport(kind, data):
    """(protocol, what follows the IP header)"""
    if kind == IPV4 and len(data) >= 20:
        return data[9], data[(data[0] & 15) * 4:]
    if kind == IPV6 and len(data) >= 40:
        return data[6], data[40:]
    return 0, b""


class Arrivals:
    """What has come to the machines: at their interfaces, before their firewalls; at the gateway,
    which all traffic passes, what was delivered to the machine itself."""

    def __init__(self, house):
        self.came = collections.defaultdict(set)  # number: {(machine, port)}
        self.open = {}                            # socket: (machine, protocol of a raw socket)
        machines = {**house.source_nodes, "printer b": house.printer_b}
        for name, node in machines.items():
            if name != "gateway":
                self._listen(name, 0, node.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                                  socket.htons(ETH_P_ALL)))
        for family, icmp in ((socket.AF_INET, socket.IPPROTO_ICMP),
                             (socket.AF_INET6, socket.IPPROTO_ICMPV6)):
            for protocol in (socket.IPPROTO_TCP, socket.IPPROTO_UDP, icmp):
                self._listen("gateway", protocol,
                             house.gate.socket(family, socket.SOCK_RAW, protocol))

    def _listen(self, machine, protocol, s):
        s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
        s.setblocking(False)
        self.open[s] = machine, protocol

    def close(self):
        for s in self.open:
            s.close()

    def take(self, s):
        machine, protocol = self.open[s]
        with contextlib.suppress(BlockingIOError):
            while True:
                data, origin = s.recvfrom(2048)
                if not protocol:
                    # what a bridge floods to another machine's address is no arrival
                    if origin[2] < PACKET_OTHERHOST:
                        self._note(machine, number_of(*transport(origin[1], data)))
                elif s.family == socket.AF_INET:
                    self._note(machine, number_of(*transport(IPV4, data)))
                else:
                    self._note(machine, number_of(protocol, data))

    def _note(self, machine, found):
        if found:
            self.came[found[0]].add((machine, found[1]))


# ---- probes ------------------------------------------------------------------------------------

# Numbers are above the services' ports and below those that the kernel gives to others.
FIRST, LAST = 10000, 32000
_next = FIRST


def fresh_number():
    global _next
    _next = _next + 1 if _next < LAST else FIRST
    return _next


class Probe:
    """One cell's question. `answer` is "", "open" or "refused"."""

    def __init__(self, cell, address, port, machine):
        self.cell, self.address, self.port, self.machine = cell, address, port, machine
        self.protocol = cell.service[0]
        self.number = fresh_number()
        self.answer = ""
        self.socket = None

    @property
    def version(self):
        return 6 if ":" in self.address else 4

    def ask(self):
        try:
            if self.protocol == "tcp":
                self.told(self.socket.connect_ex((self.address, self.port)))
            elif self.protocol == "udp":
                self.socket.send(b"probe")
            else:
                head = struct.pack("!BBHHH", ECHO_REQUEST[self.version], 0, 0, self.number, 1)
                total = checksum(head) if self.version == 4 else 0  # IPv6's is the kernel's work
                self.socket.sendto(head[:2] + struct.pack("!H", total) + head[4:],
                                   (self.address, 0))
        except OSError as error:
            self.told(error.errno)

    def told(self, number):
        if number not in (0, errno.EINPROGRESS, errno.EALREADY, errno.EAGAIN) and not self.answer:
            self.answer = "refused"

    def ready(self):
        """Its socket has something; True when it is done with."""
        if self.protocol == "tcp":
            number = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self.told(number)
            self.answer = self.answer or "open"
        else:
            try:
                if self.socket.recv(2048):
                    self.answer = "open"
            except OSError as error:
                self.told(error.errno)
        return bool(self.answer)

    def letter(self, came):
        at = {machine for machine, _ in came}
        if self.answer == "open":
            if at != {self.machine}:
                return "a"
            return "o" if came == {(self.machine, self.port)} else "p"
        if self.answer and came == {("gateway", PAGE_PORT)}:
            return "n"
        # the gateway and LAN hosts may send to a router what is for somebody else
        if self.machine in at or (at and self.cell.source.startswith("phone")):
            return "A"
        return "r" if self.answer else "s"


class Round:
    """All probes of a table, at once. `letters` is {(target, source): what was found}."""

    def __init__(self, house, table):
        self.table = table
        self.selector = selectors.DefaultSelector()
        self.arrivals = Arrivals(house)
        self.probes = {}  # number: probe
        self.sockets = []
        try:
            for source, node in house.source_nodes.items():
                self._make(house, source, node)
            for s in self.arrivals.open:
                self.selector.register(s, selectors.EVENT_READ, None)
            self._run()
        finally:
            self.arrivals.close()
            for s in self.sockets:
                s.close()
            self.selector.close()
        self.letters = {}
        for probe in self.probes.values():
            key = probe.cell.target, probe.cell.source
            self.letters[key] = (self.letters.get(key, "") +
                                 probe.letter(self.arrivals.came[probe.number]))

    def _make(self, house, source, node):
        device = b"wg0" if source.startswith("phone") else b""
        with inside(node.netns):
            pings = {4: self._socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP, device),
                     6: self._socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6,
                                     device)}
            for version, s in pings.items():
                self.selector.register(s, selectors.EVENT_READ, version)
            for target, (address, machine) in house.targets().items():
                if self.table[target, source] == "-----":
                    continue
                for place_in, service in enumerate(SERVICES):
                    port = PAGE if machine == "gateway" and not place_in else service[1]
                    probe = Probe(Cell(source, target, service), address, port, machine)
                    self.probes[probe.number] = probe
                    self._equip(probe, pings, device)

    def _socket(self, family, kind, protocol, device):
        s = socket.socket(family, kind, protocol)
        self.sockets.append(s)
        s.setblocking(False)
        if device:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device + b"\0")
        return s

    def _equip(self, probe, pings, device):
        if probe.protocol == "icmp":
            probe.socket = pings[probe.version]
            return
        family = socket.AF_INET6 if probe.version == 6 else socket.AF_INET
        kind = socket.SOCK_STREAM if probe.protocol == "tcp" else socket.SOCK_DGRAM
        probe.socket = self._socket(family, kind, 0, device)
        probe.socket.bind(("", probe.number))
        if probe.protocol == "udp":
            try:
                probe.socket.connect((probe.address, probe.port))
            except OSError as error:
                probe.told(error.errno)

    # -- the loop --

    def _run(self):
        began = time.monotonic()
        for probe in self.probes.values():
            self._ask(probe)
            self._read(0)
        self._read_until(began + SECONDS / 2)
        for probe in self.probes.values():
            if not probe.answer and probe.protocol != "tcp":  # TCP does so by itself
                probe.ask()
        self._read_until(time.monotonic() + SECONDS)

    def _ask(self, probe):
        if not probe.answer:
            probe.ask()
        if probe.protocol != "icmp" and not probe.answer:
            events = selectors.EVENT_WRITE if probe.protocol == "tcp" else selectors.EVENT_READ
            self.selector.register(probe.socket, events, probe)

    def _read_until(self, deadline):
        while (left := deadline - time.monotonic()) > 0:
            self._read(left)

    def _read(self, seconds):
        for key, _ in self.selector.select(seconds):
            if key.data is None:
                self.arrivals.take(key.fileobj)
            elif isinstance(key.data, int):
                self._take_pings(key.fileobj, key.data)
            elif key.data.ready():
                self.selector.unregister(key.fileobj)

    def _take_pings(self, s, version):
        with contextlib.suppress(BlockingIOError):
            while True:
                data = s.recv(2048)
                icmp = data[(data[0] & 15) * 4:] if version == 4 else data
                quoted = icmp[8 + (20 if version == 4 else 40):]
                unreachable = icmp[0] == (3 if version == 4 else 1)
                if icmp[0] == ECHO_REPLY[version]:
                    self._told(icmp[4:6], "open")
                elif unreachable and quoted[:1] == bytes([ECHO_REQUEST[version]]):
                    self._told(quoted[4:6], "refused")

    def _told(self, number, answer):
        probe = self.probes.get(int.from_bytes(number, "big"))
        if probe and probe.protocol == "icmp":
            probe.answer = probe.answer or answer


# ---- verdict -----------------------------------------------------------------------------------


def fits(wanted, found):
    return wanted in (".", found) or (wanted == "x" and found in "rs")


def wrong_cells(table, letters):
    """[(target, source, service, wanted, found)]"""
    return [(*key, f"{service[0]}/{service[1]}", w, f)
            for key, found in letters.items()
            for service, w, f in zip(SERVICES, table[key], found, strict=True) if not fits(w, f)]


def grid(table, letters):
    """What was found, as TABLE is written; a cell that is wrong stands in brackets."""
    lines = ["".ljust(COLUMN) + " ".join(s.center(11) for s in SOURCES)]
    for target in dict.fromkeys(t for t, _ in table):
        cells = []
        for source in SOURCES:
            wanted, found = table[target, source], letters.get((target, source), "-----")
            right = found == "-----" or all(map(fits, wanted, found))
            cells.append(f"{found}" if right else f"[{found}]")
        lines.append(target.ljust(COLUMN) + " ".join(c.center(11) for c in cells).rstrip())
    return "\n".join(lines)


def check(house, table, state):
    """Asks everything; a failure shows the grid and each wrong cell."""
    letters = Round(house, table).letters
    wrong = wrong_cells(table, letters)
    if wrong:
        told = [f"  {source} to {target}, {service}: {NAMES.get(f, f)}, should be {NAMES[w]}"
                for target, source, service, w, f in wrong]
        raise AssertionError(f"{state}: {len(wrong)} wrong cells\n{grid(table, letters)}\n" +
                             "\n".join(told[:60]) + f"\n{house.gateway.log_text()[-1500:]}")
