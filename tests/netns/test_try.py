# SPDX-License-Identifier: GPL-2.0-or-later
"""packaging/try.sh on a terminal, as `make try` runs it: the code that is on the screen works, stays
there until it is used, and Ctrl-C leaves nothing behind."""

import fcntl
import os
import re
import struct
import termios
import threading

import pytest

import lab as place
from lab import Lab
from node import BUILD, ENV, ROOT, await_that
from phone import read_qr
from probes import tcp_probe
from servers import WebServer, fetch

CLEAR = "\033[H\033[2J"
BLOCKS = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}


class Terminal:
    """A window, a program in it, and all that it has written."""

    def __init__(self, node, command, columns, rows, **env):
        self.master, slave = os.openpty()
        self.written = b""
        self.resize(columns, rows)
        self.process = node.start(["setsid", "--ctty", *command], stdin=slave, stdout=slave,
                                  stderr=slave, env={**ENV, **env})
        os.close(slave)
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:  # EIO: nobody has the other end open
                return
            self.written += data

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, keys):
        os.write(self.master, keys)

    @property
    def screen(self):
        """What has been written since the window was last cleared."""
        return self.written.decode(errors="replace").replace("\r\n", "\n").split(CLEAR)[-1]

    def shows(self, text, seconds=20):
        await_that(lambda: text in self.screen, seconds, f"{text!r} on the screen")

    def end(self):
        self.process.wait(20)
        self.reader.join(20)
        os.close(self.master)


def code_lines(screen):
    """The QR code's lines on the screen; None until all are there. It is square, and a line has two
    rows of it."""
    lines = [re.sub("\033\\[[0-9;]*m", "", line) for line in screen.splitlines(keepends=True)
             if "\033[30;47m" in line and line.endswith("\n")]
    lines = [line.rstrip("\n") for line in lines]
    return lines if lines and 2 * len(lines) >= len(lines[0]) else None


def read_screen(window, folder):
    """The config in the QR code on the screen."""
    lines = await_that(lambda: code_lines(window.screen), what="the whole code")
    pixels = [[BLOCKS[c][half] for c in line] for line in lines for half in (0, 1)]
    path = os.path.join(folder, "screen.pbm")
    with open(path, "w") as f:
        f.write(f"P1 {4 * len(pixels[0])} {4 * len(pixels)}\n")
        for row in pixels:
            f.write((" ".join(4 * f"{p} " for p in row) + "\n") * 4)
    return read_qr(path)


def traces(node):
    """All that a gateway could leave behind."""
    commands = ("ip -o link", "ip -4 route show table all", "ip rule", "ip -6 rule",
                "nft list ruleset", "ls -A /run", "sysctl -a -r ipv[46].*forwarding")
    return [node.out(*command.split()) for command in commands] + [sorted(
        name for name, _ in node.processes().values())]


@pytest.fixture
def trial():
    with Lab(programs=False) as lab:
        lab.serve(WebServer(lab.gate))
        lab.serve(WebServer(lab.printer_a))
        folder = os.path.join(lab.folder, "tmp")
        os.mkdir(folder)

        def start(**env):
            return Terminal(lab.gate, ["sh", os.path.join(ROOT, "packaging/try.sh"), BUILD],
                            80, 24, TMPDIR=folder, **env)

        before = traces(lab.gate)
        yield lab, start
        assert traces(lab.gate) == before
        assert os.listdir(folder) == []


@pytest.mark.parametrize("printer", ["self", place.A])
def test_from_code_to_printer(trial, printer):
    lab, start = trial
    window = start(PRINTER=printer, PHONE="Anna's phone",
                   ENDPOINT=f"{lab.public_address}:{place.PORT}")
    window.shows("enlarge this window")
    assert "printgate qr" not in window.screen, "advice that does not work here"
    window.resize(80, 50)
    window.shows("Create from QR code")
    config = read_screen(window, lab.folder)
    url = re.search("printer +http://([0-9.]+)/", window.screen)
    lab.phone.join(config)
    lab.phone.connect()
    assert fetch(lab.phone.node, url[1]) == ("gate\n" if printer == "self" else "printer-a\n")
    assert tcp_probe(lab.phone.node, url[1], 22).kind == "refused"
    window.shows("online")
    assert "Anna's phone" in window.screen
    window.press(b"\x03")
    window.end()
    assert "no account" not in window.screen


def test_code_stays(trial):
    lab, start = trial
    window = start(ENDPOINT=lab.public_address)
    window.resize(100, 50)
    window.shows("Create from QR code")
    threading.Event().wait(3)  # longer than the pauses of the trial and of the status
    assert "name it my-phone" in window.screen
    assert read_screen(window, lab.folder).startswith("[Interface]")
    window.press(b"\x03")
    window.end()


def test_wrong_printer(trial):
    _, start = trial
    window = start(PRINTER="voron.invalid:80", ENDPOINT="home.example.net")
    window.end()
    assert "voron.invalid:80" in window.screen
    assert "Taking everything down again" in window.screen
