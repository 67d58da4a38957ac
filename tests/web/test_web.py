# SPDX-License-Identifier: GPL-2.0-or-later
"""The real printgate-web over real TCP, with a core of this file's own at the other end of its lines.

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
import urllib.parse

import pytest

PROGRAM = os.environ.get("PRINTGATE_WEB", "build/printgate-web")
GATEWAY, PHONE, STRANGER = "127.0.16.1", "127.0.20.5", "127.0.20.6"
TLS = 2  # a connection that printgate-tls hands over …
LAN = "192.0.2.2"  # … from this address of ours
WEB_LOOK, WEB_LOGIN, WEB_LOGOUT = 64, 65, 66
ERROR, END, GATEWAY_ITEM, PRINTER_ITEM, PEER, GRANT, COUNTS = 128, 129, 130, 131, 132, 133, 136
WEB_OWNER, WEB_SESSION = 138, 140
DENIED, NOT_FOUND = -25, -5
PASSWORD = "correct horse & battery"


def ip(text):
    return struct.pack("<I", struct.unpack(">I", socket.inet_aton(text))[0])


def text(s):
    raw = s.encode()
    return struct.pack("<H", len(raw)) + raw


class Core:
    """Answers CTL_WEB_LOOK, LOGIN and LOGOUT as printgate-core does, with one session and one token."""

    def __init__(self, looks, logins):
        self.looks, self.logins_line = looks, logins
        self.asked, self.mute, self.locked = [], False, False
        self.compares = threading.Event()  # else a login waits for it
        self.compares.set()
        self.session, self.token, self.csrf = os.urandom(16), os.urandom(16), os.urandom(16)
        self.names, self.valid, self.logins = ["Ann <3"], True, []
        for line, kinds in ((looks, {WEB_LOOK: self.look}),
                            (logins, {WEB_LOGIN: self.login, WEB_LOGOUT: self.logout})):
            threading.Thread(target=self.serve, args=(line, kinds), daemon=True).start()

    @staticmethod
    def serve(line, kinds):
        while True:
            try:
                question = line.recv(8192)
            except OSError:
                return
            if not question:
                return
            kinds[struct.unpack_from("<H", question, 4)[0]](question[6:])

    def look(self, body):
        viewers, at = [], 1
        for _ in range(body[0]):
            viewers.append(socket.inet_ntoa(body[at + 1:at + 5]) if body[at] == 4 else None)
            at += 1 + (4 if body[at] == 4 else 16) + 2
        owners = [body[at + 1 + 16 * i:at + 17 + 16 * i] for i in range(body[at])]
        self.asked.append(viewers)
        if not self.mute:
            self.answer(viewers, owners)

    def login(self, body):
        n = struct.unpack_from("<H", body, 7)[0]
        self.logins.append(body[9:9 + n].decode())
        self.compares.wait()
        if self.logins[-1] == PASSWORD:
            self.valid = True
            self.say(WEB_SESSION, self.session + struct.pack("<q", 2000000000), self.logins_line)
            self.say(END, line=self.logins_line)
        else:
            self.refuse("That is not the password.")

    def logout(self, body):
        if body[:16] != self.session or not self.valid:
            self.refuse("That session has ended already.", NOT_FOUND)
        elif body[16:] != self.csrf:
            self.refuse("That form is not of this session: load the page again.")
        else:
            self.valid = False
            self.say(END, line=self.logins_line)

    def refuse(self, sentence, code=DENIED):
        self.say(ERROR, struct.pack("<i", code) + text(sentence), self.logins_line)

    def say(self, kind, body=b"", line=None):
        (line or self.looks).send(struct.pack("<HHH", 4 + len(body), 1, kind) + body)

    def answer(self, viewers, owners=()):
        self.say(GATEWAY_ITEM, text("wg0") + text("kernel") + bytes(32) + struct.pack("<H", 51820)
                 + text("home.example:51820") + ip("127.0.16.0") + b"\x14" + bytes(17)
                 + struct.pack("<BHQH", self.locked, 0, 5, 0))
        self.say(COUNTS, struct.pack("<III", 3, 1, 2))
        owner = False
        for i, secret in enumerate(owners):
            if secret == self.token or (self.valid and secret == self.session):
                owner = True
                self.say(WEB_OWNER, struct.pack("<BB", i, secret == self.token) + self.csrf + bytes(8))
        if PHONE in viewers or owner:
            lan = "192.168.1.9" if owner else "127.0.16.2"
            self.say(PRINTER_ITEM, text("voron") + b"\0" + ip(lan) + b"\x20" + ip("127.0.16.2") + b"\x20"
                     + bytes(17) + text("") + b"\x01\x06" + struct.pack("<HH", 80, 80) + text("")
                     + b"\0\x01")
            for i, name in enumerate(self.names):
                address = PHONE if i == 0 else f"127.0.{24 + i // 250}.{1 + i % 250}"
                self.say(PEER, text(name) + struct.pack("<I", i) + bytes(28) + ip(address) + bytes(17)
                         + b"\x01" + bytes(24) + b"\0" + bytes(16))
                if i == 0:
                    self.say(GRANT, text("voron") + struct.pack("<q", 4000000000))
        self.say(END)


def await_that(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


class Stream:
    """An EventSource."""

    def __init__(self, web, path, room, fields=(), host=GATEWAY, **where):
        self.socket = web.connect(**where)
        if room:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}", *fields]
        self.socket.sendall("".join(line + "\r\n" for line in lines).encode() + b"\r\n")
        self.came = b""

    def until(self, word):
        """All that has come up to the end of the event with this word; it is taken."""
        self.socket.settimeout(20)
        while True:
            at = self.came.find(word.encode())
            end = self.came.find(b"\n\n", at) if at >= 0 else -1
            if end >= 0:
                break
            part = self.socket.recv(65536)
            assert part, f"the stream ended without {word!r}"
            self.came += part
        taken, self.came = self.came[:end + 2], self.came[end + 2:]
        return taken.decode()

    def rest(self):
        while part := self.socket.recv(65536):
            self.came += part
        return self.came.decode()

    def close(self):
        self.socket.close()


class Web:
    """printgate-web on three sockets: the "gateway", loopback, and the line of printgate-tls."""

    def __init__(self, folder, *names):
        (looks, our_looks), (logins, our_logins) = (
            socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(2))
        self.tls, tls = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listeners = [socket.create_server((a, 0), backlog=512) for a in (GATEWAY, "127.0.0.1")]
        self.ports = [s.getsockname()[1] for s in listeners]
        given = [os.dup(f.fileno()) for f in (looks, logins, *listeners, tls)]

        def place():  # into 3, 4, 5, …, by way of numbers that are out of the way
            high = [os.dup2(f, 40 + i) for i, f in enumerate(given)]
            for i, f in enumerate(high):
                os.dup2(f, 3 + i)

        self.process = subprocess.Popen([os.path.abspath(PROGRAM), "2", "1", *names], preexec_fn=place,
                                        pass_fds=range(3, 8), stderr=subprocess.PIPE, cwd=folder)
        for f in given:
            os.close(f)
        for s in (*listeners, looks, logins, tls):
            s.close()
        self.lines = (our_looks, our_logins)
        self.core = Core(*self.lines)
        self.idle_descriptors = 0
        await_that(self.is_sealed)
        self.idle_descriptors = self.descriptors()

    def is_sealed(self):
        """Or has ended."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            text = f.read()
        return "Seccomp:\t2" in text or "State:\tZ" in text

    def connect(self, where=0, source=PHONE):
        if where == TLS:
            mine, theirs = socket.socketpair()
            ends = b"".join(struct.pack("<BH", 4, 1234) + socket.inet_aton(a) + bytes(12)
                            for a in (source, LAN))
            socket.send_fds(self.tls, [ends], [theirs.fileno()])
            theirs.close()
            mine.settimeout(10)
            return mine
        address = (GATEWAY, "127.0.0.1")[where]
        return socket.create_connection((address, self.ports[where]), 10, (source, 0))

    def raw(self, request, where=0, source=PHONE):
        """Status, head and body; status 0 for no answer."""
        with self.connect(where, source) as s:
            answer = b""
            try:
                s.sendall(request)
                while part := s.recv(65536):
                    answer += part
            except ConnectionError:
                pass
        head, _, body = answer.partition(b"\r\n\r\n")
        status = int(head.split()[1]) if head else 0
        return status, head.decode(), body.decode()

    def get(self, path="/", method="GET", host=GATEWAY, fields=(), **where):
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *fields]
        return self.raw("".join(line + "\r\n" for line in lines).encode() + b"\r\n", **where)

    def post(self, path, form, fields=(), host=GATEWAY, origin=None, **where):
        body = urllib.parse.urlencode(form)
        origin = f"http://{host}" if origin is None else origin
        lines = [f"POST {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}",
                 "Content-Type: application/x-www-form-urlencoded", *fields]
        if origin:
            lines.append(f"Origin: {origin}")
        return self.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + body.encode(), **where)

    def form(self, **where):
        """A login form's token."""
        head, body = self.get("/login", **where)[1:]
        token = re.search('name=token value=([0-9a-f]{32})', body)[1]
        assert f"printgate-login={token}; HttpOnly; SameSite=Strict" in head
        return token

    def login(self, password=PASSWORD, **where):
        token = self.form(**where)
        return self.post("/login", {"token": token, "password": password},
                         [f"Cookie: printgate-login={token}"], **where)

    def session(self):
        return [f"Cookie: printgate={self.core.session.hex()}"]

    def stream(self, path="/events?k=0", room=None, **how):
        return Stream(self, path, room, **how)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def switches(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            return sum(int(line.split()[1]) for line in f if "ctxt_switches" in line)

    def stop(self):
        for line in self.lines:
            line.shutdown(socket.SHUT_RDWR)
        return self.process.wait(5)

    def close(self):
        if self.process.poll() is None:
            assert self.stop() == 0, self.process.stderr.read().decode()
        self.process.stderr.close()
        for line in self.lines:
            line.close()
        self.tls.close()


@pytest.fixture
def web(tmp_path):
    w = Web(tmp_path)
    yield w
    w.close()


# ---- views -----------------------------------------------------------------------------------------


def test_phone_sees_its_printers(web):
    status, _, body = web.get()
    assert status == 200
    assert "You are Ann &lt;3" in body
    assert '<a class=go href="http://127.0.16.2:80/">' in body
    assert "192.168" not in body
    assert "open until 2 Oct 2096 UTC (in " in body
    assert web.core.asked == [[PHONE]]


def test_stranger_in_the_tunnel_sees_counts(web):
    _, _, body = web.get(source=STRANGER)
    assert "3 phones enrolled, 1 online" in body
    assert "Ann" not in body and "voron" not in body


def test_phone_on_another_address_of_the_gateway_is_nobody(web):
    for where in (1, TLS):
        host = "127.0.0.1"
        _, _, body = web.get(where=where, source=PHONE, host=host)
        assert "Ann" not in body


def test_owner_sees_everything_and_a_phone_its_own_view_besides(web):
    web.core.names = ["Ann <3", "Ben"]
    _, _, body = web.get(fields=web.session())
    assert "192.168.1.9" in body and "Ann &lt;3" in body and "Ben" in body
    assert 'href="/me"' in body
    _, _, own = web.get("/me", fields=web.session())
    assert "You are Ann &lt;3" in own and "Ben" not in own and "192.168" not in own


def test_an_unknown_session_is_nobody(web):
    _, _, body = web.get(where=1, host="localhost", fields=["Cookie: printgate=" + "0" * 32])
    assert "Ann" not in body and "3 phones" in body


def test_the_token_is_good_for_metrics_only(web):
    token = web.core.token.hex()
    assert "Ann" not in web.get(where=1, host="localhost", fields=[f"Cookie: printgate={token}"])[2]
    for fields in ([], web.session(), [f"Authorization: Bearer {web.core.session.hex()}"],
                   ["Authorization: Bearer x"]):
        status, head, _ = web.get("/metrics", where=1, host="localhost", fields=fields)
        assert status == 401 and "WWW-Authenticate: Bearer" in head
    status, head, body = web.get("/metrics", where=1, host="localhost",
                                 fields=[f"Authorization: Bearer {token}"])
    assert status == 200 and "Content-Type: text/plain; version=0.0.4" in head
    assert 'printgate_peer_online{name="Ann <3"} 1' in body


def test_only_some_phones_are_in_the_first_view(web):
    web.core.names = [f"phone {i:04}" for i in range(1000)]
    _, head, body = web.get(fields=web.session())
    assert body.count("<li id=c") == 25 and "25 of 1000" in body
    assert len(head) + len(body.encode()) < 20000
    assert web.get("/?all=1", fields=web.session())[2].count("<li id=c") == 1000
    assert re.findall("<h3>(phone [0-9]+)", web.get("/?q=NE+0777", fields=web.session())[2]) == [
        "phone 0777"]
    assert "No phone has such a name" in web.get("/?q=%3Cscript%3E", fields=web.session())[2]


def test_hostile_names_are_text(web):
    web.core.names = ["</script><script>alert(1)</script>", "\"onmouseover='x'", "&lt;b&gt;", "\\\"{}"]
    _, _, body = web.get(fields=web.session())
    assert "<script>alert" not in body and "&lt;/script&gt;&lt;script&gt;" in body
    assert "&quot;onmouseover=&#39;x&#39;" in body and "&amp;lt;b&amp;gt;" in body
    metrics = web.get("/metrics", fields=[f"Authorization: Bearer {web.core.token.hex()}"])[2]
    assert 'name="\\\\\\"{}"' in metrics


def test_prometheus_finds_nothing_to_complain_of(web):
    promtool = os.path.join(os.environ.get("PRINTGATE_BUILD", "build"), "unpacked/prometheus/usr/bin/promtool")
    web.core.names = ["Ann <3", 'quote " and \\ backslash', "ünïcödé ☃", "{}"]
    _, _, body = web.get("/metrics", fields=[f"Authorization: Bearer {web.core.token.hex()}"])
    done = subprocess.run([promtool, "check", "metrics"], input=body, text=True, capture_output=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""


# ---- logging in ------------------------------------------------------------------------------------


def test_login_gives_a_session_and_logout_takes_it(web):
    status, head, _ = web.login()
    assert status == 303 and "Location: /\r" in head
    cookie = re.search("Set-Cookie: (printgate=[0-9a-f]{32}); HttpOnly; SameSite=Strict; Path=/", head)
    assert cookie and "Secure" not in head
    fields = [f"Cookie: {cookie[1]}"]
    body = web.get(fields=fields)[2]
    csrf = re.search('action="/logout"><input type=hidden name=token value=([0-9a-f]{32})', body)[1]
    status, head, body = web.post("/logout", {"token": "0" * 32}, fields)  # core compares
    assert status == 403 and "Set-Cookie" not in head and "load the page again" in body
    assert "192.168.1.9" in web.get(fields=fields)[2]
    status, head, _ = web.post("/logout", {"token": csrf}, fields)
    assert status == 303 and "Max-Age=0" in head
    assert "192.168.1.9" not in web.get(fields=fields)[2]  # not even as it was a moment ago
    status, head, _ = web.post("/logout", {"token": csrf}, fields)  # it has ended already
    assert status == 303 and "Max-Age=0" in head


def test_nobody_waits_for_a_password_that_is_looked_at(web):
    web.core.compares.clear()
    answers = []

    def guess(source):
        answers.append(web.login("wrong", source=source)[0])

    guesses = [threading.Thread(target=guess, args=(f"127.0.24.{1 + i // 6}",)) for i in range(18)]
    for g in guesses:
        g.start()
    await_that(lambda: len(answers) == 6)
    assert answers == [429] * 6, "four of one place may wait"
    assert len(web.core.logins) == 1, "one at a time"
    for word in ("closed by the lock", "connected"):
        web.core.locked = word != "connected"
        begun = time.monotonic()
        await_that(lambda w=word: w in web.get()[2])
        assert time.monotonic() - begun < 5
    web.core.compares.set()
    for g in guesses:
        g.join()
    assert answers[6:] == [403] * 12
    assert web.login()[0] == 303


class Leaver:
    """Posts a form and is gone, without a word, before it has its answer."""

    def __init__(self, web, path, form, fields, **where):
        self.socket = web.connect(**where)
        body = urllib.parse.urlencode(form)
        lines = [f"POST {path} HTTP/1.1", f"Host: {GATEWAY}", f"Origin: http://{GATEWAY}", *fields,
                 "Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    def leave(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def test_a_login_s_answer_is_for_who_asked(web):
    """Though he has left: not for who comes after him."""
    web.core.compares.clear()
    token = web.form()
    right = Leaver(web, "/login", {"token": token, "password": PASSWORD},
                   [f"Cookie: printgate-login={token}"])
    await_that(lambda: web.core.logins)
    right.leave()
    await_that(lambda: web.descriptors() == web.idle_descriptors)
    answers = []
    wrong = threading.Thread(target=lambda: answers.append(web.login("wrong", source=STRANGER)))
    wrong.start()
    assert web.get()[0] == 200
    web.core.compares.set()
    wrong.join()
    assert answers[0][0] == 403 and web.core.session.hex() not in answers[0][1]
    assert web.core.logins == [PASSWORD, "wrong"]


def test_logging_out_is_done_though_the_page_is_closed(web):
    web.core.compares.clear()
    guess = threading.Thread(target=web.login, args=("wrong",), kwargs={"source": STRANGER})
    guess.start()
    await_that(lambda: web.core.logins)
    before = web.descriptors()
    out = Leaver(web, "/logout", {"token": web.core.csrf.hex()}, web.session())
    await_that(lambda: web.descriptors() == before + 1)
    assert web.get()[0] == 200  # so it has been read
    out.leave()
    await_that(lambda: web.descriptors() == before)
    web.core.compares.set()
    guess.join()
    await_that(lambda: not web.core.valid)


def test_logging_out_is_not_crowded_out(web):
    """Nobody is told that he is logged out while he is not."""
    web.core.compares.clear()
    guesses = [threading.Thread(target=web.login, args=("wrong",), kwargs={"source": STRANGER})
               for _ in range(16)]
    for g in guesses:
        g.start()
    await_that(lambda: web.core.logins)
    answers = []
    form = {"token": web.core.csrf.hex()}
    out = threading.Thread(target=lambda: answers.append(web.post("/logout", form, web.session())))
    out.start()
    assert "192.168.1.9" in web.get(fields=web.session())[2] and not answers
    web.core.compares.set()
    out.join()
    assert answers[0][0] == 303 and not web.core.valid
    for g in guesses:
        g.join()


def test_a_wrong_password_is_said_and_gives_nothing(web):
    status, head, body = web.login("wrong")
    assert status == 403 and "That is not the password." in body and "printgate=" not in head
    assert web.core.logins == ["wrong"]


@pytest.mark.parametrize("flaw", ["no token", "other token", "no cookie", "no origin", "null origin",
                                  "other origin", "other port", "not a form"])
def test_a_login_from_elsewhere_never_reaches_core(web, flaw):
    token = web.form()
    form = {"token": token, "password": PASSWORD}
    fields, origin = [f"Cookie: printgate-login={token}"], None
    if flaw == "no token":
        del form["token"]
    if flaw == "other token":
        form["token"] = "0" * 32
    if flaw == "no cookie":
        fields = []
    origin = {"no origin": "", "null origin": "null", "other origin": "http://evil.example",
              "other port": f"http://{GATEWAY}:81"}.get(flaw)
    if flaw == "not a form":
        status = web.raw(f"POST /login HTTP/1.1\r\nHost: {GATEWAY}\r\nOrigin: http://{GATEWAY}\r\n"
                         f"Content-Type: text/plain\r\n{fields[0]}\r\nContent-Length: 0\r\n\r\n"
                         .encode())[0]
    else:
        status = web.post("/login", form, fields, origin=origin)[0]
    assert status == 403
    assert web.core.logins == []


# ---- the front door --------------------------------------------------------------------------------

H = b"Host: 127.0.16.1\r\n"
MALFORMED = {
    "two hosts": (b"GET / HTTP/1.1\r\n" + H + H + b"\r\n", 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "no host, 1.0": (b"GET / HTTP/1.0\r\n\r\n", 400),
    "an empty host": (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400),
    "a blank before the colon": (b"GET / HTTP/1.1\r\nHost : 127.0.16.1\r\n\r\n", 400),
    "a folded line": (b"GET / HTTP/1.1\r\n" + H + b"A: b\r\n c\r\n\r\n", 400),
    "bare line feeds": (b"GET / HTTP/1.1\nHost: 127.0.16.1\n\n", 400),
    "one bare line feed": (b"GET / HTTP/1.1\r\n" + H + b"A: b\nC: d\r\n\r\n", 400),
    "a bare carriage return": (b"GET / HTTP/1.1\r\n" + H + b"A: b\rC: d\r\n\r\n", 400),
    "a NUL in a value": (b"GET / HTTP/1.1\r\nHost: 127.0.16.1\0.evil\r\n\r\n", 400),
    "a NUL in the path": (b"GET /\0 HTTP/1.1\r\n" + H + b"\r\n", 400),
    "a signed length": (b"POST /login HTTP/1.1\r\n" + H + b"Content-Length: +5\r\n\r\nabcde", 400),
    "a negative length": (b"POST /login HTTP/1.1\r\n" + H + b"Content-Length: -1\r\n\r\n", 400),
    "a length in hexadecimal": (b"POST /login HTTP/1.1\r\n" + H + b"Content-Length: 0x5\r\n\r\n", 400),
    "two lengths": (b"POST /login HTTP/1.1\r\n" + H + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\n"
                    b"abcde", 400),
    "a list of lengths": (b"POST /login HTTP/1.1\r\n" + H + b"Content-Length: 5, 5\r\n\r\nabcde", 400),
    "chunks": (b"POST /login HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501),
    "chunks and a length": (b"POST /login HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked\r\n"
                            b"Content-Length: 5\r\n\r\n0\r\n\r\n", 400),
    "a body of a GET": (b"GET / HTTP/1.1\r\n" + H + b"Content-Length: 5\r\n\r\nabcde", 400),
    "a second request": (b"GET / HTTP/1.1\r\n" + H + b"\r\nGET / HTTP/1.1\r\n" + H + b"\r\n", 400),
    "an expectation": (b"POST /login HTTP/1.1\r\n" + H + b"Expect: 100-continue\r\nContent-Length: 5\r\n"
                       b"\r\n", 417),
    "a proxy's request": (b"GET http://127.0.16.1/ HTTP/1.1\r\n" + H + b"\r\n", 400),
    "no path": (b"GET HTTP/1.1\r\n" + H + b"\r\n", 400),
    "a fragment": (b"GET /#x HTTP/1.1\r\n" + H + b"\r\n", 400),
    "two blanks": (b"GET  / HTTP/1.1\r\n" + H + b"\r\n", 400),
    "a tab for a blank": (b"GET\t/ HTTP/1.1\r\n" + H + b"\r\n", 400),
    "an empty line first": (b"\r\nGET / HTTP/1.1\r\n" + H + b"\r\n", 400),
    "HTTP/0.9": (b"GET /\r\n\r\n", 400),
    "HTTP/2": (b"GET / HTTP/2.0\r\n" + H + b"\r\n", 505),
    "http in small letters": (b"GET / http/1.1\r\n" + H + b"\r\n", 400),
    "a method in small letters": (b"get / HTTP/1.1\r\n" + H + b"\r\n", 501),
    "an unknown method": (b"BREW / HTTP/1.1\r\n" + H + b"\r\n", 501),
    "a control character": (b"GET / HTTP/1.1\r\n" + H + b"A: \x07\r\n\r\n", 400),
    "a byte above ASCII": (b"GET / HTTP/1.1\r\n" + H + b"A: \xff\r\n\r\n", 400),
    "a name with a blank": (b"GET / HTTP/1.1\r\n" + H + b"A b: c\r\n\r\n", 400),
    "a field without a colon": (b"GET / HTTP/1.1\r\n" + H + b"abc\r\n\r\n", 400),
    "a field without a name": (b"GET / HTTP/1.1\r\n" + H + b": abc\r\n\r\n", 400),
    "two cookies": (b"GET / HTTP/1.1\r\n" + H + b"Cookie: a=b\r\nCookie: c=d\r\n\r\n", 400),
    "a long line": (b"GET /" + b"a" * 3000 + b" HTTP/1.1\r\n" + H + b"\r\n", 414),
    "a long line without end": (b"GET /" + b"a" * 3000, 414),
    "a long head": (b"GET / HTTP/1.1\r\n" + H + b"A: " + b"a" * 9000 + b"\r\n\r\n", 431),
    "a long head of many": (b"GET / HTTP/1.1\r\n" + H + b"A: b\r\n" * 2000 + b"\r\n", 431),
    "a long body": (b"POST /login HTTP/1.1\r\n" + H + b"Content-Length: 4097\r\n\r\n", 413),
    "a very long body": (b"POST /login HTTP/1.1\r\n" + H + b"Content-Length: 99999999999999999999\r\n\r\n",
                         413),
    "a TLS hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\0" + b"\r\n\r\n", 400),
    "a port that is none": (b"GET / HTTP/1.1\r\nHost: 127.0.16.1:99999\r\n\r\n", 400),
}


@pytest.mark.parametrize("how", MALFORMED)
def test_malformed(web, how):
    request, want = MALFORMED[how]
    status, head, _ = web.raw(request)
    assert status == want
    assert "Content-Security-Policy" in head and "Connection: close" in head
    assert web.core.asked == [], "a refused request reaches nobody"


def test_what_is_refused_does_not_depend_on_how_it_arrives(web):
    for how in ("a NUL in a value", "two hosts", "a signed length", "a long line"):
        request, want = MALFORMED[how]
        with web.connect() as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            answer = b""
            try:
                for i in range(0, len(request), 7):
                    s.sendall(request[i:i + 7])
                while part := s.recv(65536):
                    answer += part
            except ConnectionError:
                pass
        assert not answer or int(answer.split()[1]) == want, how


def test_names_that_are_not_ours(web):
    for host in ("evil.example", "127.0.16.10", "127.0.16.1.evil.example", "[::1]", "127.0.0.1"):
        status, _, body = web.get(host=host)
        assert status == 421, host
        assert "not a name of this gateway" in body
    assert web.core.asked == []


def test_names_that_are_ours(tmp_path):
    web = Web(tmp_path, "printer.example", "pi")
    for host, where in ((GATEWAY, 0), (GATEWAY + ":80", 0), ("localhost", 1), ("LOCALHOST:8080", 1),
                        ("Printer.Example", 0), ("pi:443", TLS), ("printer.example", TLS),
                        (LAN, TLS), (LAN + ":8443", TLS)):
        assert web.get(host=host, where=where)[0] == 200, host
    assert web.get(host="localhost", where=TLS)[0] == 421
    assert web.get(host=GATEWAY, where=TLS)[0] == 421
    web.close()


def test_by_tls_cookies_are_secure_and_the_origin_is_https(tmp_path):
    web = Web(tmp_path, "pi")
    token = web.form(where=TLS, host="pi")
    form, cookie = {"token": token, "password": PASSWORD}, [f"Cookie: printgate-login={token}"]
    assert web.post("/login", form, cookie, host="pi", where=TLS)[0] == 403  # Origin: http://pi
    status, head, _ = web.post("/login", form, cookie, host="pi", origin="https://pi", where=TLS)
    assert status == 303 and "; Secure" in head
    web.close()


def test_head_has_length_and_no_body(web):
    _, _, body = web.get()
    status, head, nothing = web.get(method="HEAD")
    assert status == 200 and nothing == ""
    assert f"Content-Length: {len(body.encode())}" in head


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT"])
def test_other_methods(web, method):
    status, head, _ = web.get(method=method)
    assert status == 405
    assert "Allow: GET, HEAD" in head


def test_only_forms_are_posted_to(web):
    for path in ("/", "/events", "/metrics", "/login/"):
        status, head, _ = web.post(path, {})
        assert status == 405 and "Allow: GET, HEAD" in head, path


def test_unknown_path(web):
    for path in ("/x", "//", "/../etc/passwd", "/%00", "/index.html", "/logout"):
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
    for kind in ("style", "script"):
        inline = re.search(f"<{kind}>(.*)</{kind}>", body, re.S).group(1)
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert body.count("<script") == 1 and "style=" not in body
    for status in (404, 405):
        _, other, _ = web.get("/x" if status == 404 else "/", "GET" if status == 404 else "PUT")
        assert "Content-Security-Policy" in other and "nosniff" in other


def test_size(web):
    _, head, body = web.get()
    assert len(head) + len(body.encode()) < 20000


# ---- core ------------------------------------------------------------------------------------------


def test_core_is_asked_once_a_second_whatever_browsers_do(web):
    web.core.names = ["Ann <3", "Ben", "Cem"]
    begun = time.monotonic()
    streams = [web.stream(source=f"127.0.24.{i}") for i in range(1, 20)]
    for i in range(60):
        assert web.get(source=(PHONE, STRANGER, "127.0.24.1")[i % 3])[0] == 200
        assert web.get(where=1, host="localhost", fields=web.session())[0] == 200
    await_that(lambda: len(web.core.asked) >= 4)
    took = time.monotonic() - begun
    assert len(web.core.asked) <= took + 1
    for s in streams:
        s.close()


def test_nothing_is_asked_when_nobody_looks(web):
    stream = web.stream()
    await_that(lambda: len(web.core.asked) >= 2)
    stream.close()
    await_that(lambda: web.descriptors() == web.idle_descriptors)
    asked, before = len(web.core.asked), web.switches()
    time.sleep(2.5)
    assert len(web.core.asked) <= asked + 1 and web.switches() <= before + 4


def test_core_mute_and_back(web):
    web.core.mute = True
    status, _, body = web.get()
    assert status == 503 and "no answer" in body
    web.core.answer([PHONE])  # late
    web.core.mute = False
    await_that(lambda: "Ann" in web.get()[2])


def test_one_late_answer_does_not_make_the_next_one_late(web):
    web.core.mute = True
    assert web.get()[0] == 503
    time.sleep(2)  # core is held up for three seconds in all
    web.core.mute = False
    web.core.answer([PHONE])
    begun = time.monotonic()
    assert web.get(source=STRANGER)[0] == 200
    assert time.monotonic() - begun < 8


def test_a_stream_says_what_changes_and_nothing_else(web):
    _, _, body = web.get()
    events = re.search('data-e="([^"]*)"', body)[1].replace("&amp;", "&")
    stream = web.stream(events)
    web.core.locked = True
    first = stream.until("closed by the lock")
    assert "event: p" in first and "voron" in first, "the printer's state"
    assert first.count("event: s") == 1 and "event: order" not in first
    web.core.mute = True
    stream.until("no answer")
    web.core.answer([PHONE])
    web.core.mute = web.core.locked = False
    stream.until("connected")
    stream.close()


def test_a_stream_of_an_owner_ends_with_the_session(web):
    stream = web.stream("/events?k=0", fields=web.session())
    assert "192.168.1.9" in stream.until("order")
    web.core.valid = False
    stream.until("event: end")
    assert stream.rest() == ""


def test_a_stream_of_an_owner_is_nobody_else_s(web):
    """As after a restart of core, which forgets all sessions."""
    web.core.valid = False
    stream = web.stream("/events?k=0&own=1", fields=web.session())
    assert "phones enrolled" not in stream.until("event: end")
    stream.close()


# ---- limits ----------------------------------------------------------------------------------------


def test_one_address_does_not_keep_another_out(tmp_path):
    web = Web(tmp_path, "pi")
    attacker = {"where": TLS, "source": "192.0.2.1", "host": "pi"}
    silent = [web.connect(TLS, "192.0.2.1") for _ in range(64)]
    await_that(lambda: web.descriptors() >= web.idle_descriptors + 16)
    assert web.get(**{**attacker, "source": "192.0.2.2"})[0] == 200
    await_that(lambda: web.descriptors() == web.idle_descriptors + 16)  # an answered one is let go
    assert web.get(**attacker)[0] == 0, "this address has its sixteen"
    assert web.get()[0] == 200
    for s in silent:
        s.close()
    await_that(lambda: web.get(**attacker)[0] == 200)
    web.close()


@pytest.fixture
def flooded(web):
    """One address, all of its sixteen connections, each with a session of its own invention."""
    over = threading.Event()

    def guess():
        while not over.is_set():
            web.get(source=STRANGER, fields=["Cookie: printgate=" + os.urandom(16).hex()])

    threads = [threading.Thread(target=guess) for _ in range(16)]
    for t in threads:
        t.start()
    await_that(lambda: len(web.core.asked) >= 3)
    yield web
    over.set()
    for t in threads:
        t.join()


def test_invented_sessions_keep_nobody_from_an_answer(flooded):
    """Eight sessions fit a question, and there are always more."""
    stream = flooded.stream(source="127.0.24.1", fields=flooded.session())
    for fields, word in ((), "You are Ann"), (flooded.session(), "192.168.1.9"):
        asked = len(flooded.core.asked)
        assert word in flooded.get(fields=fields)[2]
        assert len(flooded.core.asked) <= asked + 2, "its turn is in the next question"
    flooded.core.locked = True
    asked = len(flooded.core.asked)
    stream.until("closed by the lock")
    assert len(flooded.core.asked) <= asked + 2
    stream.close()


def test_a_full_house_loses_who_has_not_said_anything(web):
    silent = [web.connect(source=f"127.0.21.{i // 8 + 1}") for i in range(400)]
    await_that(lambda: web.descriptors() >= web.idle_descriptors + 256)
    assert web.get()[0] == 200
    assert web.get(where=1, host="localhost")[0] == 200
    await_that(lambda: web.descriptors() <= web.idle_descriptors + 257)
    for s in silent:
        s.close()


def test_what_printgate_tls_hands_over_harms_its_own_door_only(web):
    """Were it broken into: neither with what is no connection, nor by never stopping."""
    ends = b"".join(struct.pack("<BH", 4, 1234) + socket.inet_aton(a) + bytes(12)
                    for a in ("192.0.2.1", LAN))
    with open("/dev/null", "rb") as nothing:
        for _ in range(3):
            socket.send_fds(web.tls, [ends], [nothing.fileno()])
    over = threading.Event()

    def flood():
        mine, theirs = socket.socketpair()
        while not over.is_set():
            socket.send_fds(web.tls, [ends], [theirs.fileno()])
        mine.close()
        theirs.close()

    floods = [threading.Thread(target=flood) for _ in range(2)]
    for f in floods:
        f.start()
    for _ in range(3):
        begun = time.monotonic()
        assert web.get()[0] == 200
        assert time.monotonic() - begun < 5
    over.set()
    for f in floods:
        f.join()


def test_a_dribbling_client_is_cut_at_its_request_s_end(web):
    with web.connect() as s:
        s.settimeout(1)
        begun, answer = time.monotonic(), b""
        s.sendall(b"GET / HTTP/1.1\r\n")
        while not answer and time.monotonic() - begun < 20:
            try:
                s.sendall(b"A: b\r\n")
                answer = s.recv(100) or b"closed"
            except TimeoutError:
                pass
            except OSError:
                answer = b"closed"
        assert b"408" in answer


def test_a_viewer_that_does_not_read_is_let_go(web):
    web.core.names = [f"phone {i}" for i in range(20000)]  # more than sockets take by themselves
    stream = web.stream("/events?k=0&all=1", fields=web.session(), room=4096)
    await_that(lambda: web.core.asked)
    await_that(lambda: web.descriptors() == web.idle_descriptors, 40)
    stream.close()


def test_who_vanishes_without_a_word_does_not_hold_its_place(web):
    """As a phone does whose tunnel is switched off while its page is open: the kernel asks after it."""
    stream = web.stream()
    stream.until("order")
    said = subprocess.run(["ss", "-Htno", "state", "established", "sport", "=", f":{web.ports[0]}"],
                          check=True, capture_output=True, text=True).stdout
    left = re.search(r"timer:\(keepalive,(\d+)sec,0\)", said)
    assert left and int(left[1]) <= 30, said
    stream.close()


# ---- the process -----------------------------------------------------------------------------------


def test_core_gone_ends_it(web):
    assert web.stop() == 0


def test_unasked_speech_ends_it(web):
    web.core.say(END)
    assert web.process.wait(5) == 1


def test_not_started_by_printgated():
    for arguments in ([], ["2"], ["x", "0"], ["0", "0"], ["99", "0"], ["1", "2"]):
        done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=5)
        assert done.returncode == 2
        assert "printgate-web" in done.stderr


def test_the_root_must_be_empty(tmp_path):
    (tmp_path / "file").write_text("")
    web = Web(tmp_path)
    assert web.process.wait(5) == 1
    assert "not empty" in web.process.stderr.read().decode()
    web.close()


def test_it_owns_nothing(web, tmp_path):
    web.get()
    process = f"/proc/{web.process.pid}"
    with open(process + "/limits", encoding="ascii") as f:
        limits = {line[:26].strip(): line[26:].split()[0] for line in f}
    assert limits["Max core file size"] == "0"
    assert limits["Max processes"] == "0"
    assert int(limits["Max open files"]) < 1024
    with open(process + "/status", encoding="ascii") as f:
        status = dict(line.split(":\t", 1) for line in f if ":\t" in line)
    assert status["NoNewPrivs"].strip() == "1"
    assert status["Seccomp"].strip() == "2"
    for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[kind], 16) == 0, kind
    assert os.readlink(process + "/root") == str(tmp_path)
    assert os.readlink(process + "/cwd") == str(tmp_path)


def test_its_list_of_system_calls_is_short_and_enough():
    """Enough: every other test here runs under it, and a call that is not in it ends the process."""
    with open(os.path.join(os.path.dirname(__file__), "../../web/main.c"), encoding="utf-8") as f:
        calls = re.search(r"calls\[\] =\s*\{(.*?)\};", f.read(), re.S)[1].count('"') // 2
    assert calls + 1 <= 28  # and ioctl(FIONREAD)
