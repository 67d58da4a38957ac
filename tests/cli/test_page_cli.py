# SPDX-License-Identifier: GPL-2.0-or-later
"""printgate page: what it says, and how it takes a password without showing or losing it."""

import json
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import termios
import time

import pytest

from cli_lab import END, PROGRAM, error, item, text
from test_cli import answer, failure, readable

TOKEN = bytes(range(16))
FINGERPRINT = ":".join(f"{n:02X}" for n in range(32))
PASSWORD = "correct horse bätteries"


def endpoints(*pairs):
    return bytes([len(pairs)]) + b"".join(
        (b"\6" + socket.inet_pton(socket.AF_INET6, a) if ":" in a else b"\4" + socket.inet_aton(a))
        + struct.pack("<H", port) for a, port in pairs)


def info(plain=(("10.77.16.1", 80), ("fd77::1", 80), ("127.0.0.1", 8080), ("::1", 8080)), tls=(), password=False,
         token=False, fingerprint=""):
    return item("CTL_PAGE_INFO", endpoints(*plain) + endpoints(*tls) + bytes([password, token])
                + text(fingerprint))


SECRET = item("CTL_PAGE_SECRET", TOKEN)
URLS = ["http://10.77.16.1/", "http://[fd77::1]/", "http://127.0.0.1:8080/", "http://[::1]:8080/"]


def test_json(core):
    core.script["CTL_PAGE"] = [info(), END]
    assert answer(core.cli("--json", "page")) == {
        "page": {"urls": URLS, "password": False, "token": False, "fingerprint": None}}
    core.script["CTL_PAGE"] = [info(plain=(("10.77.16.1", 81),), tls=(("192.168.1.2", 443), ("192.168.1.2", 80)),
                                    password=True, token=True, fingerprint=FINGERPRINT), END]
    assert answer(core.cli("page", "--json")) == {"page": {
        "urls": ["http://10.77.16.1:81/", "https://192.168.1.2/", "https://192.168.1.2:80/"],
        "password": True, "token": True, "fingerprint": FINGERPRINT}}
    core.script["CTL_PAGE_TOKEN"] = [info(token=True), SECRET, END]
    assert answer(core.cli("--json", "page", "token"))["page"] == {
        "urls": URLS, "password": False, "token": True, "fingerprint": None, "token_value": TOKEN.hex()}
    assert core.asked[-1] == ("CTL_PAGE_TOKEN", b"")


def test_for_people(core):
    core.script["CTL_PAGE"] = [info(), END]
    said = readable(core.cli("page"))
    assert [l for l in said if "://" in l] == [
        "  http://10.77.16.1/", "  http://[fd77::1]/", "  http://127.0.0.1:8080/  (on this machine)",
        "  http://[::1]:8080/"]
    said = " ".join(said)
    assert "'printgate page password' sets one" in said and "'printgate page token' makes one" in said
    core.script["CTL_PAGE"] = [info(password=True, token=True, fingerprint=FINGERPRINT), END]
    said = readable(core.cli("page"))
    assert "".join(l.strip() for l in said if l.count(":") > 10) == FINGERPRINT
    assert "'printgate page password' sets another" in " ".join(said)
    core.script["CTL_PAGE"] = [info(plain=()), END]
    assert "listens nowhere" in " ".join(readable(core.cli("page")))


def test_the_token_comes_with_its_use(core):
    core.script["CTL_PAGE_TOKEN"] = [info(token=True), SECRET, END]
    said = "\n".join(readable(core.cli("page", "token")))
    assert said.count(TOKEN.hex()) == 2
    assert f"authorization:\n        credentials: {TOKEN.hex()}\n" in said and "'10.77.16.1:80'" in said


@pytest.mark.parametrize("datagrams", [[END], [SECRET, END], [info(), SECRET, END]])
def test_incomplete_answers(core, datagrams):
    core.script["CTL_PAGE"] = datagrams
    failure(core.cli("--json", "page"), 1, "protocol")
    core.script["CTL_PAGE_TOKEN"] = [info(), END]
    failure(core.cli("--json", "page", "token"), 1, "protocol")


# ---- the password ------------------------------------------------------------------------------

@pytest.mark.parametrize("given", [PASSWORD + "\n", PASSWORD, PASSWORD + "\nmore\n", "x" * 128])
def test_from_a_script(core, given):
    core.script["CTL_PAGE_PASSWORD"] = [info(password=True), END]
    done = core.cli("page", "password", "--stdin", input=given.encode())
    readable(done)
    assert core.asked == [("CTL_PAGE_PASSWORD", text(given.split("\n")[0]))]
    assert given.split("\n")[0].encode() not in done.stdout + done.stderr


