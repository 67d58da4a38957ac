# SPDX-License-Identifier: GPL-2.0-or-later
"""The real printgate-web over real TCP, with a core of this file's own at the other end of its line.

The tunnel is 127.0.16.0/20 here, so that the loopback interface is enough: the page listens on the
"gateway" 127.0.16.1 and on 127.0.0.1, and a phone is a client bound to 127.0.20.5.
"""

import base64
import hashlib
import os
import re
import socket
import struct
import subprocess
import threading
import time

import pytest

PROGRAM = os.environ.get("PRINTGATE_WEB", "build/printgate-web")
GATEWAY, PHONE, STRANGER = "127.0.16.1", "127.0.20.5", "127.0.20.6"
WEB_VIEW, ERROR, END, PRINTER_ITEM, PEER, GRANT, COUNTS = 67, 128, 129, 131, 132, 133, 136
GATEWAY_ITEM = 130


def ip(text):
    return struct.pack("<I", struct.unpack(">I", socket.inet_aton(text))[0])


def text(s):
    raw = s.encode()
    return struct.pack("<H", len(raw)) + raw


class Core(threading.Thread):
    """Answers CTL_WEB_VIEW as printgate-core does."""

    def __init__(self, line):
        super().__init__(daemon=True)
        self.line, self.asked, self.mute, self.locked = line, [], False, False

    def run(self):
        while True:
            try:
                question = self.line.recv(8192)
            except OSError:
                return
            if not question:
                return
            _, _, kind, family = struct.unpack_from("<HHHB", question)
            assert kind == WEB_VIEW
            viewer = socket.inet_ntoa(question[7:11]) if family == 4 else None
            self.asked.append(viewer)
            if not self.mute:
                self.answer(viewer)

    def say(self, kind, body=b""):
        self.line.send(struct.pack("<HHH", 4 + len(body), 1, kind) + body)

    def answer(self, viewer):
        self.say(GATEWAY_ITEM, text("wg0") + text("kernel") + bytes(32) + struct.pack("<H", 51820)
                 + text("home.example:51820") + ip("127.0.16.0") + b"\x14" + bytes(17)
                 + struct.pack("<BHQ", self.locked, 0, 5))
        self.say(COUNTS, struct.pack("<III", 3, 1, 2))
        if viewer == PHONE:
            self.say(PEER, text("Ann <3") + bytes(32) + ip(PHONE) + bytes(17) + b"\x01" + bytes(24) + b"\0"
                     + bytes(16))
            self.say(GRANT, text("voron") + bytes(8))
            self.say(PRINTER_ITEM, text("voron") + b"\0" + ip("192.168.1.9") + b"\x20"
                     + ip("127.0.16.2") + b"\x20" + bytes(17) + text("") + b"\x01\x06"
                     + struct.pack("<HH", 80, 80) + text("") + b"\0\0")
        self.say(END)


class Web:
    def __init__(self):
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listeners = [socket.create_server((a, 0)) for a in (GATEWAY, "127.0.0.1")]
        self.ports = [s.getsockname()[1] for s in listeners]
        fds = [os.dup(f) for f in (theirs.fileno(), *(s.fileno() for s in listeners))]

        def place():  # into 3, 4, 5, by way of numbers that are out of the way
            high = [os.dup2(f, 40 + i) for i, f in enumerate(fds)]
            for i, f in enumerate(high):
                os.dup2(f, 3 + i)

        self.process = subprocess.Popen([PROGRAM, "2"], preexec_fn=place, pass_fds=(3, 4, 5),
                                        stderr=subprocess.PIPE)
        for f in fds:
            os.close(f)
        for s in (*listeners, theirs):
            s.close()
        self.line = mine
        self.core = Core(mine)
        self.core.start()

    def connect(self, where=0, source=PHONE):
        address = (GATEWAY, "127.0.0.1")[where]
        return socket.create_connection((address, self.ports[where]), 5, (source, 0))

    def raw(self, request, where=0, source=PHONE):
        with self.connect(where, source) as s:
            s.sendall(request)
            answer = b""
            while True:
                part = s.recv(65536)
                if not part:
                    break
                answer += part
        head, _, body = answer.partition(b"\r\n\r\n")
        status = int(head.split()[1]) if head else 0
        return status, head.decode(), body.decode()

    def get(self, path="/", method="GET", host=GATEWAY, **where):
        return self.raw(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode(), **where)

    def stop(self):
        self.line.shutdown(socket.SHUT_RDWR)
        return self.process.wait(5)


@pytest.fixture
def web():
    w = Web()
    yield w
    if w.process.poll() is None:
        assert w.stop() == 0, w.process.stderr.read().decode()
    w.process.stderr.close()
    w.line.close()


def test_phone_sees_its_printers(web):
    status, _, body = web.get()
    assert status == 200
    assert "You are Ann &lt;3" in body
    assert '<a href="http://127.0.16.2/">' in body
    assert "192.168" not in body
    assert web.core.asked == [None, PHONE]


def test_stranger_in_the_tunnel_sees_counts(web):
    _, _, body = web.get(source=STRANGER)
    assert "3 phones enrolled, 1 online" in body
    assert "Ann" not in body and "voron" not in body


def test_phone_on_another_address_of_the_gateway_is_nobody(web):
    _, _, body = web.get(where=1, source=PHONE)
    assert "3 phones" in body and "Ann" not in body
    assert web.core.asked == [None]


