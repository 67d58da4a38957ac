# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever dies, the gate stays as it was: traffic flows for granted phones and is refused for the
rest; after a restart the kernel equals the store, and no phone notices."""

import base64
import os
import signal
import stat

import pytest

from gateway import PROGRAMS, TABLE, USERS
from node import await_that
from probes import AT_ONCE, ping, tcp_probe, udp_probe
from servers import download, fetch

ALL_OURS = ("printgated", "printgate-core", "printgate-web", "wireguard-go")


def gate_stands(house):
    phone = house.phone.node
    assert fetch(phone, house.vpn(house.alpha)) == "printer-a\n"
    for address, port in ((house.vpn(house.alpha), 22), (house.vpn(house.beta), 80),
                          (house.phone.gateway, 22)):
        answer = tcp_probe(phone, address, port)
        assert answer.kind == "refused" and answer.seconds < AT_ONCE, (address, port, answer)
    assert udp_probe(phone, house.vpn(house.beta), 5000).kind == "prohibited"


@pytest.mark.parametrize("program", ["printgated", "printgate-core", "printgate-web"])
def test_kill_9_leaves_the_gate_as_it_was_and_no_handshake_is_lost(new_house, program):
    house = new_house()
    gateway = house.gateway
    handshake, peers = house.phone.handshake(), gateway.wireguard_peers()
    elements = {name: gateway.elements(name) for name in ("grants", "services")}
    tunnel = house.gate.pids("wireguard-go")
    stream = download(house.phone.node, house.vpn(house.alpha))

    gateway.kill(program)
    gateway.await_end()
    gate_stands(house)
    stream.flows()

    house.gate.run("wg", "set", "wg0", "peer", base64.b64encode(os.urandom(32)).decode(),
                   "allowed-ips", "10.77.31.9/32")
    house.gate.nft(f"add element inet printgate grants "
                   f"{{ {house.phone.address} . {house.vpn(house.beta)} }}")
    gateway.start()
    gate_stands(house)
    stream.flows()
    assert gateway.wireguard_peers() == peers
    for name, before in elements.items():
        assert gateway.elements(name) == before
    assert house.phone.handshake() == handshake
    assert house.gate.pids("wireguard-go") == tunnel, "the tunnel was not kept"
    stream.close()
    assert gateway.json("list")["peers"][0]["state"] == "online"


def test_a_stop_and_start_is_no_interruption_either(new_house):
    house = new_house()
    handshake = house.phone.handshake()
    stream = download(house.phone.node, house.vpn(house.alpha))
    house.gateway.stop()
    gate_stands(house)
    house.gateway.start()
    stream.flows()
    stream.close()
    assert house.phone.handshake() == handshake
    gate_stands(house)


def test_what_was_revoked_stays_revoked_after_kill_9(new_house):
    house = new_house()
    house.gateway.json("deny", "phone", "alpha")
    house.gateway.kill("printgated")
    house.gateway.await_end()
    assert tcp_probe(house.phone.node, house.vpn(house.alpha), 80).kind == "refused"
    house.gateway.start()
    assert tcp_probe(house.phone.node, house.vpn(house.alpha), 80).kind == "refused"
    assert house.gateway.peer("phone")["printers"] == []


def test_wireguard_go_killed_comes_back_by_itself(new_house):
    house = new_house()
    if not house.gate.pids("wireguard-go"):
        assert house.gateway.json("status")["gateway"]["backend"] == "kernel"
        return
    peers = house.gateway.wireguard_peers()
    house.gateway.kill("wireguard-go")
    await_that(lambda: tcp_probe(house.phone.node, house.vpn(house.alpha), 80, 0.5).kind == "open",
               60, "the tunnel's return")
    gate_stands(house)
    assert house.gateway.wireguard_peers() == peers
    assert len(house.gate.pids("wireguard-go")) == 1


def test_a_foreign_flush_of_all_rules_is_repaired(new_house):
    house = new_house()
    before = house.gateway.ruleset()
    house.gate.run("nft", "flush", "ruleset")
    await_that(lambda: house.gate.run("nft", "list", "table", "inet", "printgate",
                                      check=False).stdout == before, 10, "the repair")
    gate_stands(house)


def test_no_process_is_root_and_only_two_may_touch_the_network(home):
    found = {}
    for pid, (program, _) in home.gate.processes().items():
        if program in ALL_OURS:
            with open(f"/proc/{pid}/status") as f:
                found[program] = dict(map(str.strip, line.split(":", 1)) for line in f)
    expected = {"printgated": ("net", 1 << 12), "printgate-core": ("core", 0),
                "printgate-web": ("web", 0)}
    if home.gateway.json("status")["gateway"]["backend"] == "userspace":
        expected["wireguard-go"] = ("net", 1 << 12)  # CAP_NET_ADMIN
    assert set(found) == set(expected)
    for program, (user, capabilities) in expected.items():
        status = found[program]
        assert set(status["Uid"].split()) == {str(USERS[user])}, program
        assert set(status["Gid"].split()) == {str(USERS[user])}, program
        assert status["Groups"].split() == [], program
        for key in ("CapEff", "CapPrm"):
            assert int(status[key], 16) == capabilities, (program, key)
        assert int(status["CapInh"], 16) | capabilities == capabilities
        if program != "wireguard-go":
            assert status["NoNewPrivs"] == "1" or program == "printgated", program


def test_files_are_closed_to_others(home):
    for path in ("state/core", "state/net"):
        full = os.path.join(home.gateway.folder, path)
        assert stat.S_IMODE(os.stat(full).st_mode) == 0o700
        for name in os.listdir(full):
            assert stat.S_IMODE(os.stat(os.path.join(full, name)).st_mode) & 0o077 == 0, name
    socket_mode = os.stat(os.path.join(home.gateway.runtime, "control.sock")).st_mode
    assert stat.S_IMODE(socket_mode) & 0o007 == 0


def test_down_leaves_nothing(new_house):
    house = new_house()
    node = house.gate
    house.gateway.stop()
    house.gateway.down()
    assert "wg0" not in node.interfaces()
    assert node.out("nft", "list", "ruleset") == ""
    assert TABLE not in node.ip("rule") + node.ip("-6 rule")
    assert node.run("ip", "route", "show", "table", TABLE, check=False).stdout == ""
    assert node.run("ip", "-6", "route", "show", "table", TABLE, check=False).stdout == ""
    assert not any(node.pids(p) for p in (*PROGRAMS, "wireguard-go"))
    forwarding = node.out("sh", "-c", "cat /proc/sys/net/ipv4/conf/*/forwarding").split()
    assert set(forwarding) == {"0"}
    sockets = f"/proc/{node.init}/root/run/wireguard"
    assert not os.path.exists(sockets) or os.listdir(sockets) == []
    assert tcp_probe(house.phone.node, house.vpn(house.alpha), 80, 0.5).kind == "timeout"
    assert ping(house.phone.node, house.phone.gateway, 0.5).kind == "timeout"
    house.gateway.down()  # nothing is there: no error

    house.gateway.start()
    await_that(lambda: tcp_probe(house.phone.node, house.vpn(house.alpha), 80, 0.5).kind == "open",
               60, "the phone's return")


def test_an_end_by_sigint_is_an_end_too(new_house):
    house = new_house(enrolled=False)
    house.gateway.stop(signal.SIGINT)
