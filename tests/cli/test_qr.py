# SPDX-License-Identifier: GPL-2.0-or-later
"""The QR code in its three forms, read back by two decoders byte for byte.

The terminal form goes through a small terminal of this file's own, which paints cells as the escape
sequences say; the code must be readable from those pixels, not from what we know about blocks.
"""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

from cli_lab import END, PROGRAM, config, error, grant, peer

KEY = "mB3vZc1p9sJ2kQxLw7Yt4uHnRf0dGaE8iVoKyT5XbU4="
CONFIG = f"""[Interface]
PrivateKey = {KEY}
Address = 10.77.20.1/32

[Peer]
PublicKey = {KEY}
PresharedKey = {KEY}
AllowedIPs = 10.77.16.0/22
Endpoint = home.example.net:51820
"""
OWN_KEY = "".join(line for line in CONFIG.splitlines(True) if "PrivateKey" not in line)

BLACK, WHITE, SCALE, MARGIN = 0, 255, 4, 6
DARK_THEME, LIGHT_THEME = (WHITE, BLACK), (BLACK, WHITE)  # default foreground and background


@pytest.fixture
def ready(core):
    answer = [peer(), grant(), config(CONFIG), END]
    core.script |= {"CTL_ENROLL": answer, "CTL_QR": answer, "CTL_REKEY": answer}
    return core


def sgr(colours, theme, numbers):
    """The colours after one escape sequence: those that terminals in use today would show."""
    numbers = [int(n or 0) for n in numbers.split(";")]
    palette = {0: BLACK, 7: WHITE, 15: WHITE, 16: BLACK, 231: WHITE}
    fore, back = colours
    while numbers:
        n = numbers.pop(0)
        if n == 0:
            fore, back = theme
        elif n in (38, 48):
            assert numbers.pop(0) == 5
            colour = palette[numbers.pop(0)]
            fore, back = (colour, back) if n == 38 else (fore, colour)
        elif 30 <= n <= 37 or 90 <= n <= 97:
            fore = palette[n % 10]
        elif 40 <= n <= 47 or 100 <= n <= 107:
            back = palette[n % 10]
        else:
            raise AssertionError(f"SGR {n}")
    return fore, back


def paint(output, theme):
    """Text with escape sequences as rows of grey pixels, two rows a cell, scaled."""
    rows, colours = [], theme
    for line in output.decode().splitlines():
        upper, lower = [], []
        for escape, character in re.findall(r"\033\[([\d;]*)m|(.)", line):
            if not character:
                colours = sgr(colours, theme, escape)
                continue
            fore, back = colours
            upper.append(fore if character in "▀█" else back)
            lower.append(fore if character in "▄█" else back)
        assert colours == theme, "colours run on past the end of a line"
        rows += [upper, lower]
    width = max(map(len, rows)) + 2 * MARGIN
    rows = [[theme[1]] * MARGIN + r for r in rows]
    rows = [r + [theme[1]] * (width - len(r)) for r in rows]
    edge = [[theme[1]] * width] * MARGIN
    return edge + rows + edge


def write_pnm(path, rows):
    big = [bytes(p for p in row for _ in range(SCALE)) for row in rows for _ in range(SCALE)]
    path.write_bytes(b"P5 %d %d 255\n" % (len(big[0]), len(big)) + b"".join(big))


def zbar(path):
    done = subprocess.run(["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable",
                           "--oneshot", str(path)], capture_output=True, check=True)
    return done.stdout


def zxing(path):
    """A second, independent decoder."""
    done = subprocess.run(["ZXingReader", "-format", "QRCode", "-bytes", str(path)],
                          capture_output=True, check=True)
    return done.stdout


def decode(path):
    """What both decoders read, which must be the same."""
    if path.suffix == ".svg":
        drawing, path = path, path.with_suffix(".drawn.png")
        subprocess.run(["rsvg-convert", "-o", str(path), str(drawing)], check=True)
    read = zbar(path)
    assert zxing(path) == read
    return read


@pytest.mark.parametrize("theme", [DARK_THEME, LIGHT_THEME], ids=["dark", "light"])
@pytest.mark.parametrize("verb", ["enroll", "qr", "rekey"])
def test_terminal(ready, tmp_path, theme, verb):
    done = ready.cli(verb, "my phone")
    assert done.returncode == 0, done.stderr
    code = [line for line in done.stdout.splitlines() if b"\033" in line]
    picture = tmp_path / "screen.pgm"
    write_pnm(picture, paint(b"\n".join(code), theme))
    assert decode(picture) == CONFIG.encode()
    assert done.stdout.endswith(b"\033[0m\n"), "what follows the code scrolls its top away"
    assert b"name it my-phone" in done.stdout


