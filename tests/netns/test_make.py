# SPDX-License-Identifier: GPL-2.0-or-later
"""`make try` and `make demo`, run as a user does, but in a node of the lab and without a terminal."""

import os
import signal
import subprocess
import time

import pytest

import lab as place
from gateway import PROGRAMS
from lab import Lab
from node import BUILD, ENV, ROOT, await_that
from probes import tcp_probe
from servers import WebServer, fetch

TEMPORARY = "printgate-try."


@pytest.fixture
def bare():
    with Lab(programs=False) as lab:
        yield lab


def start_try(lab, *settings):
    log = os.path.join(lab.folder, f"try{len(lab.gate.started)}.log")
    # a process group of its own: Ctrl-C goes to all of it, as on a terminal
    process = lab.gate.start(["make", "-C", ROOT, "try", f"B={BUILD}", f"TMPDIR={lab.folder}",
                              *settings], log=log, start_new_session=True)

    def text():
        with open(log) as f:
            return f.read()

    def shown():
        assert process.poll() is None, text()
        return "▀▀▀▀▀▀▀" in text().split("Ctrl-C ends it")[-1]

    await_that(shown, 60, "the QR code")
    return process, text


def nothing_is_left(lab, before):
    await_that(lambda: not lab.gate.processes(), 20, "the end of all processes")
    assert lab.gate.interfaces() == before
    assert lab.gate.out("nft", "list", "ruleset") == ""
    assert "20551" not in lab.gate.ip("rule") + lab.gate.ip("-6 rule")
    assert not [f for f in os.listdir(lab.folder) if f.startswith(TEMPORARY)]
    forwarding = lab.gate.out("sh", "-c", "cat /proc/sys/net/ipv4/conf/*/forwarding").split()
    assert set(forwarding) == {"0"}
    assert "wireguard" not in os.listdir(f"/proc/{lab.gate.init}/root/run")


def config_of(lab):
    """What a camera would see, from the terminal's own text."""
    socket = next(os.path.join(lab.folder, f, "run", "control.sock")
                  for f in os.listdir(lab.folder) if f.startswith(TEMPORARY))
    png = os.path.join(lab.folder, "code.png")
    lab.gate.run(os.path.join(BUILD, "printgate"), "--socket", socket, "qr", "my phone",
                 "--output", png)
    from phone import read_qr
    return read_qr(png)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_try_protects_a_printer_and_leaves_nothing(bare, number):
    bare.serve(WebServer(bare.printer_a))
    before = bare.gate.interfaces()
    process, text = start_try(bare, f"PRINTER={place.A}", "PHONE=my phone")
    bare.phone.join(config_of(bare))
    bare.phone.connect()
    at = str(bare.phone.house[2])
    assert f"http://{at}/" in text()
    assert fetch(bare.phone.node, at) == "printer-a\n"
    assert tcp_probe(bare.phone.node, at, 22).kind == "refused"
    await_that(lambda: "online" in text(), 10, "the phone in the live status")
    os.killpg(process.pid, number)
    process.wait(30)
    nothing_is_left(bare, before)


def test_try_again_is_quick_and_the_machine_itself_can_be_the_printer(bare):
    before = bare.gate.interfaces()
    for _ in range(2):
        began = time.monotonic()
        process, text = start_try(bare)
        taken = time.monotonic() - began
        assert "Installing" not in text()
        os.killpg(process.pid, signal.SIGINT)
        process.wait(30)
        nothing_is_left(bare, before)
    assert taken < 20, "with all built and installed there is little to do"


def test_try_says_what_is_wrong_and_leaves_nothing(bare):
    before = bare.gate.interfaces()
    done = bare.gate.run("make", "-C", ROOT, "try", f"B={BUILD}", f"TMPDIR={bare.folder}",
                         "PRINTER=nonsense", check=False)
    assert done.returncode and "nonsense" in done.stderr
    nothing_is_left(bare, before)


def test_try_beside_another_wireguard_takes_a_free_name_and_port(bare):
    bare.gate.start(["wireguard-go", "-f", "wg0"])
    await_that(lambda: not bare.gate.run("wg", "show", "wg0", check=False).returncode)
    bare.gate.run("wg", "set", "wg0", "listen-port", "51820")
    bare.gate.ip("link set wg0 up")
    process, text = start_try(bare)
    assert "wg1" in bare.gate.interfaces() and f"{place.GATEWAY_WAN}:51821" in text()
    os.killpg(process.pid, signal.SIGINT)
    await_that(lambda: not bare.gate.pids("make"), 20, "the end of make")
    assert "wg0" in bare.gate.interfaces() and "wg1" not in bare.gate.interfaces()
    assert not any(bare.gate.pids(p) for p in PROGRAMS)
    assert len(bare.gate.pids("wireguard-go")) == 1


def test_demo_tells_one_fact_a_line_and_fails_if_one_is_untrue():
    done = subprocess.run(["/usr/bin/python3", os.path.join(ROOT, "tests", "netns", "demo.py")],
                          capture_output=True, text=True, env=ENV, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    lines = [line for line in done.stdout.splitlines() if line.startswith("  ")]
    assert len(lines) >= 12 and all(line.startswith("  ✓ ") for line in lines)
