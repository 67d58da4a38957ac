#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Looks into the built programs: the libraries each one needs must be those of
tests/golden/needed_PROGRAM.txt, and the hardening asked for in the Makefile must be there.

usage: elf.py BUILD_FOLDER. Exit status 1 on any finding.
"""

import pathlib
import re
import subprocess
import sys

GOLDEN = pathlib.Path(__file__).resolve().parent / "golden"
PROGRAMS = ("printgated", "printgate-core", "printgate-web", "printgate-tls", "printgate")


def readelf(option, program):
    return subprocess.run(["readelf", "-W", option, program], check=True, capture_output=True,
                          text=True).stdout


def needed(program):
    names = re.findall(r"\(NEEDED\).*\[(.*)\]", readelf("-d", program))
    return sorted(n for n in names if not n.startswith("ld-linux"))


def hardening(program):
    """What is missing."""
    dynamic, segments = readelf("-d", program), readelf("-l", program)
    symbols = readelf("--dyn-syms", program)
    if not re.search(r"Type:\s+DYN", readelf("-h", program)) or not re.search(r"FLAGS_1.*PIE",
                                                                              dynamic):
        yield "not position independent (PIE)"
    if "GNU_RELRO" not in segments:
        yield "no RELRO"
    if not re.search(r"BIND_NOW|FLAGS_1.*NOW", dynamic):
        yield "not bound at start (BIND_NOW)"
    stack = re.search(r"GNU_STACK\s+(?:\S+\s+){5}(\S+)", segments)
    if not stack or "E" in stack.group(1):
        yield "executable stack"
    if re.search(r"RWE", segments):
        yield "a segment is writable and executable"
    if "__stack_chk_fail" not in symbols:
        yield "no stack protector"
    if not re.search(r"__\w+_chk@", symbols):
        yield "no _FORTIFY_SOURCE"
    if re.search(r"R(UN)?PATH", dynamic):
        yield "a run path is set"


def main():
    findings = 0
    for name in PROGRAMS:
        program = pathlib.Path(sys.argv[1]) / name
        wanted = (GOLDEN / f"needed_{name}.txt").read_text(encoding="ascii").split()
        found = needed(program)
        for what in hardening(program):
            print(f"{program}: error: {what}")
            findings += 1
        if found != sorted(wanted):
            print(f"{program}: error: needs {' '.join(found)}; tests/golden/needed_{name}.txt "
                  f"says {' '.join(wanted)}")
            findings += 1
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