@pytest.mark.parametrize("given,word", [
    (b"", "no password"), (b"\n", "short"), (b"seven77\n", "short"), ("ä".encode() * 7, "short"),
    (b"x" * 129, "128 bytes"), (b"x" * 100000, "128 bytes"), (b"with\ttabulator\n", "control"),
    (b"with\0nothing\n", "control"), (b"\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7\n", "control")])
def test_what_is_no_password(core, given, word):
    done = core.cli("page", "password", "--stdin", "--json", input=given)
    assert word in failure(done, 2, "usage")
    assert not core.asked


def test_core_has_the_last_word(core):
    core.script["CTL_PAGE_PASSWORD"] = [error("ERR_LIMIT", "too many at once")]
    assert failure(core.cli("page", "password", "--stdin", "--json", input=PASSWORD.encode()), 1,
                   "limit") == "too many at once"


def test_no_terminal_and_no_stdin(core):
    assert "--stdin" in failure(core.cli("--json", "page", "password", stdin=subprocess.DEVNULL), 2, "usage")
    assert not core.asked


def as_in_a_terminal():
    """Whatever runs the tests may ignore these (nohup, a job in the background)."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Terminal:
    """`printgate page password` with a terminal for its input."""

    def __init__(self, core):
        self.mine, theirs = pty.openpty()
        self.process = subprocess.Popen([PROGRAM, "--socket", core.path, "page", "password"], stdin=theirs,
                                        stdout=theirs, stderr=theirs, start_new_session=True,
                                        preexec_fn=as_in_a_terminal)
        self.theirs = theirs
        self.shown = b""

    def echoes(self):
        return bool(termios.tcgetattr(self.theirs)[3] & termios.ECHO)

    def await_text(self, wanted):
        deadline = time.monotonic() + 20
        while wanted not in self.shown:
            assert select.select([self.mine], [], [], deadline - time.monotonic())[0], self.shown
            self.shown += os.read(self.mine, 4096)
        self.shown = self.shown.split(wanted, 1)[1]

    def asked(self, prompt):
        """The prompt has come, and what is typed is not shown any more."""
        self.await_text(prompt)
        deadline = time.monotonic() + 20
        while self.echoes():
            assert time.monotonic() < deadline, "what is typed would be shown"
            time.sleep(0.005)

    def type(self, line):
        os.write(self.mine, line.encode() + b"\n")

    def end(self):
        status = self.process.wait(20)
        while select.select([self.mine], [], [], 0)[0]:
            self.shown += os.read(self.mine, 4096)
        echoes = self.echoes()
        os.close(self.mine)
        os.close(self.theirs)
        assert echoes, "the terminal is left without echo"
        return status


def test_from_a_terminal(core):
    core.script["CTL_PAGE_PASSWORD"] = [info(password=True), END]
    t = Terminal(core)
    t.asked(b"New password for the page: ")
    t.type(PASSWORD)
    t.asked(b"Once more: ")
    t.type(PASSWORD)
    assert t.end() == 0
    assert b"is set" in t.shown and PASSWORD.encode() not in t.shown
    assert core.asked == [("CTL_PAGE_PASSWORD", text(PASSWORD))]


def test_two_different_passwords(core):
    t = Terminal(core)
    t.asked(b"New password for the page: ")
    t.type(PASSWORD)
    t.asked(b"Once more: ")
    t.type(PASSWORD + "!")
    assert t.end() == 2
    assert b"two different passwords" in t.shown and not core.asked


def test_a_short_one_is_told_at_once(core):
    t = Terminal(core)
    t.asked(b"New password for the page: ")
    t.type("short")
    assert t.end() == 2
    assert b"too short" in t.shown and b"Once more" not in t.shown


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_leaves_the_terminal_whole(core, number):
    t = Terminal(core)
    t.asked(b"New password for the page: ")
    t.process.send_signal(number)
    assert t.end() == -number
    assert not core.asked


def test_json_is_one_object(core):
    core.script["CTL_PAGE_PASSWORD"] = [info(password=True), END]
    done = core.cli("--json", "page", "password", "--stdin", input=PASSWORD.encode())
    assert json.loads(done.stdout)["page"]["password"] is True
