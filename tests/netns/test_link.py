# SPDX-License-Identifier: GPL-2.0-or-later
"""Addresses, forwarding and policy routing in a real namespace. ip(8) is the witness."""

import json
import select
import subprocess

import pytest

from wg_lab import Namespace, fresh_name, run

TABLE = "20551"


@pytest.fixture(name="lab")
def _lab():
    ns = Namespace()
    try:
        ns.ip("link", "add", "lan", "type", "veth", "peer", "name", "host")
        for name in ("host", "lan"):
            ns.ip("link", "set", name, "addrgenmode", "none")  # no address that appears later
        ns.ip("link", "set", "host", "up")
        ns.ip("addr", "add", "192.168.1.2/24", "dev", "lan")
        ns.ip("link", "set", "lan", "up")
        ns.wg = fresh_name("l")
        ns.d = ns.driver(ns.wg)
        ns.d.do("attach")
        yield ns
        ns.d.end()
    finally:
        ns.close()


def addresses(lab):
    info = lab.json("addr", "show", lab.wg)[0]["addr_info"]
    return [f"{a['local']}/{a['prefixlen']}" for a in info]


def rules(lab, family):
    return [r for r in lab.json(family, "rule") if r.get("table") == TABLE]


def routes(lab, family="-4"):
    text = run("ip", "-n", lab.name, "-j", family, "route", "show", "table", TABLE, check=False)
    return sorted((r["type"], r["dst"]) for r in json.loads(text or "[]"))


def mark(lab, address):
    lab.ip("route", "add", address, "dev", "lan")
    lab.ip("route", "del", address)


def changes(lab, *commands):
    """What `ip monitor` sees while the driver runs the commands, between two marks of ours."""
    with subprocess.Popen(["ip", "-n", lab.name, "-o", "monitor", "route", "rule", "address"],
                          stdout=subprocess.PIPE, text=True) as monitor:
        while not select.select([monitor.stdout], [], [], 0.1)[0]:
            mark(lab, "203.0.113.1")  # once it is seen, it listens
        for command in commands:
            lab.d.do(*command)
        mark(lab, "203.0.113.2")
        seen = [monitor.stdout.readline()]
        while "203.0.113.2" not in seen[-1]:
            seen.append(monitor.stdout.readline())
            assert seen[-1], "ip monitor ended"
        monitor.terminate()
    return [line for line in seen if "203.0.113." not in line]


def test_address_is_the_only_one(lab):
    lab.ip("addr", "add", "10.9.9.9/24", "dev", lab.wg)
    lab.ip("addr", "add", "10.77.16.2/20", "dev", lab.wg)
    lab.ip("addr", "add", "2001:db8::1/64", "dev", lab.wg)
    lab.d.do("address", "10.77.16.1", 20)
    assert addresses(lab) == ["10.77.16.1/20"]
    lab.d.do("address", "10.77.16.1", 24)
    assert addresses(lab) == ["10.77.16.1/24"]
    lab.ip("addr", "add", "10.77.16.9/24", "dev", lab.wg)
    lab.d.do("address", "10.77.16.9", 24)  # was a secondary address of the one that goes
    assert addresses(lab) == ["10.77.16.9/24"]
    assert "192.168.1.2/24" in lab.ip("addr", "show", "lan")


def test_up_has_no_ipv6(lab):
    lab.d.do("address", "10.77.16.1", 20)
    lab.d.do("forward-on")
    assert lab.d.do("forward-get", lab.wg) == "on"
    lab.d.do("up")
    lab.d.do("up")
    assert "UP" in lab.json("link", "show", lab.wg)[0]["flags"]
    assert addresses(lab) == ["10.77.16.1/20"]


