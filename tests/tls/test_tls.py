# SPDX-License-Identifier: GPL-2.0-or-later
"""The real printgate-tls over real TCP, with a page of this file's own at the other end of its line.

The tunnel is 127.0.16.0/20 here, so that the loopback interface is enough: a phone is a client bound
to 127.0.20.5. As root, because the program gives up the file system.
"""

import contextlib
import hashlib
import os
import re
import socket
import ssl
import struct
import subprocess
import threading
import time

import pytest

PROGRAM = os.environ.get("PRINTGATE_TLS", "build/printgate-tls")
ADDRESS, LAN, PHONE = "127.0.0.1", "127.0.0.9", "127.0.20.5"
MOST_FROM_ADDRESS, MOST, HANDSHAKE_SECONDS = 16, 256, 10  # tls/conn.h
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def endpoint(raw):
    family, port = struct.unpack_from("<BH", raw)
    size = 4 if family == 4 else 16
    return socket.inet_ntop(socket.AF_INET if family == 4 else socket.AF_INET6,
                            raw[3:3 + size]), port


class Page(threading.Thread):
    """What printgate-web is to the program: takes connections and treats each with `serve`."""

    def __init__(self, line):
        super().__init__(daemon=True)
        self.line, self.ends, self.serve, self.threads = line, [], self.answer, []

    def run(self):
        while True:
            try:
                data, fds, _, _ = socket.recv_fds(self.line, 4096, 4)
            except OSError:
                return
            if not data:
                return
            assert len(data) == 38 and len(fds) == 1, (data, fds)
            self.ends.append((endpoint(data), endpoint(data[19:])))
            s = socket.socket(fileno=fds[0])
            s.settimeout(30)
            t = threading.Thread(target=self.treat, args=(s,), daemon=True)
            self.threads.append(t)
            t.start()

    def treat(self, s):
        with s, contextlib.suppress(OSError):
            self.serve(s)

    @staticmethod
    def answer(s):
        """Says what it was asked, as printgate-web ends a connection."""
        got = b""
        while b"\r\n\r\n" not in got:
            part = s.recv(4096)
            if not part:
                return
            got += part
        s.sendall(b"HTTP/1.1 200 OK\r\n\r\nasked: " + got.split(b"\r\n")[0])
        s.shutdown(socket.SHUT_WR)
        while s.recv(4096):
            pass