@pytest.mark.parametrize("ending", [".png", ".svg", ".PNG"])
@pytest.mark.parametrize("verb", ["enroll", "qr", "rekey"])
def test_picture(ready, tmp_path, verb, ending):
    path = tmp_path / ("phone" + ending)
    done = ready.cli(verb, "my phone", "--output", str(path))
    assert done.returncode == 0, done.stderr
    assert decode(path) == CONFIG.encode()
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"\033" not in done.stdout
    assert KEY.encode() not in done.stdout


def test_config_file(ready, tmp_path):
    path = tmp_path / "phone.conf"
    assert ready.cli("enroll", "my phone", "--output", str(path)).returncode == 0
    assert path.read_text() == CONFIG
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(os.listdir(tmp_path)) == ["control.sock", "phone.conf"]


def test_text_alone(ready):
    assert ready.cli("qr", "my phone", "--no-qr").stdout == CONFIG.encode()


def test_enroll_without_code_keeps_the_key_to_itself(ready):
    done = ready.cli("enroll", "my phone", "--no-qr")
    assert done.returncode == 0
    assert KEY.encode() not in done.stdout and b"\033" not in done.stdout
    assert b"printgate qr 'my phone'" in done.stdout


@pytest.mark.parametrize("kind", ["file", "link", "dangling"])
def test_never_overwrites(ready, tmp_path, kind):
    path, other = tmp_path / "a.png", tmp_path / "b"
    if kind == "file":
        path.write_text("mine")
    else:
        path.symlink_to(other)
        if kind == "link":
            other.write_text("mine")
    done = ready.cli("--json", "enroll", "my phone", "--output", str(path))
    assert done.returncode == 1
    assert b'"conflict"' in done.stdout and b"exists already" in done.stderr
    assert not ready.asked, "enrolled for a file that cannot be written"
    assert not other.exists() or other.read_text() == "mine"


@pytest.mark.parametrize("name", ["a.jpg", "png", "a.png/", "a"])
def test_unknown_ending(ready, tmp_path, name):
    done = ready.cli("enroll", "my phone", "--output", str(tmp_path) + "/" + name)
    assert done.returncode == 2
    assert b".png, .svg or .conf" in done.stderr
    assert not ready.asked


def test_folder_missing(ready, tmp_path):
    done = ready.cli("enroll", "my phone", "--output", str(tmp_path / "none" / "a.png"))
    assert done.returncode == 1
    assert not ready.asked


def test_nothing_left_when_refused(ready, tmp_path):
    ready.script["CTL_ENROLL"] = [error("ERR_NAME_TAKEN", "there is a my phone already")]
    done = ready.cli("enroll", "my phone", "--output", str(tmp_path / "a.png"))
    assert done.returncode == 1
    assert os.listdir(tmp_path) == ["control.sock"]


def test_own_key(ready, tmp_path):
    ready.script["CTL_ENROLL"] = ready.script["CTL_QR"] = [peer(), config(OWN_KEY), END]
    done = ready.cli("enroll", "my phone", "--public-key", KEY)
    assert done.returncode == 0, done.stderr
    assert OWN_KEY.encode() in done.stdout and b"\033" not in done.stdout
    assert b"PrivateKey = " in done.stdout
    assert ready.cli("enroll", "my phone", "--public-key", KEY, "--output",
                     str(tmp_path / "a.png")).returncode == 2
    assert ready.cli("qr", "my phone", "--output", str(tmp_path / "a.png")).returncode == 1
    assert os.listdir(tmp_path) == ["control.sock"]


def in_window(core, columns, rows, *words):
    """Runs the program on a terminal of this size; returns what it drew."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen([PROGRAM, "--socket", core.path, *words], stdout=slave,
                               env={"PATH": os.environ["PATH"], "TERM": "xterm"})
    os.close(slave)
    drawn = b""
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:  # EIO: the last writer is gone
            break
        if not chunk:
            break
        drawn += chunk
    os.close(master)
    assert process.wait(10) == 0
    return drawn.replace(b"\r\n", b"\n")


def test_window(ready, tmp_path):
    drawn = in_window(ready, 200, 100, "qr", "my phone")
    code = [line for line in drawn.splitlines() if b"\033" in line]
    columns, rows = len(re.sub(r"\033\[[\d;]*m", "", code[0].decode())), len(code)
    write_pnm(tmp_path / "a.pgm", paint(b"\n".join(code), DARK_THEME))
    assert decode(tmp_path / "a.pgm") == CONFIG.encode()
    assert b"\033" in in_window(ready, columns, rows + 1, "qr", "my phone")
    for small in ((columns - 1, 100), (200, rows), (80, 24)):
        drawn = in_window(ready, *small, "qr", "my phone")
        assert b"\033" not in drawn
        assert f"{columns} columns and {rows + 1} rows" in " ".join(drawn.decode().split())
        assert b"--output FILE.png" in drawn
