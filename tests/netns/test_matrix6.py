# SPDX-License-Identifier: GPL-2.0-or-later
"""The matrix with IPv6 in the tunnel: the same table, whose IPv6 rows are refused in so many words now
that phones have addresses, and rows of the gateway machine, by both families."""

import contextlib

import pytest

import lab as place
from matrix import COLUMN, TABLE, MatrixHouse, check, differs, normal
from node import await_that

# The gateway machine is a printer that `phone` may use; its first service is tcp/80, as a web server
# of the machine's own that stands beside the page.
SIX_ROWS = """
machine by VPN         oorro  rrrrr  sssss  sssss  sssss  xxxxx
machine by VPN, IPv6   oorro  rrrrr  xxxxx  xxxxx  xxxxx  xxxxx
tunnel gateway, IPv6   prrro  prrro  xxxxx  xxxxx  xxxxx  ooooo
printer a by VPN, IPv6 xxxxx  rrrrr  xxxxx  xxxxx  xxxxx  xxxxx
printer b by VPN, IPv6 rrrrr  xxxxx  xxxxx  xxxxx  xxxxx  xxxxx
nobody by VPN, IPv6    rrrrr  rrrrr  xxxxx  xxxxx  xxxxx  xxxxx
"""
SIX = "\n".join(line[:COLUMN] + line[COLUMN:COLUMN + 14].replace("x", "r") + line[COLUMN + 14:]
                if "IPv6" in line else line for line in TABLE.strip().splitlines()) + SIX_ROWS
PHONES = ("phone", "phone_2")
PAGES = ("gateway in the tunnel", "tunnel gateway, IPv6")
OPEN = {"phone": ("printer a by VPN", "machine by VPN", "machine by VPN, IPv6"),
        "phone_2": ("printer b by VPN",)}
DOWN = ("printer a by VPN, IPv6", "printer b by VPN, IPv6")


class MatrixHouse6(MatrixHouse):
    def __init__(self):
        super().__init__(gateway_lines="tunnel6 = auto")
        self.machine = self.gateway.add_printer("machine", "self", "--port", "tcp/80,udp/5000")
        self.gateway.json("allow", "phone", "machine")
        self.internet.batch(f"route add {self.phone.house6[0]}/116 via 2001:db8:1::10")

    def make_greedy(self, phone, number):
        phone.node.batch(f"route replace {place.GATEWAY_WAN}/32 via 10.20.0.1",
                         f"route replace ::/0 dev {phone.interface}")
        phone.grow_greedy("default")

    def six(self, printer):
        return str(self.phone.house6[int(self.vpn(printer).rsplit(".", 1)[1])])

    def targets(self):
        return {**super().targets(),
                "phone, IPv6": (self.phone.address6, "phone"),
                "phone 2, IPv6": (self.phone2.address6, "phone 2"),
                "machine by VPN": (self.vpn(self.machine), "gateway"),
                "machine by VPN, IPv6": (self.machine["vpn_address6"], "gateway"),
                "tunnel gateway, IPv6": (self.phone.gateway6, "gateway"),
                "printer a by VPN, IPv6": (self.six(self.alpha), "printer a"),
                "printer b by VPN, IPv6": (self.six(self.beta), "printer b"),
                "nobody by VPN, IPv6": (str(self.phone.house6[40]), "gateway")}


@pytest.fixture(scope="module")
def home():
    with MatrixHouse6() as house:
        yield house


@contextlib.contextmanager
def as_before(house, again):
    before = house.gateway.table()
    try:
        yield
    finally:
        again()
    await_that(lambda: house.gateway.table() == before, what="the table as it was")


def test_normal(home):
    check(home, normal(SIX), "normal")


def test_table_flushed_and_nobody_repairs(home):
    """What the others reach then is test_matrix.py's question."""
    others = dict.fromkeys(("printer_a", "host", "internet", "gateway"), ".....")
    with as_before(home, home.gateway.let_go):
        home.gateway.hold()
        home.gate.net("nft", "flush", "ruleset")
        check(home, differs(SIX, phone="xxxxx", phone_2="xxxxx", **others), "table flushed")
    check(home, normal(SIX), "afterwards")


def test_processes_killed(home):
    with as_before(home, home.gateway.start):
        home.gateway.kill_all()
        check(home, differs(SIX, **{p: dict.fromkeys(PAGES, "nrrro") for p in PHONES}),
              "processes killed")


def test_locked(home):
    with as_before(home, lambda: home.gateway.json("unlock")):
        home.gateway.json("lock")
        check(home, differs(SIX, **{p: dict.fromkeys((*OPEN[p], *DOWN), "rrrrr")
                                    for p in PHONES}), "locked")


def test_after_deny(home):
    with as_before(home, lambda: home.gateway.json("allow", "phone", "machine")):
        home.gateway.json("deny", "phone", "machine")
        check(home, differs(SIX, phone=dict.fromkeys(OPEN["phone"][1:], "rrrrr")), "after deny")
