# SPDX-License-Identifier: GPL-2.0-or-later
"""What a person with a phone in front of the console sees: the QR codes on it, as ZBar reads them."""

import os
import re
import subprocess
import tempfile

BLOCKS = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}
SCALE, MARGIN = 4, 4


def codes(console):
    """The codes on the console, each as its lines. It is square, and a line has two rows of it."""
    found, lines = [], []
    for line in re.sub("\033\\[[0-9;?]*[a-zA-Z]", "", console).split("\n"):
        if len(line) >= 40 and set(line) <= set(BLOCKS):
            lines.append(line)
            if 2 * len(lines) >= len(lines[0]):
                found.append(lines)
                lines = []
        else:
            lines = []
    return found


def read(lines):
    """The text in a code."""
    pixels = [[BLOCKS[c][half] for c in line] for line in lines for half in (0, 1)]
    with tempfile.TemporaryDirectory() as there:
        path = os.path.join(there, "screen.pbm")
        with open(path, "w") as f:
            f.write(f"P1 {SCALE * len(pixels[0])} {SCALE * len(pixels)}\n")
            for row in pixels:
                f.write((" ".join(SCALE * f"{p} " for p in row) + "\n") * SCALE)
        done = subprocess.run(["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", "--oneshot",
                               path], capture_output=True, check=False)
    return done.stdout.decode() if done.returncode == 0 else None
