# SPDX-License-Identifier: GPL-2.0-or-later
"""The real printgate-core, with this file as the printgated at the other end of its line.

Its printgated remembers what a kernel would have, answers as it is told to, and at each COMMIT takes
a copy of core's folder: what a crash at that very moment would leave on the disk.
"""

import contextlib
import ctypes
import os
import shutil
import socket
import sqlite3
import struct
import subprocess
import tempfile
import threading

PROGRAM = os.path.abspath(os.environ.get("PRINTGATE_CORE", "build/printgate-core"))
BEGIN, PRINTER_PUT, PRINTER_DEL, SERVICE_PUT, SERVICE_DEL, GRANT_PUT, GRANT_DEL, PEER_PUT, \
    PEER_DEL, COMMIT, DUMP, READY, CHECK, NEIGHBOUR = range(1, 15)
HELLO, RESULT, STATS, RESYNC, HANDSHAKE, FINDING, NEIGHBOUR_IS = range(64, 71)
STATUS, PEERS, SHOW, PRINTERS, PRINTER_ADD, PRINTER_REMOVE, ENROLL, QR, REKEY, RENAME, ALLOW, DENY, \
    DISABLE, ENABLE, REVOKE, LOG, LOCK, UNLOCK, DOCTOR, PRINTER_CONFIRM, PAGE, PAGE_PASSWORD, \
    PAGE_TOKEN, PROVISION_BEGIN, PROVISION_PRINTER, PROVISION_PEER, PROVISION_COMMIT, \
    PROVISION_CODES, PROVISION_DONE = range(1, 30)
WEB_LOOK, WEB_LOGIN, WEB_LOGOUT = range(64, 67)
ERROR, END, GATEWAY, PRINTER, PEER, GRANT, CONFIG, EVENT, COUNTS, CHECKED, OWNER, FINDINGS, SESSION, \
    PAGE_INFO, PAGE_SECRET, PROVISION_BEGUN, PROVISION_CODE = range(128, 145)
ERR = {"name_taken": -4, "not_found": -5, "bad_address": -6, "bad_key": -10, "key_taken": -11,
       "pool_full": -12, "bad_time": -13, "not_permitted": -14, "kernel": -18, "config": -19,
       "conflict": -20, "limit": -23, "no_config": -24, "usage": -2, "denied": -25}
WAITING, ONLINE, OFFLINE, DISABLED, EXPIRED = range(5)
GATEWAY_KEY = bytes(range(1, 33))


def ip(text):
    return struct.pack("<I", struct.unpack(">I", socket.inet_aton(text))[0])


def prefix6(text):
    """"fd77::/64", or None."""
    addr, _, length = (text or "::/0").partition("/")
    return socket.inet_pton(socket.AF_INET6, addr) + bytes([int(length)])


def endpoints(*pairs):
    """(address, port) each: struct wire_viewers."""
    return bytes([len(pairs)]) + b"".join(
        (b"\x06" + socket.inet_pton(socket.AF_INET6, a) if ":" in a else b"\x04" + socket.inet_aton(a))
        + struct.pack("<H", port) for a, port in pairs)


def text(s):
    raw = s.encode()
    return struct.pack("<H", len(raw)) + raw


def record(bare):
    """A message as it stands in a datagram: after its length."""
    return struct.pack("<H", len(bare)) + bare


def message(kind, body=b""):
    return record(struct.pack("<HH", 1, kind) + body)


def readers(datagram):
    """The messages of a datagram."""
    while datagram:
        length = 2 + int.from_bytes(datagram[:2], "little")
        assert 2 < length <= len(datagram), datagram
        yield Reader(datagram[2:length])
        datagram = datagram[length:]


class Reader:
    """Takes a message apart, field by field."""

    def __init__(self, data):
        self.data, self.at = data, 4
        self.kind = struct.unpack_from("<H", data, 2)[0]

    def bytes(self, n):
        self.at += n
        return self.data[self.at - n:self.at]

    def int(self, n):
        return int.from_bytes(self.bytes(n), "little", signed=False)

    def text(self):
        return self.bytes(self.int(2)).decode()

    def ip(self):
        return socket.inet_ntoa(struct.pack(">I", self.int(4)))

    def prefix(self):
        return f"{self.ip()}/{self.int(1)}"

    def prefix6(self):
        addr, length = self.bytes(16), self.int(1)
        return f"{socket.inet_ntop(socket.AF_INET6, addr)}/{length}" if length else None

    def endpoint(self):
        family = self.int(1)
        return (self.bytes(4 if family == 4 else 16), self.int(2)) if family else None

    def error(self):
        code = struct.unpack("<i", self.bytes(4))[0]
        return code, self.text()

    def printer(self):
        return {"name": self.text(), "kind": self.int(1), "address": self.prefix(),
                "vpn": self.prefix(), "vpn6": self.prefix6()}

    def peer(self):
        return {"name": self.text(), "key": self.bytes(32), "address": self.ip(),
                "address6": self.prefix6(), "state": self.int(1), "created": self.int(8), "expires": self.int(8),
                "handshake": self.int(8), "endpoint": self.endpoint(), "rx": self.int(8),
                "tx": self.int(8)}

    def check(self):
        return {"name": self.text(), "result": self.int(1), "message": self.text(),
                "fix": self.text()}

    def event(self):
        return {"time": self.int(8), "actor": self.text(), "action": self.text(),
                "subject": self.text(), "detail": self.text()}


