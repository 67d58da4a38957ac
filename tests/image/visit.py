# SPDX-License-Identifier: GPL-2.0-or-later
"""What people do with a gateway that came as an image: they write a file, look at the console, take the code
with a phone, and go to their printer. Each step asserts that it went well."""

import json

import machine
import screen
from node import await_that
from phone import Phone
from probes import tcp_probe
from servers import fetch

# Nothing of a line like this may be found on a disk once the file was applied.
REMARK = "the spare key is under the flowerpot"
NAME = "Ann’s phone"
PRINTER, OTHER, GATEWAY = "192.168.50.11", "192.168.50.20", "192.168.50.1"


def first_boot_file(*more):
    """As an editor of Windows and a word processor leave it: a byte order mark, CRLF, blanks, quotes."""
    lines = ("\ufeff# For the workshop; " + REMARK, "[gateway]", f"endpoint = “{machine.ENDPOINT}”  ",
             "", "[printer voron]", f"address = {PRINTER}", "ports = tcp/80 ", "[printer own]",
             "address = self", "ports = tcp/5000", f"[enroll {NAME}]", "printers = voron, own", *more)
    return {"printgate.conf": "".join(line + "\r\n" for line in lines).encode()}


def ask(gateway, *words):
    return json.loads(gateway.run("printgate --json " + " ".join(words) + " 2>/dev/null"))


def public_key(gateway):
    return ask(gateway, "status")["gateway"]["public_key"]


def see_code(gateway, seconds=machine.SECONDS):
    """The config in the code on the console."""
    def last():
        codes = screen.codes(gateway.console)
        return codes and screen.read(codes[-1])

    return await_that(last, seconds, "a code on the console", pause=.5)


def enter(outside, folder, config):
    """A phone takes the code and connects."""
    phone = Phone(outside, folder)
    phone.join(config)
    phone.connect(machine.SECONDS)
    return phone


def places(gateway):
    """{printer: its VPN address}"""
    return {p["name"]: p["vpn_address"] for p in ask(gateway, "printer", "list")["printers"]}


def serves(gateway):
    """The house is there: what phones are refused answers to the gateway itself."""
    for address, name in ((PRINTER, "printer"), (OTHER, "other"), (GATEWAY, "gateway")):
        for port in (80, 5000):
            assert gateway.run(f"busybox wget -q -O - http://{address}:{port}/") == name


def reaches(phone, at):
    """The printers that were granted, at the ports that were granted."""
    assert fetch(phone.node, at["voron"], 80) == "printer\n"
    assert fetch(phone.node, at["own"], 5000) == "gateway\n"


def is_refused(phone, at):
    """All else, also for a phone that sends into the tunnel whatever it likes."""
    phone.grow_greedy("192.168.50.0/24", "10.0.2.0/24")
    refused = {"refused", "prohibited"}
    for address, port in ((at["voron"], 5000), (at["own"], 80), (phone.gateway, 5000), (PRINTER, 80),
                          (OTHER, 80), (OTHER, 5000), (GATEWAY, 80), ("10.0.2.15", 5000), ("10.0.2.2", 80)):
        answer = tcp_probe(phone.node, address, port, 20, device=phone.interface)
        assert answer.kind in refused, (address, port, answer)