def test_up_with_ipv6_has_that_address_and_no_other(lab):
    six = ("fd77::a4d:1001", 116)
    want = ["10.77.16.1/20", "fd77::a4d:1001/116"]
    lab.d.do("address", "10.77.16.1", 20, *six)
    lab.d.do("forward-on")
    lab.d.do("up")
    assert addresses(lab) == want
    assert not changes(lab, ("address", "10.77.16.1", 20, *six), ("up",))
    lab.ip("addr", "add", "fd77::a4d:1009/116", "dev", lab.wg)
    lab.ip("addr", "del", want[1], "dev", lab.wg)
    lab.d.do("address", "10.77.16.1", 20, *six)
    assert addresses(lab) == want
    assert f"fd77::a4d:1000/116 dev {lab.wg}" in lab.ip("-6", "route")
    lab.d.do("address", "10.77.16.1", 20, "fd78::a4d:1001", 96)
    assert addresses(lab) == [want[0], "fd78::a4d:1001/96"]
    lab.d.do("address", "10.77.16.1", 20)
    assert addresses(lab) == want[:1]


def test_forwarding_is_per_interface(lab):
    sysctl = "/proc/sys/net/ipv4/conf/{}/forwarding"
    assert lab.d.do("forward-get", "lan") == "off"
    lab.d.do("forward-set", "lan", "on")
    assert lab.d.do("forward-get", "lan") == "on"
    assert lab.run("cat", sysctl.format("lan")).strip() == "1"
    for other in ("all", "lo", lab.wg):
        assert lab.run("cat", sysctl.format(other)).strip() == "0"
    lab.d.do("forward-set", "lan", "off")
    assert lab.d.do("forward-get", "lan") == "off"
    lab.d.do("forward-set", "absent", "on")
    assert lab.d.say("forward-get", "absent").startswith("error not_found: ")


def test_way(lab):
    lab.ip("route", "add", "192.168.50.0/24", "via", "192.168.1.1")
    lab.ip("route", "add", "unreachable", "192.168.60.0/24")
    lab.ip("route", "add", "blackhole", "192.168.61.0/24")
    assert lab.d.do("way", "192.168.1.7") == "lan onlink remote"
    assert lab.d.do("way", "192.168.50.7") == "lan routed remote"
    assert lab.d.do("way", "192.168.1.2").endswith("local")
    for nowhere in ("8.8.8.8", "192.168.60.1", "192.168.61.1", "192.168.1.255", "224.0.0.9"):
        answer = lab.d.say("way", nowhere)
        assert answer.startswith("error not_found: ") and nowhere in answer
    lab.ip("route", "add", "default", "via", "192.168.1.1")
    assert lab.d.do("way", "8.8.8.8") == "lan routed remote"


JUDGED = ("0", "0x8000000/0x8000000", "20551")
REST = ("0", "0/0x8000000", "unreachable")
LOCAL = ("0", None, "local")


def head(lab, family="-4"):
    """The rules of priority 0: (priority, mark, what)."""
    found = []
    for r in lab.json(family, "rule"):
        mark = f"{r['fwmark']}/{r['fwmask']}" if "fwmask" in r else None
        if r["priority"] == 0:
            assert r.get("iif", lab.wg) == lab.wg
            found.append(("0", mark and mark.replace("0x0/", "0/"), r.get("table") or r["action"]))
    return found


def test_barrier_is_made_once(lab):
    lab.d.do("barrier-up")
    for family in ("-4", "-6"):
        assert head(lab, family) == [JUDGED, REST, LOCAL]
        assert routes(lab, family) == [("unreachable", "default")]
    assert not changes(lab, ("barrier-up",), ("targets",))
    lab.d.do("barrier-down")
    lab.d.do("barrier-down")
    for family in ("-4", "-6"):
        assert head(lab, family) == [LOCAL]
        assert not rules(lab, family)
        assert not routes(lab, family)


@pytest.mark.parametrize("damage", [
    ["del iif {wg} fwmark 0x8000000/0x8000000 lookup 20551"],
    ["del iif {wg} unreachable"],
    ["del iif {wg} fwmark 0x8000000/0x8000000 lookup 20551",
     "add priority 0 iif {wg} fwmark 0x8000000/0x8000000 lookup 20551"],  # behind local now
    ["del iif {wg} unreachable", "add priority 0 iif {wg} fwmark 0/0x8000000 unreachable"],
    ["flush"],
])
def test_rules_out_of_order_are_set_again(lab, damage):
    lab.d.do("barrier-up")
    for line in damage:
        lab.ip("rule", *line.format(wg=lab.wg).split())
    lab.d.do("barrier-up")
    assert head(lab) == [JUDGED, REST, LOCAL]