def test_rebound_name_sees_nothing_personal(web):
    for host in ("evil.example", "127.0.16.10", "", "127.0.16.1.evil.example"):
        _, _, body = web.get(host=host)
        assert "Ann" not in body, host
    assert PHONE not in web.core.asked


def test_host_with_port(web):
    assert "Ann" in web.get(host=GATEWAY + ":80")[2]


def test_two_hosts_or_none(web):
    assert web.raw(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")[0] == 400
    assert web.raw(b"GET / HTTP/1.1\r\n\r\n")[0] == 400


def test_foreign_uri(web):
    assert web.raw(b"GET http://evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n")[0] == 400


def test_head_has_length_and_no_body(web):
    _, _, body = web.get()
    status, head, nothing = web.get(method="HEAD")
    assert status == 200 and nothing == ""
    assert f"Content-Length: {len(body.encode())}" in head


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"])
def test_other_methods(web, method):
    status, head, _ = web.get(method=method)
    assert status == 405
    assert "Allow: GET, HEAD" in head


def test_unknown_path(web):
    for path in ("/x", "//", "/../etc/passwd", "/%00", "/index.html"):
        assert web.get(path)[0] == 404, path
    assert web.get("/?x=1")[0] == 200


def test_security_headers(web):
    _, head, body = web.get()
    for line in ("Cache-Control: no-store", "X-Content-Type-Options: nosniff",
                 "Referrer-Policy: no-referrer", "X-Frame-Options: DENY", "Connection: close"):
        assert line in head
    policy = re.search(r"Content-Security-Policy: (.*)", head).group(1)
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    style = re.search(r"<style>(.*)</style>", body, re.S).group(1)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy
    assert "<script" not in body and "style=" not in body
    for status in (404, 405):
        _, other, _ = web.get("/x" if status == 404 else "/", "GET" if status == 404 else "POST")
        assert "Content-Security-Policy" in other and "nosniff" in other


def test_size(web):
    _, head, body = web.get()
    assert len(head) + len(body.encode()) < 20000


def test_too_long_a_head(web):
    try:
        status = web.raw(b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 100000 + b"\r\n\r\n")[0]
    except ConnectionError:
        status = 0
    assert status in (0, 400, 413, 431)
    assert web.get()[0] == 200


def test_a_body_is_not_taken(web):
    try:
        status = web.raw(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + b"a" * 5)[0]
    except ConnectionError:
        status = 0
    assert status in (0, 400, 413)
    assert web.get()[0] == 200


def test_garbage(web):
    for junk in (b"\0" * 500, b"\r\n" * 50, b"GET\r\n\r\n", b"\x16\x03\x01" + os.urandom(200),
                 b"GET / HTTP/9.9\r\n\r\n"):
        with web.connect() as s:
            s.sendall(junk)
            s.shutdown(socket.SHUT_WR)
            while s.recv(4096):
                pass
    assert web.get()[0] == 200


def test_core_is_asked_once_a_second(web):
    for _ in range(20):
        assert web.get()[0] == 200
    assert 2 <= len(web.core.asked) <= 6
    time.sleep(1.1)
    web.core.locked = True
    assert "locked" in web.get()[2]


def test_mute_core(web):
    web.core.mute = True
    begun = time.monotonic()
    status, _, body = web.get()
    assert status == 503 and "no answer" in body
    assert time.monotonic() - begun < 2
    web.core.answer(None)  # late
    web.core.mute = False
    time.sleep(1.1)
    assert "Ann" in web.get()[2]


def test_full_house_does_not_shut_out_the_other_socket(web):
    silent = [web.connect(where=1) for _ in range(40)]
    time.sleep(0.3)
    assert web.get()[0] == 200
    assert len(os.listdir(f"/proc/{web.process.pid}/fd")) < 16 + 2 * 16
    for s in silent:
        s.close()
    time.sleep(2.2)
    assert web.get(where=1)[0] == 200


def test_dribbling_client_is_cut(web):
    with web.connect() as s:
        s.settimeout(1)
        begun, ended = time.monotonic(), False
        s.sendall(b"GET / HTTP/1.1\r\n")
        while not ended and time.monotonic() - begun < 20:
            try:
                s.sendall(b"A: b\r\n")
                ended = s.recv(100) == b""
            except TimeoutError:
                pass
            except OSError:
                ended = True
        assert ended and time.monotonic() - begun < 19


def test_core_gone_ends_it(web):
    assert web.stop() == 0


def test_unasked_speech_ends_it(web):
    web.core.say(END)
    assert web.process.wait(5) == 1


def test_not_started_by_printgated():
    for arguments in ([], ["2"], ["x"], ["0"], ["99"]):
        done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=5)
        assert done.returncode == 2
        assert "printgate-web" in done.stderr


def test_process_limits(web):
    web.get()
    with open(f"/proc/{web.process.pid}/limits", encoding="ascii") as f:
        limits = {line[:26].strip(): line[26:].split()[0] for line in f}
    assert limits["Max core file size"] == "0"
    assert limits["Max processes"] == "0"
    assert int(limits["Max open files"]) <= 64
    with open(f"/proc/{web.process.pid}/status", encoding="ascii") as f:
        assert "NoNewPrivs:\t1" in f.read()
