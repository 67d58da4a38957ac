# SPDX-License-Identifier: GPL-2.0-or-later
"""What daemon/priv/nft.h loads, and how its elements move: read back with nft(8)."""

import json
import subprocess

import pytest

from nftlab import (GATEWAY, GATEWAY6, GOLDEN, GOLDEN6, LAN_OTHER, LAN_PRINTER, MAIN, MAIN6, PHONE,
                    PHONE6, PRINTER, PRINTER6, SELF, SELF6, SUBNET, SUBNET_LAN, TUNNEL6, Driver,
                    Namespace)


@pytest.fixture
def gateway():
    namespace = Namespace("alone")
    yield namespace
    namespace.remove()


@pytest.fixture
def driver(gateway):
    d = Driver(gateway)
    yield d
    d.close()


def listing(gateway):
    return gateway.sh("nft", "list", "table", "inet", "printgate")


def elements(gateway, name, kind="set"):
    """Elements of a set as text, and their time-outs."""
    out = json.loads(gateway.sh("nft", "-j", "list", kind, "inet", "printgate", name))
    items = next(o[kind] for o in out["nftables"] if kind in o).get("elem", [])
    found = {}
    for item in items:
        timeout = None
        if isinstance(item, dict) and "elem" in item:
            timeout = item["elem"]["timeout"]
            item = item["elem"]["val"]
        found[json.dumps(item)] = timeout
    return found


def pair(a, b):
    return json.dumps({"concat": [a, b]})


def test_golden(gateway, driver):
    assert driver.change(MAIN, "full") == "ok"
    assert listing(gateway) == GOLDEN.read_text()


@pytest.fixture
def driver6(gateway):
    d = Driver(gateway, tunnel6=TUNNEL6)
    yield d
    d.close()


def test_golden6(gateway, driver6):
    assert driver6.change(MAIN6, "full") == "ok"
    assert listing(gateway) == GOLDEN6.read_text()


def test_six_moves_with_four(gateway, driver6):
    """Grants and services of both families come and go together; targets by IPv6 are this machine's."""
    assert driver6.change(MAIN + MAIN6, "full") == "ok"
    before = listing(gateway)
    assert driver6.change(MAIN + MAIN6) == "ok"
    assert listing(gateway) == before
    assert driver6.change(f"grant put {PHONE} {PRINTER} 100") == "ok"
    assert elements(gateway, "grants6") == {pair(PHONE6, PRINTER6): 100, pair(PHONE6, SELF6): None}
    assert list(elements(gateway, "targets6")) == [pair(SELF6, GATEWAY6)]
    assert driver6.change(f"printer put {SELF} {LAN_OTHER}") == "ok"
    assert elements(gateway, "targets6") == {} == elements(gateway, "printers6", "map")
    assert driver6.change(f"printer put {SELF} self") == "ok"
    assert driver6.change(f"printer del {SELF} self\nservice del {SELF} tcp/8000\n"
                          f"service del {SELF} udp/71-72\ngrant del {PHONE} {SELF} 0") == "ok"
    assert list(elements(gateway, "grants6")) == [pair(PHONE6, PRINTER6)]
    assert elements(gateway, "targets6") == {} == elements(gateway, "printers6", "map")
    assert SELF6 not in listing(gateway)


def test_without_six_again(gateway, driver6, driver):
    """A full change without the prefix leaves nothing of it."""
    assert driver6.change(MAIN6, "full") == "ok"
    assert driver.change(MAIN, "full") == "ok"
    assert listing(gateway) == GOLDEN.read_text()


def test_shut_loads_empty_rules_once(gateway, driver):
    assert driver.do("shut") == ["ok"]
    empty = listing(gateway)
    assert "elements" not in empty and "chain from_tunnel" in empty
    assert driver.change(MAIN) == "ok"
    before = listing(gateway)
    assert driver.do("shut") == ["ok"]
    assert listing(gateway) == before


def test_down_twice(gateway, driver):
    assert driver.do("shut") == ["ok"]
    assert driver.do("down") == ["ok"]
    assert gateway.sh("nft", "list", "ruleset") == ""
    assert driver.do("down") == ["ok"]


def test_no_page(gateway):
    d = Driver(gateway, page=0, bound=0)
    assert d.do("shut") == ["ok"]
    assert " 80 " not in listing(gateway) and "51880" not in listing(gateway)
    assert f"ip daddr {GATEWAY} icmp type echo-request accept" in listing(gateway)
    d.close()


def test_without_rights(gateway, tmp_path):
    """An ordinary user's socket opens, and the kernel refuses what is asked by it."""
    d = Driver(gateway)
    d.close()
    out = subprocess.run(["ip", "netns", "exec", gateway.name, "setpriv", "--reuid=65534",
                          "--clear-groups", "--bounding-set=-all", *d.process.args[4:]],
                         input="shut\n", capture_output=True, text=True, cwd=tmp_path)
    assert out.stdout.startswith("error - ") and "CAP_NET_ADMIN" in out.stdout


def test_again_changes_nothing(gateway, driver):
    assert driver.change(MAIN, "full") == "ok"
    before = listing(gateway)
    assert driver.change(MAIN) == "ok"
    assert listing(gateway) == before
    assert driver.change(MAIN, "full") == "ok"
    assert listing(gateway) == before


def test_full_replaces_and_keeps_gated(gateway, driver):
    assert driver.change(MAIN, "full") == "ok"
    assert driver.change("gate eth7") == "ok"
    assert driver.change(f"printer put {SELF} self", "full") == "ok"
    assert elements(gateway, "grants") == {} and elements(gateway, "ranges") == {}
    assert list(elements(gateway, "targets")) == [pair(SELF, GATEWAY)]
    assert sorted(elements(gateway, "gated")) == ['"eth7"', '"lan0"']
    assert sorted(driver.do("gated")) == ["eth7", "lan0", "ok"]