class Answer(list):
    """The messages of one answer, as Readers."""

    def of(self, kind):
        return [m for m in self if m.kind == kind]

    @property
    def error(self):
        e = self.of(ERROR)
        return Reader(e[0].data).error() if e else None

    @property
    def peers(self):
        return [Reader(m.data).peer() for m in self.of(PEER)]

    @property
    def peer(self):
        return self.peers[0]

    @property
    def grants(self):
        return [Reader(m.data).text() for m in self.of(GRANT)]

    @property
    def printers(self):
        return [Reader(m.data).printer() for m in self.of(PRINTER)]

    @property
    def checks(self):
        return {c["name"]: c for c in (Reader(m.data).check() for m in self.of(CHECKED))}

    @property
    def config(self):
        r = Reader(self.of(CONFIG)[0].data)
        return r.text(), r.text()


class Gate(threading.Thread):
    """printgated's end of the line."""

    def __init__(self, line, folder, keep=False, endpoint="home.example:51820",
                 tunnel=("10.77.16.0", 20), refuse=(), events=False,
                 handshakes=None, check_seconds=60, tunnel6=None,
                 page=(("10.77.16.1", 80), ("127.0.0.1", 8080))):
        super().__init__(daemon=True)
        self.line, self.folder = line, folder
        self.ready, self.changes, self.refuse = threading.Event(), [], list(refuse)
        self.peers, self.grants, self.printers, self.services = {}, {}, {}, set()
        self.handshakes = handshakes or {}
        self.findings, self.unreadable, self.checks = [], False, 0
        line.send(message(HELLO, text("wg0") + text("kernel") + GATEWAY_KEY
                          + struct.pack("<H", 51820) + text(endpoint) + ip(tunnel[0])
                          + bytes([tunnel[1]]) + prefix6(tunnel6) + bytes([keep, events])
                          + struct.pack("<H", check_seconds)
                          + endpoints(*page) + endpoints() + text("")))

    def result(self, code=0, why=""):
        self.line.send(message(RESULT, struct.pack("<iI", code, 0xffffffff) + text(why)))

    def run(self):
        with contextlib.suppress(OSError):  # core has gone
            self.serve()

    def serve(self):
        items = []
        while True:
            data = self.line.recv(65536)
            if not data:
                return
            for m in readers(data):
                if m.kind == BEGIN:
                    items, full = [], bool(m.int(1))
                elif m.kind == COMMIT:
                    self.commit(full, items)
                elif m.kind == DUMP:
                    self.dump()
                elif m.kind == CHECK:
                    self.check()
                elif m.kind == READY:
                    self.ready.set()
                else:
                    items.append(m)

    def commit(self, full, items):
        change = {"full": full, "kinds": [m.kind for m in items], "crash": self.crash() if len(self.peers) < 50 else None}
        code = self.refuse.pop(0) if self.refuse else 0
        if not code:
            self.apply(full, items)
        self.changes.append(change)
        self.result(code, "refused by the test" if code else "")

    def apply(self, full, items):
        if full:
            self.peers, self.grants, self.printers, self.services = {}, {}, {}, set()
        for m in sorted(items, key=lambda i: i.kind not in (PRINTER_DEL, SERVICE_DEL, GRANT_DEL,
                                                            PEER_DEL)):
            m.at = 4
            if m.kind == PEER_PUT:
                key, _, address = m.bytes(32), m.bytes(32), m.ip()
                self.peers[key] = address
            elif m.kind == PEER_DEL:
                self.peers.pop(m.bytes(32), None)
            elif m.kind in (GRANT_PUT, GRANT_DEL):
                pair, seconds = (m.ip(), m.prefix()), m.int(4)
                if m.kind == GRANT_PUT:
                    self.grants[pair] = seconds
                else:
                    self.grants.pop(pair, None)
            elif m.kind == PRINTER_PUT:
                vpn, target = m.prefix(), m.prefix()
                self.printers[vpn] = target
            elif m.kind == PRINTER_DEL:
                del self.printers[m.prefix()]
            else:
                service = (m.prefix(), m.int(1), m.int(2), m.int(2))
                (self.services.add if m.kind == SERVICE_PUT else self.services.remove)(service)

    def dump(self):
        for key in self.peers:
            self.line.send(message(STATS, key + struct.pack("<qQQ", self.handshakes.get(key, 0), 7,
                                                            9) + b"\0"))
        self.result()

    def check(self):
        self.checks += 1
        for tool, way, admitted in self.findings:
            self.line.send(message(FINDING, bytes([tool, way, 2, admitted]) + text("filter")
                                   + text("FORWARD")))
        self.result(*((ERR["kernel"], "no such thing") if self.unreadable else ()))

    def crash(self):
        """The store as it would be found if the power failed now."""
        copy = tempfile.mkdtemp(dir=self.folder)
        for name in os.listdir(self.folder):
            if name.startswith("printgate.db"):
                shutil.copy(os.path.join(self.folder, name), copy)
        db = sqlite3.connect(os.path.join(copy, "printgate.db"))
        found = {
            "peers": {n for n, in db.execute("SELECT name FROM peer WHERE revoked IS NULL "
                                             "AND NOT disabled")},
            "printers": {n for n, in db.execute("SELECT name FROM printer")},
            "grants": set(db.execute("SELECT p.name, q.name FROM access a JOIN peer p "
                                     "ON p.id = a.peer_id JOIN printer q ON q.id = a.printer_id")),
            "keys": {k for k, in db.execute("SELECT public_key FROM peer WHERE revoked IS NULL")},
        }
        db.close()
        shutil.rmtree(copy)
        return found