def test_there_is_always_a_rule_for_local_addresses(lab):
    """While ours are put before it, this machine never forgets which addresses it has."""
    seen = changes(lab, ("barrier-up",))
    local = [line.startswith("Deleted") for line in seen if "lookup local" in line]
    assert local == [False, True] * 2, seen  # set again, then the old one removed; in both families


def test_what_stands_for_a_rule_of_the_kernel_bears_its_mark(lab):
    """When systemd-networkd starts it removes all rules without it; without `local` nothing comes in."""
    def kernels():
        lines = (lab.ip("-d", family, "rule") for family in ("-4", "-6"))
        return [line for text in lines for line in text.splitlines() if "proto kernel" in line]

    before = kernels()
    lab.d.do("barrier-up")
    assert sorted(kernels()) == sorted(before) and sum("lookup local" in line for line in before) == 2


def test_a_flush_takes_no_more_than_ours(lab):
    """`ip rule flush` spares rules of priority 0, ours among them; the kernel's own come back only
    where they were seen to be taken away."""
    lab.d.do("barrier-up")
    lab.ip("rule", "flush")
    assert head(lab) == [JUDGED, REST, LOCAL]
    assert lab.d.do("barrier-up") == ""
    assert not [r for r in lab.json("rule") if r.get("table") == "main"]
    assert lab.d.do("barrier-up", "mend") == "mended"
    assert [(r["priority"], r.get("table")) for r in lab.json("rule")][-2:] == [
        (32766, "main"), (32767, "default")]
    assert lab.d.do("barrier-up", "mend") == ""


def test_a_lan_interface_has_a_rule_behind_local(lab):
    def gated():
        return [(r["priority"], r["iif"], r["action"]) for r in lab.json("rule")
                if r["priority"] == 1]
    lab.d.do("barrier-up")
    for _ in range(2):
        lab.d.do("gated-put", "lan")
        lab.d.do("gated-put", "other")
    assert gated() == [(1, "lan", "blackhole"), (1, "other", "blackhole")]
    assert lab.d.do("gated") == "lan other"
    lab.d.do("barrier-up")
    assert head(lab) == [JUDGED, REST, LOCAL]
    for _ in range(2):
        lab.d.do("gated-del", "lan")
    assert gated() == [(1, "other", "blackhole")]
    assert not [r for r in lab.json("-6", "rule") if r["priority"] == 1]


def test_targets(lab):
    wall = ("unreachable", "default")
    lab.d.do("barrier-up")
    lab.d.do("targets", "192.168.1.5", "192.168.50.0/24", "192.168.1.5", "shut", "192.168.50.2")
    assert routes(lab) == [("prohibit", "192.168.50.2"), ("throw", "192.168.1.5"),
                           ("throw", "192.168.50.0/24"), wall]
    # Not ours at all, and a hole in the wall: both go; the wall that was torn down comes back.
    lab.ip("route", "add", "throw", "default", "metric", "5", "table", TABLE)
    lab.ip("route", "add", "192.168.70.0/24", "dev", "lan", "table", TABLE)
    lab.ip("-6", "route", "del", "unreachable", "default", "table", TABLE)
    want = ("targets", "192.168.1.6", "192.168.50.0/24", "192.168.1.6")
    lab.d.do(*want)
    assert routes(lab) == [("throw", "192.168.1.6"), ("throw", "192.168.50.0/24"), wall]
    assert routes(lab, "-6") == [wall]
    assert not changes(lab, want)
    lab.d.do(*want, "fd77::a4d:1001")
    assert routes(lab, "-6") == [("throw", "fd77::a4d:1001"), wall]
    assert not changes(lab, (*want, "fd77::a4d:1001"))
    lab.d.do("targets")
    assert routes(lab) == routes(lab, "-6") == [wall]