class Tls:
    def __init__(self, folder, certificate=None, key=None, names=("printgate.local", ADDRESS)):
        self.certificate = str(certificate or folder / "page.crt")
        self.key = str(key or folder / "page.key")
        given = certificate is not None
        empty = folder / "empty"
        empty.mkdir(exist_ok=True)
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        report, told = os.pipe()
        listener = socket.create_server((ADDRESS, 0), backlog=512)
        self.port = listener.getsockname()[1]
        flags = os.O_RDONLY if given else os.O_RDWR | os.O_CREAT
        files = [os.open(f, flags, 0o600) for f in (self.certificate, self.key)]
        fds = [os.dup(f) for f in (theirs.fileno(), told, *files, listener.fileno())]

        def place():  # into 3, 4, …, by way of numbers that are out of the way
            high = [os.dup2(f, 40 + i) for i, f in enumerate(fds)]
            for i, f in enumerate(high):
                os.dup2(f, 3 + i)

        self.process = subprocess.Popen(
            [os.path.abspath(PROGRAM), "1", "given" if given else "own", "127.0.16.0/20", "-",
             *names], preexec_fn=place, pass_fds=range(3, 8), cwd=empty, stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        for f in (*fds, *files, told):
            os.close(f)
        for s in (theirs, listener):
            s.close()
        with open(report, "rb") as f:
            self.digest = f.read()
        self.line = mine
        self.page = Page(mine)
        self.page.start()

    def connect(self, source=LAN):
        return socket.create_connection((ADDRESS, self.port), 30, (source, 0))

    def client(self, source=LAN, context=None):
        """After the handshake, which checks the certificate against what is in its file."""
        if not context:
            context = ssl.create_default_context(cafile=self.certificate)
        raw = self.connect(source)
        try:
            return context.wrap_socket(raw, server_hostname="printgate.local")
        except BaseException:
            raw.close()
            raise

    def get(self, **options):
        with self.client(**options) as s:
            s.sendall(b"GET /x HTTP/1.1\r\n\r\n")
            return rest_of(s)

    def openssl(self, *options, stdin="GET /x HTTP/1.1\r\n\r\n"):
        return subprocess.run(["openssl", "s_client", "-connect", f"{ADDRESS}:{self.port}",
                               "-servername", "printgate.local", *options], input=stdin,
                              capture_output=True, text=True, timeout=30)

    def status(self, key):
        with open(f"/proc/{self.process.pid}/status") as f:
            return next(line.split(":")[1].strip() for line in f if line.startswith(key + ":"))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def end(self):
        """Its status and what it has said."""
        with contextlib.suppress(OSError):
            self.line.shutdown(socket.SHUT_RDWR)
        _, said = self.process.communicate(timeout=30)
        self.line.close()
        return self.process.returncode, said.decode()


def rest_of(s):
    got = b""
    while True:
        part = s.recv(65536)
        if not part:
            return got
        got += part


def await_that(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def start(tmp_path):
    """Starts it; in the end it must end by itself, with its page."""
    running = []

    def make(**options):
        running.append(Tls(tmp_path, **options))
        return running[-1]

    yield make
    for t in running:
        if t.process.returncode is None:
            assert t.end()[0] == 0


@pytest.fixture
def tls(start):
    return start()


def certify(folder, name, *options):
    """A pair by openssl: (certificate, key)."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-nodes", "-subj", "/CN=owner", "-addext",
                    "subjectAltName=DNS:printgate.local", "-keyout", key, "-out", certificate,
                    *options], check=True, capture_output=True)
    return certificate, key


EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")


# ---- what is carried ------------------------------------------------------------------------------


def test_a_request_and_its_answer_pass_and_the_page_knows_both_ends(tls):
    assert tls.get() == b"HTTP/1.1 200 OK\r\n\r\nasked: GET /x HTTP/1.1"
    (client, client_port), here = tls.page.ends[0]
    assert client == LAN and client_port > 1024
    assert here == (ADDRESS, tls.port)


def test_much_passes_unchanged_both_ways_at_once(tls):
    sent = os.urandom(3 << 20)
    seen = []

    def echo(s):
        digest = hashlib.sha256()
        while True:
            part = s.recv(50000)
            if not part:
                break
            digest.update(part)
            s.sendall(part)
        seen.append(digest.digest())
        s.shutdown(socket.SHUT_WR)

    tls.page.serve = echo
    with tls.client() as s:
        got = []
        reader = threading.Thread(target=lambda: got.append(rest_of(s)))
        reader.start()
        s.sendall(sent)
        # the client's half of TLS is closed; the other half still carries what is on its way
        socket.socket.shutdown(s, socket.SHUT_WR)
        reader.join(30)
    assert got == [sent]
    assert seen == [hashlib.sha256(sent).digest()]


def test_a_viewer_that_does_not_read_stops_the_page_and_costs_little(tls):
    stopped = threading.Event()

    def pour(s):
        s.setblocking(False)
        block = bytes(65536)
        quiet = time.monotonic()
        total = 0
        while time.monotonic() - quiet < 1:
            try:
                total += s.send(block)
                quiet = time.monotonic()
            except BlockingIOError:
                time.sleep(0.01)
            assert total < 64 << 20, "never stopped"
        stopped.set()

    tls.page.serve = pour
    with tls.client() as s:
        s.sendall(b"x")
        assert stopped.wait(30)
        assert int(tls.status("VmRSS").split()[0]) < 32768


def test_the_end_is_told_as_tls_tells_it(tls):
    """Otherwise a cut in the middle could not be told from an end."""
    done = tls.openssl("-quiet", "-ign_eof", "-msg")
    assert "close_notify" in done.stdout + done.stderr


@pytest.mark.parametrize("who", ("client", "page"))
def test_a_side_that_vanishes_frees_everything(tls, who):
    before = tls.descriptors()
    taken = threading.Event()

    def hold(s):
        taken.set()
        if who == "client":
            while s.recv(1):
                pass

    tls.page.serve = hold
    with contextlib.suppress(OSError), tls.client() as s:
        assert taken.wait(10)
        if who == "page":
            rest_of(s)
    await_that(lambda: tls.descriptors() == before)


# ---- certificate ------------------------------------------------------------------------------------


def test_own_certificate_is_made_once_and_kept(start):
    first = start()
    assert first.get()
    assert first.end()[0] == 0
    kept = open(first.certificate).read(), open(first.key).read()
    second = start(names=("other.name",))
    assert second.get()
    assert second.digest == first.digest
    assert (open(first.certificate).read(), open(first.key).read()) == kept


def test_own_certificate_says_who_it_is_for_and_no_more(tls):
    text = subprocess.run(["openssl", "x509", "-in", tls.certificate, "-noout", "-text"],
                          check=True, capture_output=True, text=True).stdout
    assert "DNS:printgate.local, IP Address:127.0.0.1" in text
    assert "Subject: CN = printgate" in text and "Issuer: CN = printgate" in text
    assert "Not Before: Jan  1 00:00:00 2020 GMT" in text
    assert int(re.search(r"Not After : .* (\d{4}) GMT", text)[1]) >= 2036
    assert "CA:FALSE" in text and "NIST CURVE: P-256" in text
    assert "TLS Web Server Authentication" in text and "Digital Signature" in text


def test_the_fingerprint_told_is_the_one_openssl_shows(tls):
    said = subprocess.run(["openssl", "x509", "-in", tls.certificate, "-noout", "-fingerprint",
                           "-sha256"], check=True, capture_output=True, text=True).stdout
    assert bytes.fromhex(said.split("=")[1].strip().replace(":", "")) == tls.digest


@pytest.mark.parametrize("harm", ("no certificate", "half a key", "another key", "longer than ours"))
def test_what_is_not_a_pair_is_made_anew(start, tmp_path, harm):
    first = start()
    assert first.end()[0] == 0
    if harm == "no certificate":
        open(first.certificate, "w").close()
    elif harm == "half a key":
        os.truncate(first.key, 100)
    elif harm == "another key":
        _, key = certify(tmp_path, "other", *EC)
        open(first.key, "w").write(key.read_text())
    else:
        open(first.certificate, "w").write("x" * 5000)
    second = start()
    assert second.digest != first.digest and len(second.digest) == 32
    assert second.get()
    for path in (second.certificate, second.key):
        text = open(path).read()
        assert text.startswith("-----BEGIN ") and text.endswith("-----\n") and len(text) < 2000


@pytest.mark.parametrize("kind", (EC, ("-newkey", "rsa:2048")), ids=("ec", "rsa"))
def test_a_given_certificate_is_used_and_its_files_left_alone(start, tmp_path, kind):
    certificate, key = certify(tmp_path, "owner", *kind)
    before = certificate.read_bytes(), key.read_bytes()
    tls = start(certificate=certificate, key=key)
    assert tls.get()
    with tls.client() as s:
        assert hashlib.sha256(s.getpeercert(binary_form=True)).digest() == tls.digest
    assert (certificate.read_bytes(), key.read_bytes()) == before


def test_the_chain_of_a_given_certificate_is_sent(start, tmp_path):
    certificate, key = certify(tmp_path, "owner", *EC)
    other, _ = certify(tmp_path, "other", *EC)
    certificate.write_text(certificate.read_text() + other.read_text())
    shown = start(certificate=certificate, key=key).openssl("-showcerts").stdout
    assert shown.count("BEGIN CERTIFICATE") >= 2 and other.read_text().strip() in shown


@pytest.mark.parametrize("harm, word", (("other key", "do not belong together"),
                                        ("password", "without a password"),
                                        ("empty", "is empty"), ("noise", "certificate"),
                                        ("short rsa", "key too small")))
def test_a_given_pair_that_is_none_is_refused_and_not_replaced(start, tmp_path, harm, word):
    certificate, key = certify(tmp_path, "owner", *(("-newkey", "rsa:1024") if harm == "short rsa"
                                                    else EC))
    if harm == "other key":
        _, key = certify(tmp_path, "other", *EC)
    elif harm == "password":
        closed_key = tmp_path / "closed.key"
        subprocess.run(["openssl", "pkey", "-in", key, "-aes256", "-passout", "pass:x", "-out",
                        closed_key], check=True)
        key = closed_key
    elif harm == "empty":
        certificate.write_text("")
    elif harm == "noise":
        certificate.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    before = certificate.read_bytes(), key.read_bytes()
    tls = start(certificate=certificate, key=key)
    assert tls.digest == b""
    status, said = tls.end()
    assert status == 1 and word in said, said
    assert (certificate.read_bytes(), key.read_bytes()) == before


# ---- which TLS --------------------------------------------------------------------------------------


@pytest.mark.parametrize("options, accepted", (
    (("-tls1_3",), True),
    (("-tls1_2",), True),
    (("-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"), True),
    (("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), False),
    (("-tls1", "-cipher", "ALL:@SECLEVEL=0"), False),
    (("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256"), False),  # CBC
    (("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"), False),
    (("-alpn", "h2"), False),
    (("-alpn", "h2,http/1.1"), True),
), ids=lambda v: " ".join(v) if isinstance(v, tuple) else str(v))
def test_only_modern_tls_is_spoken(tls, options, accepted):
    done = tls.openssl("-quiet", "-ign_eof", *options)
    assert ("asked: GET /x" in done.stdout) == accepted, done.stderr
    assert len(tls.page.ends) == accepted


def test_nothing_is_resumed_renegotiated_or_compressed(tls):
    done = tls.openssl("-tls1_2", stdin="R\nGET /x HTTP/1.1\r\n\r\n")
    assert "Compression: NONE" in done.stdout
    assert "TLS session ticket:" not in done.stdout
    assert "RENEGOTIATING" in done.stderr and "no renegotiation" in done.stderr, done.stderr
    assert "asked" not in done.stdout
    with tls.client() as s:
        s.sendall(b"GET /x HTTP/1.1\r\n\r\n")
        rest_of(s)
        assert not s.session or not s.session.has_ticket


def test_plain_http_gets_nothing(tls):
    with tls.connect() as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: printgate.local\r\n\r\n")
        got = b""
        with contextlib.suppress(ConnectionResetError):
            got = rest_of(s)
    assert b"HTTP" not in got and len(got) <= 7  # an alert of TLS at most
    assert tls.page.ends == []


# ---- who comes in -----------------------------------------------------------------------------------


def test_who_comes_from_the_tunnel_is_turned_away(tls):
    with pytest.raises((ssl.SSLError, OSError)):
        tls.client(source=PHONE)
    assert tls.page.ends == []
    assert tls.get()


def closed(s):
    """The other side has ended it, without a word."""
    s.setblocking(False)
    try:
        return s.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_one_address_cannot_take_all_places(tls):
    mine = [tls.connect() for _ in range(MOST_FROM_ADDRESS)]
    with tls.connect() as more:
        await_that(lambda: closed(more))
    assert not any(closed(s) for s in mine)
    assert tls.get(source="127.0.0.10")
    mine.pop().close()
    await_that(lambda: _succeeds(tls.get))
    for s in mine:
        s.close()


def _succeeds(call):
    try:
        return call()
    except OSError:  # ssl's are, too
        return False


def test_a_full_house_loses_who_is_slow_at_the_handshake(tls):
    slow = [tls.connect(f"127.0.0.{20 + i // MOST_FROM_ADDRESS}") for i in range(MOST)]
    before = tls.process.pid
    assert tls.get()
    await_that(lambda: closed(slow[0]))
    assert sum(closed(s) for s in slow) <= 2
    assert tls.process.pid == before and tls.process.poll() is None
    for s in slow:
        s.close()


def test_a_handshake_has_its_time_however_it_is_spent(tls):
    """One says nothing, one says a byte at a time: the time is for the whole."""
    silent, dripping = tls.connect(), tls.connect()
    end = time.monotonic() + HANDSHAKE_SECONDS * 3
    hello = iter(b"\x16\x03\x01\x02\x00" + bytes(500))
    while not (closed(silent) and closed(dripping)):
        assert time.monotonic() < end
        with contextlib.suppress(OSError):
            dripping.send(bytes([next(hello)]))
        time.sleep(0.3)
    silent.close()
    dripping.close()
    assert tls.page.ends == []


# ---- what it may do ---------------------------------------------------------------------------------


def test_it_has_given_up_everything(tls):
    assert tls.get()
    assert tls.status("Seccomp") == "2"
    assert tls.status("NoNewPrivs") == "1"
    for key in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        assert int(tls.status(key), 16) == 0, key
    assert os.listdir(f"/proc/{tls.process.pid}/root") == []
    held = {os.readlink(f"/proc/{tls.process.pid}/fd/{n}")
            for n in os.listdir(f"/proc/{tls.process.pid}/fd")}
    assert not {f for f in held if f.startswith("/") and f != "/dev/null"}, held


def test_its_list_of_system_calls_is_short():
    with open(os.path.join(ROOT, "tls/main.c")) as f:
        listed = re.search(r"calls\[\] = \{(.*?)\};", f.read(), re.S)[1]
    names = re.findall(r'"(\w+)"', listed)
    assert len(names) + 1 <= 27  # and ioctl(FIONREAD)
    assert not {"open", "openat", "execve", "fork", "clone", "connect", "socket", "bind"} & {*names}


def test_a_folder_with_something_in_it_is_no_root(start, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "x").touch()
    tls = start()
    status, said = tls.end()
    assert status == 1 and "not empty" in said and tls.digest == b""


def test_it_ends_with_the_page(tls):
    with tls.client():
        assert tls.end()[0] == 0


def test_by_hand_it_says_who_starts_it():
    done = subprocess.run([PROGRAM], capture_output=True, text=True)
    assert done.returncode == 2 and "printgated(8)" in done.stderr
