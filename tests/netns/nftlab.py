# SPDX-License-Identifier: GPL-2.0-or-later
"""A small world for the nftables rules alone: no WireGuard, no daemon.

    phone ==pgt0== gateway --lan0-- printers
                           --wan0-- internet

`pgt0` is one end of a veth pair that stands in for the tunnel's interface. The rules are loaded by
nft_driver, which is nothing but daemon/priv/nft.h with a command line. A socket belongs to the
network namespace in which it was made, so all of them live in this one process.
"""

import contextlib
import ctypes
import errno
import os
import pathlib
import re
import select
import socket
import struct
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
DRIVER = pathlib.Path(os.environ.get("B", ROOT / "build")) / "netns" / "nft_driver"
GOLDEN = ROOT / "tests" / "golden" / "ruleset.nft"
GOLDEN6 = ROOT / "tests" / "golden" / "ruleset6.nft"

GATEWAY = "10.77.16.1"
PHONE, STRANGER = "10.77.20.1", "10.77.20.2"
PRINTER, SELF, UNMAPPED = "10.77.16.2", "10.77.16.3", "10.77.16.9"
SUBNET, SUBNET_LAN = "10.77.19.0/29", "192.168.5.64/29"
LAN_GATEWAY, LAN_PRINTER, LAN_OTHER = "192.168.5.1", "192.168.5.10", "192.168.5.11"
WAN_HOST = "203.0.113.2"
TUNNEL6, BASE6 = "fd77:1:2:3::/64", "fd77:1:2:3::"
GATEWAY6, SELF6, PHONE6, STRANGER6, PRINTER6 = (
    BASE6 + "a4d:" + last for last in ("1001", "1003", "1401", "1402", "1002"))
SLOW = float(os.environ.get("PRINTGATE_SLOW", "1"))  # see node.py
PATIENCE = 1.0 * SLOW  # seconds until silence is believed

MAIN = f"""
printer put {PRINTER} {LAN_PRINTER}
printer put {SUBNET} {SUBNET_LAN}
service put {PRINTER} tcp/80
service put {PRINTER} tcp/500-510
service put {SUBNET} udp/70
grant put {PHONE} {PRINTER} 0
grant put {PHONE} {SUBNET} 0
gate lan0
"""  # what tests/golden/ruleset.nft shows

MORE = f"""
printer put {SELF} self
service put {SELF} tcp/8000
service put {PRINTER} udp/70
service put {PRINTER} udp/71-72
service put {SUBNET} tcp/80
service put {SUBNET} udp/71-72
service put {UNMAPPED} tcp/80
grant put {PHONE} {SELF} 0
grant put {PHONE} {UNMAPPED} 0
"""

MAIN6 = f"""
printer put {SELF} self
service put {SELF} tcp/8000
service put {SELF} udp/71-72
grant put {PHONE} {SELF} 0
"""  # what tests/golden/ruleset6.nft shows

_libc = ctypes.CDLL(None, use_errno=True)


def run(*command, **kw):
    return subprocess.run(command, check=True, capture_output=True, text=True, **kw).stdout


class Namespace:
    def __init__(self, name):
        self.name = f"pg-nft-{name}-{os.getpid()}"
        run("ip", "netns", "add", self.name)
        self.ip("link", "set", "lo", "up")

    def ip(self, *words):
        return run("ip", "-n", self.name, *words)

    def sh(self, *words, **kw):
        with self.inside():
            return run(*words, **kw)

    def remove(self):
        run("ip", "netns", "del", self.name)

    @contextlib.contextmanager
    def inside(self):
        with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{self.name}") as there:
            self._enter(there)
            try:
                yield
            finally:
                self._enter(home)

    @staticmethod
    def _enter(namespace):
        if _libc.setns(namespace.fileno(), 0x40000000) != 0:  # CLONE_NEWNET
            raise OSError(ctypes.get_errno(), "setns")

    def socket(self, *kind):
        with self.inside():
            return socket.socket(*kind)


class Driver:
    """nft_driver in the gateway's namespace; `do` sends lines and returns the answers."""

    def __init__(self, namespace, interface="pgt0", page=80, bound=51880, tunnel6=None):
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", namespace.name, DRIVER, interface, "10.77.16.0/20",
             str(page), str(bound), *([tunnel6] if tunnel6 else [])], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def do(self, text):
        self.process.stdin.write(text.strip() + "\n")
        self.process.stdin.flush()
        lines = []
        while not lines or not re.match(r"ok$|error ", lines[-1]):
            line = self.process.stdout.readline()
            assert line, "nft_driver has ended"
            lines.append(line.rstrip("\n"))
        return lines

    def change(self, items, kind="delta"):
        return self.do(f"begin {kind}\n{items.strip()}\ncommit")[-1]

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(10) == 0


def rules_of(listing):
    """The rules of a listing by nft(8): (chain, rule)."""
    chain = None
    for line in listing.splitlines():
        opening = re.match(r"\tchain (\w+) {", line)
        if opening:
            chain = opening.group(1)
        elif line == "\t}":
            chain = None
        elif chain and line.strip() and not line.strip().startswith("type "):
            yield chain, line.strip()


