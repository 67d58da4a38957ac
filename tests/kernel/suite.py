#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs pytest files in several guests side by side, and adds up what they say.

    suite.py [--guests N] [--seconds N] [--environment "A=B …"] FILE…

A guest has one processor: emulating several costs a quarter more, and a test is one thing after the
other anyway. There are more guests than real processors because much of a test is waiting. The last
line is a summary like pytest's own; it says "passed" only if each guest has said so on the second
serial line (vm.py) and reported a test.
"""

import argparse
import collections
import os
import re
import shlex
import sys
import threading
import time

import vm

PYTEST = "/usr/bin/python3 -m pytest -p no:cacheprovider --color no"
MEMORY = 1536  # MiB

# What files cost in a guest, in seconds, for an even division only; a file that is not here costs OTHER.
COSTS = {"test_" + name + ".py": seconds for name, seconds in {
    "nft_packets": 300, "enrol": 300, "disturb": 300, "revoke": 230, "clock": 230, "crash": 170,
    "tunnel6": 135, "reach": 70, "attack": 60, "genl": 55, "lock": 50, "link": 50, "nft": 45, "try": 45,
    "wg": 40, "lab": 35, "packets": 25, "start": 15, "events": 10, "matrix": 300, "matrix6": 200,
}.items()}
OTHER = 100

OUTCOMES = ("failed", "passed", "skipped", "deselected", "xfailed", "xpassed", "warnings", "errors")
SUMMARY = re.compile("(?:=+ )?(.*) in [0-9.]+s(?: \\([0-9:]+\\))?(?: =+)?")


def guests_here():
    """Two more than processors, as far as memory goes."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    return max(1, min((os.cpu_count() or 1) + 2, memory // (MEMORY + 512)))


def shares(files, guests):
    """The files in as many lists, each about as long a work: the longest first, to who has least."""
    cost = {name: COSTS.get(os.path.basename(name), OTHER) for name in files}
    lists = [[] for _ in range(min(guests, len(files)))]
    for name in sorted(files, key=cost.get, reverse=True):
        min(lists, key=lambda l: sum(map(cost.get, l))).append(name)
    return lists


def counts(line):
    """What pytest's summary says, by outcome; empty if it is no summary."""
    found = SUMMARY.fullmatch(line)
    parts = [part.split() for part in found[1].split(", ")] if found else []
    if not all(len(part) == 2 and part[0].isdigit() for part in parts):
        return collections.Counter()
    plural = {"error": "errors", "warning": "warnings"}
    return collections.Counter({plural.get(what, what): int(n) for n, what in parts})


class Guest(threading.Thread):
    """One guest with its share. Its lines come out with its number before them, as they come."""

    def __init__(self, number, files, given):
        super().__init__()
        self.number = number
        self.command = f"{given.environment} {PYTEST} {shlex.join(files)}"
        self.seconds = given.seconds
        self.passed = False
        self.counts = collections.Counter()

    def run(self):
        out, console = os.pipe()
        reader = threading.Thread(target=self._read, args=(out,))
        reader.start()
        try:
            self.passed = vm.boot(self.command, MEMORY, self.seconds, processors=1, console=console)
        finally:
            os.close(console)
            reader.join()
        self.passed = self.passed and self.counts["passed"] > 0

    def _read(self, out):
        with open(out, errors="replace") as lines:
            for line in lines:
                line = line.rstrip("\r\n")
                self.counts = counts(line) or self.counts
                if line and not line.startswith("collecting"):
                    print(f"{self.number}| {line}", flush=True)


def summary(guests, seconds):
    total = sum((guest.counts for guest in guests), collections.Counter())
    silent = [guest for guest in guests if not guest.passed and not
              (guest.counts["failed"] or guest.counts["errors"])]
    total["errors"] += len(silent)
    text = ", ".join(f"{total[what]} {what}" for what in OUTCOMES if total[what])
    return f" {text} in {seconds:.2f}s ".center(100, "=")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--guests", type=int, default=guests_here())
    parser.add_argument("--seconds", type=int, default=2400, help="for each guest")
    parser.add_argument("--environment", default="")
    parser.add_argument("files", nargs="+")
    given = parser.parse_args()
    began = time.monotonic()
    vm.initramfs(*vm.kernel())  # once, before they need it
    guests = [Guest(number, files, given)
              for number, files in enumerate(shares(given.files, given.guests), 1)]
    for guest in guests:
        guest.start()
    for guest in guests:
        guest.join()
    for guest in guests:
        print(f"guest {guest.number}: {'passed' if guest.passed else 'FAILED'}")
    print(summary(guests, time.monotonic() - began), flush=True)
    return 0 if all(guest.passed for guest in guests) else 1


if __name__ == "__main__":
    sys.exit(main())
