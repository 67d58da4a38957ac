# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests and the clock, on a machine whose clock may be anything: a Raspberry Pi has no battery for it.
Sets the clock, so only inside the guest (`make check-kernel`)."""

import ctypes
import os
import struct
import time

import pytest

import house
from node import await_that
from phone import read_qr
from probes import tcp_probe

HOUR = 3600
ADJ_MAXERROR, ADJ_ESTERROR, ADJ_STATUS, STA_UNSYNC = 0x0004, 0x0008, 0x0010, 0x0040
_libc = ctypes.CDLL(None, use_errno=True)


def in_the_guest():
    with open("/proc/cmdline") as f:
        return "pg.nonce=" in f.read()


def set_clock(change):
    """Nobody keeps it right afterwards: the kernel notes that it is not synchronised."""
    time.clock_settime(time.CLOCK_REALTIME, time.time() + change)


def keep_synchronised(yes):
    """As an NTP client tells the kernel; the clock itself is left alone. struct timex: modes is the
    first int, maximal and estimated error (zero here) are the fourth and fifth long, status follows."""
    timex = bytearray(208)
    struct.pack_into("=i", timex, 0, ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR)
    struct.pack_into("=i", timex, 40, 0 if yes else STA_UNSYNC)
    assert _libc.adjtimex((ctypes.c_char * len(timex)).from_buffer(timex)) != -1


@pytest.fixture(name="home")
def _home():
    assert in_the_guest(), "this test sets the machine's clock"
    before, began = time.time(), time.monotonic()
    with house.House() as h:
        yield h
    time.clock_settime(time.CLOCK_REALTIME, before + time.monotonic() - began)


def kind(home, phone, printer):
    return tcp_probe(phone.node, home.vpn(printer), 80, 1).kind


def await_open(home, phone, printer):
    await_that(lambda: kind(home, phone, printer) == "open", 30, "the printer to be open")


def await_shut(home, phone, printer):
    await_that(lambda: kind(home, phone, printer) != "open", 30, "the printer to be shut")


def states(home):
    return {p["name"]: p["state"] for p in home.gateway.json("list")["peers"]}


def start_anew(home):
    """As after a power cut: the kernel knows nothing, the store is what it was."""
    home.gateway.stop()
    home.gateway.down()
    home.gateway.start()
    for phone in (home.phone, home.phone2):
        if phone.config:
            phone.node.run("wg", "set", phone.interface, "peer",
                           phone.config["Peer"]["PublicKey"], "persistent-keepalive", "1")


def test_ends_follow_the_clock_that_is_set(home):
    home.gateway.json("allow", "phone", "beta", "--for", "1h")
    home.enter(home.phone2, "guest", "--printer", "alpha", "--expires", "1h")
    await_open(home, home.phone, home.beta)
    await_open(home, home.phone2, home.alpha)

    set_clock(2 * HOUR)
    await_shut(home, home.phone2, home.alpha)
    await_shut(home, home.phone, home.beta)
    assert states(home)["guest"] == "expired"
    assert len(home.gateway.wireguard_peers()) == 1, "the guest is still a peer"
    assert kind(home, home.phone, home.alpha) == "open"
    expired, = [e for e in home.gateway.json("log")["events"] if e["action"] == "expire"]
    assert (expired["actor"], expired["subject"]) == ("printgate", "guest")

    # What has ended stays ended, whatever the clock says and however often the machine starts.
    set_clock(-5 * HOUR)
    start_anew(home)
    keep_synchronised(True)
    start_anew(home)
    assert states(home)["guest"] == "expired" and len(home.gateway.wireguard_peers()) == 1
    assert home.gateway.peer("phone")["printers"] == [{"name": "alpha", "expires": None}]
    await_open(home, home.phone, home.alpha)
    assert kind(home, home.phone, home.beta) != "open"


def test_a_clock_that_starts_anew_opens_nothing_that_has_an_end(home):
    png = os.path.join(home.folder, "guest.png")
    home.gateway.run("enroll", "guest", "--printer", "alpha", "--expires", "3h", "--output", png)
    home.phone2.join(read_qr(png))
    home.phone2.connect()
    home.gateway.json("allow", "phone", "beta", "--for", "3h")
    await_open(home, home.phone2, home.alpha)

    set_clock(-10 * 24 * HOUR)  # no battery: the last time that was written to the disk, or less
    await_shut(home, home.phone2, home.alpha)
    await_shut(home, home.phone, home.beta)
    assert kind(home, home.phone, home.alpha) == "open", "what has no end needs no clock"
    start_anew(home)
    assert len(home.gateway.wireguard_peers()) == 1
    await_open(home, home.phone, home.alpha)
    assert kind(home, home.phone, home.beta) != "open"
    status, code, sentence = home.gateway.fails("allow", "phone", "beta", "--for", "1h")
    assert (status, code) == (1, "bad_time") and "synchronised" in sentence

    # A clock that is known to be right counts, even when it says earlier than before.
    keep_synchronised(True)
    start_anew(home)
    await_open(home, home.phone, home.beta)
    await_open(home, home.phone2, home.alpha)
    assert states(home)["guest"] in ("waiting", "online", "offline")

    # And one that is set to what it was is right by itself.
    keep_synchronised(False)
    start_anew(home)
    await_open(home, home.phone, home.alpha)
    assert kind(home, home.phone, home.beta) != "open"
    set_clock(10 * 24 * HOUR)
    await_open(home, home.phone, home.beta)
    await_open(home, home.phone2, home.alpha)


def test_a_guest_ends_on_time_with_every_process_killed(home):
    home.gateway.json("allow", "phone", "beta", "--for", "40s")
    began = time.monotonic()
    await_open(home, home.phone, home.beta)
    home.gateway.kill("printgated")
    home.gateway.await_end()
    assert kind(home, home.phone, home.beta) == "open"
    set_clock(-1 * HOUR)  # the kernel's own count does not care
    await_that(lambda: kind(home, home.phone, home.beta) != "open", 60, "the grant's end")
    assert time.monotonic() - began < 50, "it ended late"
    assert kind(home, home.phone, home.alpha) == "open"


def test_a_clock_that_was_wrong_once_does_not_keep_what_has_an_end(home):
    set_clock(10 * 24 * HOUR)
    home.gateway.run("allow", "phone", "beta")  # writes down how late it is said to be
    set_clock(-10 * 24 * HOUR)
    keep_synchronised(True)
    start_anew(home)
    home.gateway.json("allow", "phone", "beta", "--for", "20s")
    home.enter(home.phone2, "guest", "--printer", "alpha", "--expires", "30s")
    await_that(lambda: states(home)["guest"] == "expired", 60, "the guest's end")
    assert len(home.gateway.wireguard_peers()) == 1
    assert kind(home, home.phone, home.beta) != "open"
    start_anew(home)
    assert states(home)["guest"] == "expired"
    assert home.gateway.peer("phone")["printers"] == [{"name": "alpha", "expires": None}]