def test_other_tables_are_left_alone(lab):
    lab.ip("route", "add", "192.168.80.0/24", "dev", "lan", "table", "20552")
    lab.ip("rule", "add", "iif", "lan", "lookup", TABLE, "priority", "700")
    before = lab.ip("route", "show", "table", "main"), lab.ip("route", "show", "table", "20552")
    lab.d.do("barrier-up")
    lab.d.do("targets", "192.168.1.5")
    lab.d.do("barrier-down")
    after = lab.ip("route", "show", "table", "main"), lab.ip("route", "show", "table", "20552")
    assert after == before
    assert [r["priority"] for r in rules(lab, "-4")] == [700]


def test_packets_meet_the_barrier(lab):
    """The kernel's own answer for a packet that comes in by the tunnel."""
    lab.d.do("address", "10.77.16.1", 20)
    lab.d.do("forward-on")
    lab.d.do("up")
    lab.d.do("barrier-up")
    lab.d.do("targets", "10.77.16.1", "192.168.1.5", "192.168.7.0/24", "shut", "192.168.7.2")
    lab.ip("addr", "add", "192.168.7.2/24", "dev", "lan")
    lab.ip("route", "add", "default", "via", "192.168.1.1")

    def way(to, family="-4", source="10.77.20.1", mark=("mark", "0x8000000")):
        text = lab.ip(family, "route", "get", to, "from", source, "iif", lab.wg, *mark, check=False)
        return "local" if text.startswith("local") else "lan" if "dev lan" in text else "none"

    assert way("192.168.1.5") == way("192.168.7.9") == "lan"
    assert way("10.77.16.1") == "local"
    # neighbours, the internet, other phones; this machine under its other names
    for shut in ("192.168.1.6", "8.8.8.8", "10.77.20.2", "192.168.1.2", "192.168.7.2", "127.0.0.1"):
        assert way(shut) == "none", shut
    # what the table has not judged has no way at all
    for to in ("192.168.1.5", "10.77.16.1", "192.168.1.2", "8.8.8.8"):
        assert way(to, mark=()) == "none", to
    assert lab.ip("route", "get", "192.168.1.2").startswith("local")
    # the second family: nothing, and with its address that address
    lab.d.do("address", "10.77.16.1", 20, "fd77::a4d:1001", 116)
    lab.ip("addr", "add", "fd50::2/64", "dev", "lan", "nodad")
    lab.ip("route", "add", "2001:db8::/32", "via", "fd50::1")

    def six(to, mark=("mark", "0x8000000")):
        return way(to, "-6", "fd77::a4d:1401", mark)

    all_of_them = ("fd77::a4d:1001", "fd50::2", "fd50::5", "2001:db8::1", "fd77::a4d:1402", "::1")
    assert [six(to) for to in all_of_them] == ["none"] * 6
    lab.d.do("targets", "10.77.16.1", "fd77::a4d:1001")
    assert [six(to) for to in all_of_them] == ["local"] + ["none"] * 5
    assert six("fd77::a4d:1001", ()) == "none"
    lab.d.do("targets")
    assert way("192.168.1.5") == "none"


def test_another_name_and_its_own_again(lab):
    lab.d.do("address", "10.77.16.1", 20)
    lab.d.do("forward-on")
    assert lab.json("link", "show", lab.wg)[0]["group"] == TABLE
    lab.ip("link", "set", lab.wg, "name", "renamed")
    lab.d.do("reclaim")
    assert "renamed" not in lab.ip("link") and lab.wg in lab.ip("link")
    lab.d.do("reclaim")


def test_an_interface_of_before_is_set_down(lab):
    lab.d.do("up")
    lab.ip("link", "add", "older", "type", "veth", "peer", "name", "other")
    lab.ip("link", "set", "older", "alias", "printgate", "up")
    lab.ip("link", "set", "other", "up")
    lab.d.do("strays-down")
    assert "UP" not in lab.json("link", "show", "older")[0]["flags"]
    for name in ("other", lab.wg, "lan"):
        assert "UP" in lab.json("link", "show", name)[0]["flags"], name