class Client:
    def __init__(self, path=None, line=None):
        self.s = line
        if path:
            self.s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self.s.connect(path)
        self.s.settimeout(10)

    def send(self, kind, body=b""):
        self.s.send(message(kind, body))

    def answer(self):
        got = Answer()
        while not got or got[-1].kind not in (END, ERROR):
            data = self.s.recv(65536)
            assert data, "disconnected"
            got += readers(data)
        return got

    def ask(self, kind, body=b""):
        self.send(kind, body)
        return self.answer()

    def ok(self, kind, body=b""):
        got = self.ask(kind, body)
        assert got.error is None, got.error
        return got

    def fails(self, code, kind, body=b""):
        got = self.ask(kind, body)
        assert got.error, "no error"
        assert got.error[0] == ERR[code], got.error
        return got.error[1]

    # requests by name
    def printer(self, name, address="192.168.1.9", length=32, kind=0, ports=((6, 80, 80),), host=""):
        services = b"".join(struct.pack("<BHH", *p) for p in ports)
        return (PRINTER_ADD, text(name) + bytes([kind]) + ip(address) + bytes([length]) + text("")
                + bytes([len(ports)]) + services + text(host))

    def enroll(self, name, printers=(), key=None, at=0, after=0, every=False):
        return (ENROLL, text(name) + bytes([every, key is not None]) + (key or bytes(32))
                + struct.pack("<qI", at, after) + bytes([len(printers)])
                + b"".join(text(p) for p in printers))

    def allow(self, peer, printer, at=0, after=0, kind=ALLOW):
        return kind, text(peer) + text(printer) + struct.pack("<qI", at, after)


class Core:
    """One process on one folder; start it again for a restart."""

    def __init__(self, folder, netns=None, **hello):
        self.folder, self.netns = folder, netns
        self.start(**hello)

    def start(self, **hello):
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        webs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(2)]
        self.path = os.path.join(self.folder, "control.sock")
        if os.path.exists(self.path):
            os.unlink(self.path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(self.path)
        listener.listen(128)
        fds = [theirs.fileno(), listener.fileno(), *(theirs.fileno() for _, theirs in webs)]

        def place():  # into 3, 4, 5, 6, by way of numbers that are out of the way
            if self.netns is not None:
                ctypes.CDLL(None).setns(self.netns, 0)
            high = [os.dup2(f, 40 + i) for i, f in enumerate(fds)]
            for i, f in enumerate(high):
                os.dup2(f, 3 + i)

        self.process = subprocess.Popen([PROGRAM], cwd=self.folder, preexec_fn=place,
                                        pass_fds=(3, 4, 5, 6), stderr=subprocess.PIPE)
        for s in (theirs, listener, *(theirs for _, theirs in webs)):
            s.close()
        self.line, self.web_lines = mine, [mine for mine, _ in webs]
        self.gate = Gate(mine, self.folder, **hello)
        self.gate.start()

    def wait_ready(self):
        assert self.gate.ready.wait(10), self.process.stderr.read().decode()
        return self

    def client(self):
        return Client(self.path)

    def web(self, number=0):
        """The web process: by line 0 it looks, by line 1 it logs in; core takes either on both."""
        return Client(line=self.web_lines[number])

    def stop(self):
        """End of file on the line; the exit status."""
        self.line.shutdown(socket.SHUT_RDWR)
        status = self.process.wait(10)
        self.close()
        return status

    def close(self):
        self.stderr = self.process.stderr.read().decode()
        self.process.stderr.close()
        self.line.close()
        for line in self.web_lines:
            line.close()

    def restart(self, **hello):
        assert self.stop() == 0, self.stderr
        self.start(**hello)
        return self.wait_ready()
