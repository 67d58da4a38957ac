# SPDX-License-Identifier: GPL-2.0-or-later
"""A scripted core: it speaks the control protocol (common/control.h) on a SEQPACKET socket and says
what a test tells it to, be it true or hostile. The CLI under test is the real program."""

import os
import re
import socket
import struct
import subprocess
import threading

PROGRAM = os.environ.get("PRINTGATE", "build/printgate")

with open("common/control.h", encoding="utf-8") as header:
    NAMES = re.findall(r"^\s(CTL_[A-Z_]+)(?: = (\d+))?,", header.read(), re.M)
TYPES, number = {}, 0
for name, value in NAMES:
    number = int(value) if value else number + 1
    TYPES[name] = number
TYPE_NAMES = {v: k for k, v in TYPES.items()}

with open("common/err.h", encoding="utf-8") as header:
    ERRORS = {k: int(v) for k, v in re.findall(r"(ERR_[A-Z_]+) = (-?\d+)", header.read())}


def text(s):
    raw = s if isinstance(s, bytes) else s.encode()
    return struct.pack("<H", len(raw)) + raw


def ip(s):
    return struct.pack("<I", struct.unpack(">I", socket.inet_aton(s))[0])


def prefix(s):
    address, _, length = s.partition("/")
    return ip(address) + bytes([int(length or 32)])


def services(*items):
    return bytes([len(items)]) + b"".join(
        struct.pack("<BHH", {"tcp": 6, "udp": 17}[p], first, last) for p, first, last in items)


def item(kind, body=b""):
    """A message as it stands in a datagram: after its length."""
    return struct.pack("<HHH", 4 + len(body), 1, TYPES[kind]) + body


END = item("CTL_END")


def error(code, message):
    return item("CTL_ERROR", struct.pack("<i", ERRORS[code]) + text(message))


def prefix6(text):
    """"fd77::/64", an address, or None."""
    addr, _, length = (text or "::/0").partition("/")
    return socket.inet_pton(socket.AF_INET6, addr) + bytes([int(length or 128)])


def gateway(endpoint="home.example.net:51820", locked=False, reason="", tunnel6=None):
    return item("CTL_GATEWAY", text("wg0") + text("userspace") + bytes(range(32))
                + struct.pack("<H", 51820) + text(endpoint) + prefix("10.77.16.0/20")
                + prefix6(tunnel6) + bytes([locked]) + text(reason) + struct.pack("<Q", 93784)
                + text("ABCD-2345"))


def printer(name="voron", kind=0, address="192.168.1.50", vpn="10.77.16.2", preset="moonraker",
            ports=(("tcp", 80, 80), ("tcp", 7125, 7125)), host="", moved=False, vpn6=None):
    return item("CTL_PRINTER", text(name) + bytes([kind]) + prefix(address) + prefix(vpn)
                + prefix6(vpn6) + text(preset) + services(*ports) + text(host)
                + bytes([moved, 0]))


def endpoint(s):
    if not s:
        return b"\0"
    host, _, port = s.rpartition(":")
    if host.startswith("["):
        return b"\6" + socket.inet_pton(socket.AF_INET6, host[1:-1]) + struct.pack("<H", int(port))
    return b"\4" + socket.inet_aton(host) + struct.pack("<H", int(port))


def peer(name="my phone", address="10.77.20.1", state=0, created=1_800_000_000, expires=0,
         handshake=0, outer="", rx=0, tx=0, address6=None):
    return item("CTL_PEER", text(name) + bytes(32) + ip(address) + prefix6(address6)
                + bytes([state])
                + struct.pack("<qqq", created, expires, handshake) + endpoint(outer)
                + struct.pack("<QQ", rx, tx))


def grant(name="voron", expires=0):
    return item("CTL_GRANT", text(name) + struct.pack("<q", expires))


def config(body, tunnel_name="my-phone"):
    return item("CTL_CONFIG", text(tunnel_name) + text(body))


def event(time, actor, action, subject, detail):
    return item("CTL_EVENT", struct.pack("<q", time) + text(actor) + text(action) + text(subject)
                + text(detail))


def check(name, result, message, fix=""):
    return item("CTL_CHECK", text(name) + bytes([result]) + text(message) + text(fix))


class Core(threading.Thread):
    """Answers each request with the list of datagrams that `script` has for its type; a list ends
    the connection if it does not end in END or an error. What was asked is kept in `asked`."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.path = str(folder / "control.sock")
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(self.path)
        self.listener.listen(8)
        self.script = {"CTL_PRINTERS": [printer(), END]}
        self.asked = []
        self.start()

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client:
                try:
                    self.serve(client)
                except (BrokenPipeError, ConnectionResetError):
                    pass

    def serve(self, client):
        while question := client.recv(8192):
            length, version, kind = struct.unpack_from("<HHH", question)
            assert version == 1 and length == len(question) - 2
            name = TYPE_NAMES[kind]
            self.asked.append((name, question[6:]))
            answer = self.script.get(name, [error("ERR_INTERNAL", f"no script for {name}")])
            for datagram in answer:
                client.send(datagram)
            if not answer or answer[-1][4:6] not in (END[4:6], item("CTL_ERROR")[4:6]):
                return

    def close(self):
        """Also waits for the thread: a closed descriptor's number is soon somebody else's."""
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # closed before
        self.join(5)
        self.listener.close()

    def cli(self, *words, **more):
        return cli("--socket", self.path, *words, **more)


def cli(*words, env=None, **more):
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC", **(env or {})}
    return subprocess.run([PROGRAM, *words], capture_output=True, env=environment, timeout=60,
                          check=False, **more)
