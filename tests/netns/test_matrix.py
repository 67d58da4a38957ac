# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole matrix (matrix.py) in each state that a gateway can be in. Each test leaves the house as
it was, and proves it by the table of the normal state."""

import contextlib

import pytest

from broken import BrokenCore
from matrix import MatrixHouse, check, differs, normal
from node import SLOW, await_that

NOTHING = "xxxxx"
CLOSED = "rrrrr"
PAGE_ONLY = "prrro"  # and ping, at the gateway's tunnel address
NO_PAGE = "nrrro"
TUNNEL = "gateway in the tunnel"
PHONES = ("phone", "phone_2")


class Houses:
    """One house for all tests of this file, and a new one after a test that spoilt it."""

    def __init__(self):
        self.house = None

    def get(self):
        if self.house and self.house.spoilt:
            self.close()
        self.house = self.house or MatrixHouse()
        return self.house

    def close(self):
        if self.house:
            self.house.close()
        self.house = None


@pytest.fixture(scope="module")
def houses():
    with contextlib.closing(Houses()) as all_of_them:
        yield all_of_them


@pytest.fixture
def home(houses):
    return houses.get()


@contextlib.contextmanager
def as_before(house, again, prove=SLOW == 1):
    """After the block `again` brings the gateway back, and all is normal: the table is compared, and
    everything is asked once more, which a slow machine does where it matters."""
    before = house.gateway.table()
    house.spoilt = True
    try:
        yield
    finally:
        again()
    await_that(lambda: house.gateway.table() == before, what="the table as it was")
    if prove:
        check(house, normal(), "afterwards")
    house.spoilt = False


def test_normal(home):
    check(home, normal(), "normal")


def flushed():
    """Policy routing and the switches of forwarding are all that is left. What the machine itself
    sends is its own affair, and a LAN host may reach by one of its addresses what it may by
    another."""
    outside = {TUNNEL: "....."}
    return differs(phone=NOTHING, phone_2=NOTHING, printer_a=outside, host=outside,
                   internet=outside, gateway=".....")


def test_table_flushed_and_nobody_repairs(home):
    with as_before(home, home.gateway.let_go, prove=True):
        home.gateway.hold()
        home.gate.net("nft", "flush", "ruleset")
        check(home, flushed(), "table flushed")


def test_table_flushed_while_nothing_runs(home):
    with as_before(home, home.gateway.start, prove=True):
        home.gateway.kill_all()
        home.gate.net("nft", "flush", "ruleset")
        check(home, flushed(), "table flushed, processes killed")


def test_processes_killed(home):
    """The data plane stands. Only the page has nobody behind it."""
    with as_before(home, home.gateway.start):
        home.gateway.kill_all()
        check(home, differs(**{p: {TUNNEL: NO_PAGE} for p in PHONES}), "processes killed")


@contextlib.contextmanager
def mid_start(house):
    """As printgated is between its own preparations and core's first word."""
    core = BrokenCore(house)
    try:
        yield
    finally:
        house.gateway.kill_all()
        core.line.close()


def test_mid_start_with_a_shut_table(home):
    """No table was there; links, routes and peers still are."""
    shut = {**dict.fromkeys((t for t, _ in normal()), CLOSED), TUNNEL: PAGE_ONLY,
            **{t: NOTHING for t, _ in normal() if "IPv6" in t}}
    with as_before(home, home.gateway.start):
        home.gateway.kill_all()
        home.gate.net("nft", "flush", "ruleset")
        with mid_start(home):
            check(home, differs(phone=shut, phone_2=shut), "mid-start")


def test_mid_start_beside_the_table_from_before(home):
    with as_before(home, home.gateway.start):
        home.gateway.kill_all()
        with mid_start(home):
            check(home, normal(), "mid-start")


def test_locked(home):
    """Nothing but the page and ping."""
    with as_before(home, lambda: home.gateway.json("unlock")):
        home.gateway.json("lock")
        check(home, differs(phone={"printer a by VPN": CLOSED}, phone_2={"printer b by VPN": CLOSED}),
              "locked")


def test_locked_and_killed(home):
    def again():
        home.gateway.start()
        home.gateway.json("unlock")

    with as_before(home, again):
        home.gateway.json("lock")
        home.gateway.kill_all()
        check(home, differs(phone={"printer a by VPN": CLOSED, TUNNEL: NO_PAGE},
                            phone_2={"printer b by VPN": CLOSED, TUNNEL: NO_PAGE}),
              "locked, processes killed")


def test_after_deny(home):
    with as_before(home, lambda: home.gateway.json("allow", "phone", "alpha")):
        home.gateway.json("deny", "phone", "alpha")
        check(home, differs(phone={"printer a by VPN": CLOSED}), "after deny")


def test_after_expiry_with_nobody_alive(home):
    """The kernel ends the grant alone."""
    def again():
        home.gateway.start()
        home.gateway.json("allow", "phone", "alpha")

    with as_before(home, again):
        home.gateway.json("allow", "phone", "alpha", "--for", "1s")
        home.gateway.kill_all()
        await_that(lambda: len(home.gateway.elements("grants")) == 1, what="the end of the grant")
        check(home, differs(phone={"printer a by VPN": CLOSED, TUNNEL: NO_PAGE},
                            phone_2={TUNNEL: NO_PAGE}), "after expiry")


def test_after_revoke(home):
    """The last of this house: the phone comes back as another one."""
    home.gateway.json("revoke", "phone")
    check(home, differs(phone=NOTHING), "after revoke")
    home.phone.leave()
    home.enter(home.phone, "phone again", "--printer", "alpha")
    home.make_greedy(home.phone, 1)
    check(home, normal(), "enrolled again")
