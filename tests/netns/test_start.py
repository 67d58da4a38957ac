# SPDX-License-Identifier: GPL-2.0-or-later
"""The order in which a start touches the kernel, read off the system calls of printgated: whatever is
shut is acknowledged before anything is opened."""

import os
import re

import house

# One thread does all of it, one call after the other: the order of the calls is the order of effects.
TRACE = ["strace", "-qq", "-yy", "-s", "65536", "-e",
         "trace=sendto,sendmsg,recvmsg,recvfrom,ioctl,write", "-o"]

# What a call means, by what strace makes of it; the first that fits. The kernel's WireGuard is spoken to
# by generic netlink, which strace does not take apart; wireguard-go by text.
LAN_RULE = "what is for the LAN's forwarding alone"
MEANINGS = [
    ("table", r"^send.*NFT_MSG_NEWRULE"),
    (LAN_RULE, r"^send.*RTM_NEWRULE.*FR_ACT_BLACKHOLE"),
    ("barrier", r"^send.*RTM_(NEW|DEL)(RULE|ROUTE)"),
    ("peers", r"^(send|write).*(public_key=|NETLINK:\[GENERIC.*NLM_F_ACK)"),
    ("forwarding", r"^send.*RTM_(NEW|SET)LINK.*IFLA_AF_SPEC"),
    ("up", r"^send.*RTM_(NEW|SET)LINK.*ifi_flags=[A-Z_|]*IFF_UP"),
]


def meanings(path):
    """In their order, repetitions once."""
    found = []
    with open(path, encoding="utf-8", errors="replace") as f:
        for line in f:
            meaning = next((m for m, p in MEANINGS if re.search(p, line)), None)
            if meaning == LAN_RULE:
                assert "up" not in found, found
            elif meaning and found[-1:] != [meaning]:
                found.append(meaning)
    # before the first table: which family number WireGuard has
    return found[found.index("table"):]


ORDER = ["table", "barrier", "peers", "forwarding", "up"]


def traced_start(home):
    trace = os.path.join(home.folder, "trace")
    home.gateway.start(prefix=[*TRACE, trace])
    found = meanings(trace)
    os.unlink(trace)
    home.gateway.stop()
    return found


def test_the_way_up_opens_nothing_before_it_is_judged(new_house):
    home = new_house()
    home.gateway.stop()
    home.gateway.down()
    assert traced_start(home) == ORDER
    for damage in ([], [("nft", "flush", "ruleset"), ("ip", "link", "del", "wg0")]):
        for command in damage:
            home.gateway.node.run(*command)
        found = traced_start(home)
        assert found[0] == "table" and [m for m in ORDER if m in found] == found, found
