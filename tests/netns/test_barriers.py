# SPDX-License-Identifier: GPL-2.0-or-later
"""The three barriers, each alone with the other two off and nobody to repair them: the whole matrix
(matrix.py) for both phones. To have the others off is more than a flush does: forwarding is switched
on for the whole machine, as another program may have done it."""

import contextlib

import pytest

from matrix import MatrixHouse, check, differs, normal
from node import await_that

NOTHING, WHATEVER = "xxxxx", "....."
GATEWAY = ("gateway in the tunnel", "gateway in the LAN", "gateway's WAN", "gateway's LAN, IPv6",
           "gateway's WAN, IPv6")
OUR_RULES = ["rule del priority 0 iif wg0 fwmark 0x8000000/0x8000000 lookup 20551",
             "rule del priority 0 iif wg0 unreachable"]


@pytest.fixture(scope="module")
def home():
    with MatrixHouse() as house:
        yield house


def for_phones(**cells):
    """Whatever others reach of each other and of a machine that forwards everything."""
    others = {source: WHATEVER for source in ("printer_a", "host", "internet", "gateway")}
    return differs(**others, **cells)


@contextlib.contextmanager
def alone(house, *, table=True, rules=True, forwarding=True):
    """Nobody repairs meanwhile; afterwards everything is back."""
    gate, before = house.gate, house.gateway.table()
    switches = [f"net.ipv{v}.conf.all.forwarding" for v in (4, 6)]
    house.gateway.hold()
    try:
        if not rules:
            gate.batch(*OUR_RULES, "route flush table 20551")
            for line in OUR_RULES:
                gate.net("ip", "-6", *line.split())
            gate.net("ip", "-6", "route", "flush", "table", "20551")
        if not table:
            gate.nft("flush ruleset")
        for switch in switches:
            gate.sysctl(switch, 1)
        if forwarding:
            for version in (4, 6):
                gate.sysctl(f"net.ipv{version}.conf.wg0.forwarding", 0)
        yield
    finally:
        for switch in switches:
            gate.sysctl(switch, 0)
        house.gateway.let_go()
    # what was taken away is noticed
    house.gateway.stop()
    house.gateway.start()
    await_that(lambda: house.gateway.table() == before, what="the table as it was")
    check(house, normal(), "afterwards")


def test_the_table_alone(home):
    with alone(home, rules=False, forwarding=False):
        check(home, for_phones(), "the table alone")


def test_policy_routing_alone(home):
    """Without the table nothing has been judged, so nothing has a way: not to this machine either."""
    with alone(home, table=False, forwarding=False):
        check(home, for_phones(phone=NOTHING, phone_2=NOTHING), "policy routing alone")


def test_forwarding_alone(home):
    """As on the way up and down: nothing goes beyond this machine. Its own addresses are not this
    barrier's affair."""
    beyond = {target: WHATEVER if target in GATEWAY else NOTHING for target, _ in normal()}
    with alone(home, table=False, rules=False):
        check(home, for_phones(phone=beyond, phone_2=beyond), "forwarding alone")


def test_no_barrier_at_all(home):
    """What the three are there for: without any of them a phone reaches the LAN and the internet."""
    with alone(home, table=False, rules=False, forwarding=False), pytest.raises(AssertionError,
                                                                               match="ARRIVED there"):
        check(home, for_phones(phone=NOTHING, phone_2=NOTHING), "no barrier")