class Lab:
    def __init__(self):
        self.sockets, self.done, self.streaming = [], threading.Event(), 0
        self.phone, self.gateway = Namespace("phone"), Namespace("gw")
        self.lan, self.wan = Namespace("lan"), Namespace("wan")
        self._tunnel()
        self._cable(self.gateway, "lan0", f"{LAN_GATEWAY}/24", self.lan)
        self._cable(self.gateway, "wan0", "203.0.113.1/24", self.wan)
        for last in (10, 11, *range(64, 72)):
            self.lan.ip("addr", "add", f"192.168.5.{last}/24", "dev", "eth0")
        self.wan.ip("addr", "add", f"{WAN_HOST}/24", "dev", "eth0")
        self.lan.ip("route", "add", "203.0.113.0/24", "via", LAN_GATEWAY)
        self.lan.ip("route", "add", "10.77.16.0/20", "via", LAN_GATEWAY)
        self.wan.ip("route", "add", "192.168.5.0/24", "via", "203.0.113.1")
        for setting in ("ip_forward=1", "conf.all.rp_filter=0", "conf.lan0.rp_filter=0",
                        "conf.pgt0.rp_filter=0", "conf.all.send_redirects=0"):
            self.gateway.sh("sysctl", "-qw", f"net.ipv4.{setting}")
        # Answers to refusals must not run into the kernel's own limits in a quick test.
        self.gateway.sh("sysctl", "-qw", "net.ipv4.icmp_ratelimit=0")
        self.lan.sh("sysctl", "-qw", "net.ipv4.icmp_ratelimit=0")
        self._servers()
        self.driver = Driver(self.gateway)

    def _tunnel(self):
        # No ARP, and the same address at both ends: like WireGuard it takes whatever is routed in.
        self.gateway.ip("link", "add", "pgt0", "address", "02:00:00:00:00:01", "type", "veth",
                        "peer", "name", "t0", "address", "02:00:00:00:00:01", "netns",
                        self.phone.name)
        for end, name in ((self.gateway, "pgt0"), (self.phone, "t0")):
            end.ip("link", "set", name, "arp", "off", "mtu", "1420", "up")
        self.gateway.ip("addr", "add", f"{GATEWAY}/20", "dev", "pgt0")
        for address in (PHONE, STRANGER):
            self.phone.ip("addr", "add", f"{address}/32", "dev", "t0")
        self.phone.ip("route", "add", "default", "dev", "t0", "src", PHONE)
        self.phone.ip("addr", "add", "fd00:77::2/64", "dev", "t0", "nodad")
        self.gateway.ip("addr", "add", "fd00:77::1/64", "dev", "pgt0", "nodad")

    @staticmethod
    def _cable(near, name, address, far):
        near.ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", far.name)
        near.ip("addr", "add", address, "dev", name)
        near.ip("link", "set", name, "up")
        far.ip("link", "set", "eth0", "up")

    # ---- servers: each says by which address it was reached ----------------------------------

    def _servers(self):
        for port in (80, 81, 505):
            self._tcp(self.lan, "0.0.0.0", port)
        for last in (10, 11, *range(64, 72)):
            self._udp(self.lan, f"192.168.5.{last}", 70)
            self._udp(self.lan, f"192.168.5.{last}", 71)
        self._tcp(self.gateway, "0.0.0.0", 22)
        self._tcp(self.gateway, "0.0.0.0", 80)
        self._tcp(self.gateway, "0.0.0.0", 8000)
        self._tcp(self.gateway, GATEWAY, 51880)
        self._tcp(self.gateway, "::", 22, socket.AF_INET6)
        self._tcp(self.wan, "0.0.0.0", 80)
        self._udp(self.phone, PHONE, 70)
        self._tcp(self.phone, "0.0.0.0", 80)

    def _tcp(self, where, address, port, family=socket.AF_INET):
        s = where.socket(family, socket.SOCK_STREAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.bind((address, port))
        s.listen(64)
        self._thread(s, self._tcp_serve)

    def _tcp_serve(self, s):
        with contextlib.suppress(OSError):
            while not self.done.is_set():
                c, _ = s.accept()
                with contextlib.suppress(OSError), c:
                    c.sendall("{}:{}".format(*c.getsockname()[:2]).encode())

    def _udp(self, where, address, port):
        s = where.socket(family_of(address), socket.SOCK_DGRAM)
        s.bind((address, port))
        self._thread(s, self._udp_serve)

    def _udp_serve(self, s):
        """One answer; to `stream`, answers until the test has seen enough."""
        me = "{}:{}".format(*s.getsockname()[:2]).encode()
        while not self.done.is_set():
            with contextlib.suppress(OSError):
                data, client = s.recvfrom(100)
                if client:
                    s.sendto(me, client)
                while data == b"stream %d" % self.streaming:
                    time.sleep(0.01)
                    with contextlib.suppress(PermissionError):  # this machine's own rules
                        s.sendto(me, client)

    def _thread(self, s, body):
        self.sockets.append(s)
        threading.Thread(target=body, args=(s,), daemon=True).start()

    # ---- rules -------------------------------------------------------------------------------

    def load(self):
        assert self.driver.change(MAIN + MORE, "full") == "ok"

    def listing(self):
        return self.gateway.sh("nft", "list", "table", "inet", "printgate")

    def delete_rule(self, chain, rule):
        text = self.gateway.sh("nft", "-a", "list", "chain", "inet", "printgate", chain)
        handle = re.search(rf"^\t\t{re.escape(rule)} # handle (\d+)$", text, re.M).group(1)
        self.gateway.sh("nft", "delete", "rule", "inet", "printgate", chain, "handle", handle)

    # ---- probes: what a client sees ------------------------------------------------------------

    def tcp(self, where, address, port, source=None):
        """The server's greeting, `refused`, `unreachable` or `silence`."""
        with where.socket(family_of(address), socket.SOCK_STREAM) as s:
            s.settimeout(PATIENCE)
            try:
                if source:
                    s.bind((source, 0))
                s.connect((address, port))
                return s.recv(100).decode() or "closed"
            except OSError as e:
                return self._failure(e)

    def udp(self, where, address, port, source=None):
        with where.socket(family_of(address), socket.SOCK_DGRAM) as s:
            s.settimeout(PATIENCE)
            try:
                if source:
                    s.bind((source, 0))
                s.connect((address, port))
                s.send(b"hello")
                return s.recv(100).decode()
            except OSError as e:
                return self._failure(e)

    @staticmethod
    def _failure(e):
        if isinstance(e, TimeoutError):
            return "silence"
        if e.errno in (errno.ECONNREFUSED, errno.ECONNRESET):
            return "refused"
        if e.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES):
            return "unreachable"
        raise e

    def ping(self, where, address, source=None):
        by = ["-I", source] if source else []
        words = ["ping", "-c1", f"-W{PATIENCE:.0f}", "-n", *by, address]
        with contextlib.suppress(subprocess.CalledProcessError):
            where.sh(*words)
            return "answer"
        return "no answer"

    @contextlib.contextmanager
    def stream(self, address, port=71, source=PHONE):
        """A stream of datagrams from a printer to the phone; yields `flows()`, which tells whether
        any arrive from now on."""
        with self.phone.socket(family_of(address), socket.SOCK_DGRAM) as s:
            s.bind((source, 0))
            s.connect((address, port))
            s.settimeout(PATIENCE)
            self.streaming += 1  # ends the one before
            s.send(b"stream %d" % self.streaming)
            s.recv(100)

            def flows():
                s.setblocking(False)
                with contextlib.suppress(OSError):
                    while s.recv(100):
                        pass
                return bool(select.select([s], [], [], 0.3 * SLOW)[0])

            try:
                yield flows
            finally:
                self.streaming += 1

    def sniff(self, where, interface, action, marker):
        """Does a packet with these bytes come in by that interface, once action is done?"""
        with where.inside():
            s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
        with s:
            s.bind((interface, 0))
            action()
            end = time.monotonic() + 0.3 * SLOW
            while (left := end - time.monotonic()) > 0:
                if select.select([s], [], [], left)[0]:
                    data, about = s.recvfrom(2048)
                    if marker in data and about[2] != socket.PACKET_OUTGOING:
                        return True
        return False

    def send_raw(self, where, source, destination, protocol, payload, fragment=0):
        """An IPv4 packet of our own making."""
        header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 4711, fragment, 64,
                             protocol, 0, socket.inet_aton(source), socket.inet_aton(destination))
        with where.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as s:
            with contextlib.suppress(PermissionError):  # dropped on the way out
                s.sendto(header + payload, (destination, 0))

    def close(self):
        self.driver.close()
        self.done.set()
        self.streaming += 1
        for s in self.sockets:
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)  # wakes its thread
            s.close()
        for namespace in (self.phone, self.gateway, self.lan, self.wan):
            namespace.remove()


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def udp_datagram(source_port, port, data):
    return struct.pack("!HHHH", source_port, port, 8 + len(data), 0) + data


def icmp_message(kind, code, data):
    def checksum(octets):
        octets += b"\0" * (len(octets) % 2)
        total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        return ~total & 0xFFFF

    bare = struct.pack("!BBHI", kind, code, 0, 0x12340001) + data
    return bare[:2] + struct.pack("!H", checksum(bare)) + bare[4:]


# ---- questions for "is each rule needed" -------------------------------------------------------------
# A question is asked of the lab twice, once with `mutate` taking a rule out first.

def simple(question):
    def ask(lab, mutate):
        mutate()
        return question(lab)
    return ask


def tcp(address, port, source=None):
    return simple(lambda lab: lab.tcp(lab.phone, address, port, source))


def udp(address, port):
    return simple(lambda lab: lab.udp(lab.phone, address, port))


def ping(address):
    return simple(lambda lab: lab.ping(lab.phone, address))
