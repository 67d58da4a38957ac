# SPDX-License-Identifier: GPL-2.0-or-later
"""The panic switch: one word closes every printer to every phone, and holds whatever happens."""

import time

import pytest

from node import SLOW, await_that
from probes import AT_ONCE, ping, tcp_probe, udp_probe
from servers import download, fetch, view

CAMERA = 7000


def elements(house):
    return {name: house.gateway.elements(name) for name in ("grants", "services", "targets")}


def shut(house):
    """Nothing but the gateway's page and ping."""
    phone, alpha = house.phone.node, house.vpn(house.alpha)
    assert tcp_probe(phone, alpha, 80).kind == "refused"
    assert udp_probe(phone, alpha, 5000).kind == "prohibited"
    assert ping(phone, alpha).kind == "prohibited"
    assert ping(phone, house.phone.gateway).kind == "open"
    await_that(lambda: "locked" in fetch(phone, house.phone.gateway), what="the page to say so")
    assert house.gateway.elements("grants") == []


def open_again(house):
    await_that(lambda: tcp_probe(house.phone.node, house.vpn(house.alpha), 80, 1).kind == "open",
               what="the printer")
    await_that(lambda: "locked" not in fetch(house.phone.node, house.phone.gateway),
               what="the page to say that it is open")


def events(house, action):
    return [e for e in house.gateway.json("log")["events"] if e["action"] == action]


def test_lock_cuts_what_runs_and_unlock_restores_it_exactly(home):
    before = elements(home)
    stream = download(home.phone.node, home.vpn(home.alpha))
    camera = view(home.phone.node, home.vpn(home.alpha), CAMERA)
    began = time.monotonic()
    assert home.gateway.json("lock", "--reason", "smoke in the kitchen") == {"locked": True}
    await_that(lambda: time.monotonic() - max(stream.last, camera.last) > 0.5 * SLOW,
               what="the end of both streams")
    assert max(stream.last, camera.last) - began < AT_ONCE
    shut(home)
    gateway = home.gateway.json("status")["gateway"]
    assert (gateway["locked"], gateway["lock_reason"]) == (True, "smoke in the kitchen")
    assert "smoke in the kitchen" in home.gateway.run("status").stdout
    assert "smoke" not in fetch(home.phone.node, home.phone.gateway)
    assert home.gateway.json("lock", "--reason", "smoke in the kitchen") == {"locked": True}
    assert home.gateway.json("unlock") == {"locked": False}
    open_again(home)
    assert elements(home) == before
    locked, = events(home, "lock")
    unlocked, = events(home, "unlock")
    assert locked["actor"] == unlocked["actor"] == "root"
    assert "smoke in the kitchen" in locked["detail"]
    assert home.gateway.json("unlock") == {"locked": False}
    assert len(events(home, "unlock")) == 1, "an open gateway cannot be unlocked"
    for reader in (stream, camera):
        reader.close()


def test_it_holds_when_everything_is_killed_and_when_the_machine_starts_anew(home):
    home.gateway.run("lock")
    home.gateway.kill("printgated")
    home.gateway.await_end()
    assert tcp_probe(home.phone.node, home.vpn(home.alpha), 80).kind == "refused"
    home.gateway.start()
    shut(home)
    # as after a power cut: nothing of it is in the kernel any more
    home.gateway.stop()
    home.gateway.down()
    home.gateway.start()
    await_that(lambda: ping(home.phone.node, home.phone.gateway, 1).kind == "open", 60,
               "the phone's return")
    shut(home)
    home.gateway.node.run("nft", "flush", "ruleset")
    await_that(lambda: "chain from_tunnel" in home.gateway.node.net(
        "nft", "list", "ruleset").stdout, what="the repair")
    shut(home)
    home.gateway.run("unlock")
    open_again(home)


def test_what_is_granted_while_it_is_locked_opens_with_it(home):
    home.gateway.run("lock")
    home.gateway.json("allow", "phone", "beta")
    assert tcp_probe(home.phone.node, home.vpn(home.beta), 80).kind == "refused"
    home.enter(home.phone2, "late", "--printer", "beta")
    assert tcp_probe(home.phone2.node, home.vpn(home.beta), 80).kind == "refused"
    assert home.gateway.elements("grants") == []
    home.gateway.json("deny", "phone", "alpha")
    home.gateway.run("unlock")
    await_that(lambda: tcp_probe(home.phone2.node, home.vpn(home.beta), 80, 1).kind == "open",
               what="the second phone's printer")
    assert tcp_probe(home.phone.node, home.vpn(home.beta), 80).kind == "open"
    assert tcp_probe(home.phone.node, home.vpn(home.alpha), 80).kind == "refused"
    home.gateway.json("allow", "phone", "alpha")
    open_again(home)


def on_a_small_disk(house):
    """Its state lies on one of its own from now on."""
    gateway, kept = house.gateway, "/run/kept"
    gateway.stop()
    house.gate.run("cp", "-a", gateway.state, kept)
    house.gate.run("mount", "-t", "tmpfs", "-o", "size=1m,mode=711", "small", gateway.state)
    house.gate.run("cp", "-a", f"{kept}/.", gateway.state)
    gateway.start()
    await_that(lambda: tcp_probe(house.phone.node, house.vpn(house.alpha), 80, 1).kind == "open",
               what="the printer")


def test_a_full_disk_opens_nothing(new_house):
    home = new_house()
    home.gateway.run("enroll", "guest", "--expires", f"{int(8 * SLOW)}s", "--no-qr")
    on_a_small_disk(home)
    core = home.gate.pids("printgate-core")
    filler = f"{home.gateway.state}/filler"
    home.gate.run("dd", "if=/dev/zero", f"of={filler}", "bs=1k", check=False)
    for _ in range(2):  # what is not written down is not known the second time, either
        status, code, sentence = home.gateway.fails("lock", "--reason", "x" * 200)
        assert (status, code) == (1, "store") and "closed" in sentence and "make room" in sentence
        shut(home)
        assert home.gateway.json("status")["gateway"]["locked"] is True
    assert home.gateway.fails("unlock")[1] == "store"
    shut(home)
    await_that(lambda: len(home.gateway.wireguard_peers()) == 1, 30, "the guest's end")
    assert home.gateway.json("status")["gateway"]["locked"] and home.gate.pids("printgate-core") == core
    home.gate.run("rm", filler)
    home.gateway.run("lock")
    home.gateway.kill_all()
    home.gateway.start()
    shut(home)
    home.gateway.run("unlock")
    open_again(home)


@pytest.mark.parametrize("reason", ["two\nlines", "\x1b[31m", "x" * 256, "\u202e"])
def test_a_bad_reason_is_a_sentence_and_changes_nothing(home, reason):
    status, code, sentence = home.gateway.fails("lock", "--reason", reason)
    assert (status, code) == (2, "usage") and "reason" in sentence
    assert home.gateway.json("status")["gateway"]["locked"] is False
    assert tcp_probe(home.phone.node, home.vpn(home.alpha), 80).kind == "open"
