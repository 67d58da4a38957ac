# SPDX-License-Identifier: GPL-2.0-or-later
"""What happens is noticed when it happens: a phone that connects, and others' changes to the kernel
state that is ours. Nobody asks printgate for anything meanwhile but the log, which does not look."""

import pytest

from node import await_that

WITHIN = 3  # seconds; the handshake itself takes some of it


def connects(house):
    return [e["subject"] for e in house.gateway.json("log")["events"] if e["action"] == "connect"]


def test_a_phone_that_connects_is_in_the_log(new_house):
    house = new_house()
    await_that(lambda: connects(house) == ["phone"], WITHIN, "the phone's arrival in the log")
    status, code, sentence = house.gateway.fails("qr", "phone")
    assert (status, code) == (1, "no_config") and "rekey" in sentence


REPAIRS = {
    "table deleted": ("nft", "delete", "table", "inet", "printgate"),
    "ruleset flushed": ("nft", "flush", "ruleset"),
    "chain flushed": ("nft", "flush", "chain", "inet", "printgate", "from_tunnel"),
    "rule deleted": ("ip", "rule", "del", "priority", "0", "iif", "wg0", "unreachable"),
    "rules flushed": ("ip", "rule", "flush"),
    "interface renamed": ("sh", "-c", "printf 'link set wg0 down\nlink set wg0 name other\n' | ip -batch -"),
    "group changed": ("ip", "link", "set", "wg0", "group", "7"),
    "routes flushed": ("ip", "route", "flush", "table", "20551"),
    "address removed": ("ip", "addr", "flush", "dev", "wg0"),
    "interface down": ("ip", "link", "set", "wg0", "down"),
    "interface deleted": ("ip", "link", "del", "wg0"),
}


def snapshot(house):
    """All that is ours in the kernel, without what differs from run to run."""
    node = house.gateway.node
    address = node.out("ip", "-br", "addr", "show", "wg0").split()[2:]
    return (house.gateway.ruleset(), node.out("ip", "rule"), node.out("ip", "-6", "rule"),
            node.out("ip", "route", "show", "table", "20551"), address,
            "group 20551" in node.out("ip", "link", "show", "wg0"),
            "UP" in node.out("ip", "link", "show", "wg0").split(">")[0],
            house.gateway.wireguard_peers())


@pytest.mark.parametrize("what", REPAIRS)
def test_what_others_undo_is_made_again(home, what):
    before = snapshot(home)
    home.gateway.node.run(*REPAIRS[what])

    def repaired():
        try:
            return snapshot(home) == before
        except (AssertionError, IndexError):
            return False
    await_that(repaired, 10, f"repair after: {what}")
    assert "making it as it should be" in home.gateway.log_text() or \
        "starting it again" in home.gateway.log_text()