def test_gated_without_table(driver):
    assert driver.do("gated") == ["ok"]


def test_timeout_is_replaced(gateway, driver):
    assert driver.change(MAIN, "full") == "ok"
    block = json.dumps({"concat": [PHONE, {"prefix": {"addr": SUBNET.split("/")[0], "len": 29}}]})
    for seconds in (100, 200, 50, 0, 7):
        assert driver.change(f"grant put {PHONE} {PRINTER} {seconds}\n"
                             f"grant put {PHONE} {SUBNET} {seconds}") == "ok"
        assert elements(gateway, "grants") == {pair(PHONE, PRINTER): seconds or None}
        assert elements(gateway, "subnet_grants") == {block: seconds or None}


def test_longest_time(gateway, driver):
    assert driver.change(f"grant put {PHONE} {PRINTER} 316224000", "full") == "ok"
    assert elements(gateway, "grants") == {pair(PHONE, PRINTER): 316224000}


def test_deleting_the_absent(gateway, driver):
    assert driver.change(MAIN, "full") == "ok"
    before = listing(gateway)
    assert driver.change("""
        printer del 10.77.17.1 192.168.5.77
        printer del 10.77.18.0/24 192.168.77.0/24
        service del 10.77.17.1 tcp/80
        service del 10.77.17.1 tcp/80-90
        service del 10.77.16.2 tcp/501-509
        service del 10.77.18.0/24 tcp/80
        grant del 10.77.20.9 10.77.16.2 0
        grant del 10.77.20.9 10.77.19.0/29 0""") == "ok"
    assert listing(gateway) == before


def test_everything_deleted(gateway, driver):
    assert driver.do("shut") == ["ok"]
    empty = listing(gateway)
    assert driver.change(MAIN.replace("gate lan0", "")) == "ok"
    assert driver.change(MAIN.replace(" put ", " del ").replace("gate lan0", "")) == "ok"
    assert listing(gateway) == empty


@pytest.mark.parametrize("vpn,old,between,new", [
    (PRINTER, LAN_PRINTER, "192.168.9.1", LAN_OTHER),
    (SUBNET, SUBNET_LAN, "192.168.9.0/29", "192.168.6.64/29")])
def test_another_target(gateway, driver, vpn, old, between, new):
    """However it is told, the old target leaves no trace."""
    for step in (f"printer put {vpn} {new}",
                 f"printer del {vpn} {new}\nprinter put {vpn} {new}",
                 f"printer put {vpn} {between}\nprinter put {vpn} {new}"):
        assert driver.change(MAIN, "full") == "ok"
        assert driver.change(step) == "ok"
        assert old not in listing(gateway) and between not in listing(gateway)
        assert listing(gateway).count(new) == 2  # in the map, and among the targets


def test_removals_go_first(gateway, driver):
    assert driver.change(MAIN, "full") == "ok"
    assert driver.change(f"grant put {PHONE} {PRINTER} 60\ngrant del {PHONE} {PRINTER} 0") == "ok"
    assert elements(gateway, "grants") == {pair(PHONE, PRINTER): 60}


def test_one_bad_item_and_nothing_changes(gateway, driver):
    assert driver.change(MAIN, "full") == "ok"
    before = listing(gateway)
    bad = f"""
        mark 4
        grant put 10.77.20.7 {PRINTER} 0
        mark 5
        service put {PRINTER} tcp/490-505
        mark 6
        grant del {PHONE} {PRINTER} 0"""
    assert driver.change(bad).startswith("error 5 ")  # overlaps tcp/500-510, by its
    # end: a range that begins in another one is acknowledged by Linux 6.1, and not added
    assert listing(gateway) == before
    twice = "mark 3\nprinter put 10.77.19.0/29 192.168.5.64/29\n" \
            "mark 5\nprinter put 10.77.19.4/30 192.168.5.80/30"
    assert driver.change(twice, "full").startswith(("error 3 ", "error 5 "))
    assert listing(gateway) == before
    assert driver.change(f"grant del {PHONE} {PRINTER} 0") == "ok"


def test_table_taken_away(gateway, driver):
    assert driver.change(MAIN, "full") == "ok"
    gateway.sh("nft", "flush", "ruleset")
    assert driver.change(f"grant put {PHONE} {PRINTER} 0").startswith("error ")
    assert driver.change(f"grant del {PHONE} {PRINTER} 0") == "ok"  # it is not there: well
    assert driver.change(MAIN, "full") == "ok"


def test_ten_thousand(gateway, driver):
    assert driver.change(MAIN + "grants 10000 10.77.21.0 10.77.16.2", "full") == "ok"
    assert len(elements(gateway, "grants")) == 10001
    assert driver.change("grant del 10.77.22.0 10.77.16.2 0") == "ok"
    left = elements(gateway, "grants")
    assert len(left) == 10000 and pair("10.77.22.0", PRINTER) not in left
    # Replaced while they are there, and a bad one among many more is still found.
    assert driver.change("grants 10000 10.77.21.0 10.77.16.2", "full") == "ok"
    assert len(elements(gateway, "grants")) == 10000
    assert driver.change("mark 76\nprinter put 10.77.19.0/29 192.168.5.64/29\nmark 0\n"
                         "grants 20000 10.77.21.0 10.77.16.2\n"
                         "mark 77\nprinter put 10.77.19.4/30 192.168.5.80/30",
                         "full").startswith(("error 76 ", "error 77 "))
    assert len(elements(gateway, "grants")) == 10000
