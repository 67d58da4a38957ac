# SPDX-License-Identifier: GPL-2.0-or-later
"""What printgate does, shown: a simulated phone in network namespaces, one line a fact, each read
from a real probe. Ends with status 1 if a fact is not as it should be."""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab as place  # noqa: E402
from lab import Lab  # noqa: E402
from node import await_that  # noqa: E402
from phone import read_qr  # noqa: E402
from probes import ping, tcp_probe, udp_probe  # noqa: E402
from servers import Echoes, WebServer, download, fetch  # noqa: E402

UNTRUE = []


def title(text):
    print(f"\n{text}", flush=True)


def fact(text, true, seen):
    """One line: what should be so, and what the probe saw."""
    print(f"  {'✓' if true else '✗'} {text}: {seen}", flush=True)
    if not true:
        UNTRUE.append(text)


def answer(result):
    return f"{result.kind} after {result.seconds * 1000:.1f} ms"


def closed(text, *results):
    result = max(results, key=lambda r: r.seconds)
    fact(text, all(r.kind in ("refused", "prohibited") for r in results), answer(result))


def opened(text, result):
    fact(text, result.kind == "open", answer(result))


def build(lab):
    for node in (lab.printer_a, lab.printer_b, lab.host):
        lab.serve(WebServer(node))
        lab.serve(Echoes(node, tcp=[22], udp=[5000]))
    lab.serve(Echoes(lab.gate, tcp=[22]))
    lab.serve(Echoes(lab.internet, tcp=[80]))
    lab.gateway.start()


def enrol(lab):
    title("The owner protects a printer and enrolls a phone; the phone is far away, behind a NAT.")
    at = lab.gateway.add_printer("voron", place.A, "--preset", "web")["vpn_address"]
    fact(f"printgate printer add voron {place.A} --preset web", True, f"reached at {at}")
    png = os.path.join(lab.folder, "code.png")
    lab.gateway.run("enroll", "my phone", "--printer", "voron", "--output", png)
    lab.phone.join(read_qr(png))
    fact("the phone reads the QR code", True, f"its address is {lab.phone.address}")
    began = time.monotonic()
    lab.phone.connect()
    fact("the tunnel comes up", True, f"{(time.monotonic() - began) * 1000:.0f} ms")
    return at


def reach(lab, at):
    phone = lab.phone.node
    title("What the phone may reach:")
    page = fetch(phone, at).strip()
    fact(f"the printer's page, http://{at}/", page == "printer-a", f"“{page}”")
    opened("a ping of the printer", ping(phone, at))
    opened("printgate's own page", tcp_probe(phone, lab.phone.gateway, 80))

    title("What it may not, though it sends everything into the tunnel:")
    lab.phone.grow_greedy(place.LAN, f"{place.PUBLIC}/32")
    closed("the printer's other ports", tcp_probe(phone, at, 22), udp_probe(phone, at, 5000))
    closed("the printer's own address in the LAN", tcp_probe(phone, place.A, 80))
    closed("another printer", tcp_probe(phone, place.B, 80), ping(phone, place.B))
    closed("another machine in the LAN", tcp_probe(phone, place.HOST, 22))
    closed("the gateway's SSH", tcp_probe(phone, lab.phone.gateway, 22),
           tcp_probe(phone, place.GATEWAY_LAN, 22))
    closed("the internet", tcp_probe(phone, place.PUBLIC, 80))


def change(lab, at):
    phone = lab.phone.node
    title("A second printer needs no new QR code:")
    second = lab.gateway.add_printer("prusa", place.B, "--preset", "web")["vpn_address"]
    closed("before `printgate allow`", tcp_probe(phone, second, 80))
    lab.gateway.run("allow", "my phone", "prusa")
    opened("after it", tcp_probe(phone, second, 80))

    title("A revocation stops what is running:")
    stream = download(phone, at)
    fact("a download from the printer runs", True, f"{stream.received} bytes so far")
    lab.gateway.run("deny", "my phone", "voron")
    done = time.monotonic()
    await_that(lambda: time.monotonic() > done + 1.5)
    late = stream.last - done
    fact("`printgate deny`: the last byte", late < 1,
         f"{abs(late) * 1000:.0f} ms {'after' if late > 0 else 'before'} the command was done")
    stream.close()
    closed("a new connection", tcp_probe(phone, at, 80))
    opened("the other printer", tcp_probe(phone, second, 80))

    title("The gateway's programs are killed:")
    lab.gateway.kill("printgated")
    lab.gateway.await_end()
    opened("the granted printer", tcp_probe(phone, second, 80))
    closed("the other one", tcp_probe(phone, at, 80))
    handshake = lab.phone.handshake()
    lab.gateway.start()
    opened("after a new start", tcp_probe(phone, second, 80))
    fact("the phone's session", handshake == lab.phone.handshake(), "is still the same")


def main():
    with Lab() as lab:
        build(lab)
        at = enrol(lab)
        reach(lab, at)
        change(lab, at)
    print(f"\n{'All as it should be.' if not UNTRUE else 'NOT as it should be: ' + '; '.join(UNTRUE)}")
    return 1 if UNTRUE else 0


if __name__ == "__main__":
    sys.exit(main())
