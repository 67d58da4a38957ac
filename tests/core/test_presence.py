# SPDX-License-Identifier: GPL-2.0-or-later
"""Who comes and goes is noticed when printgated tells of a handshake, and without being asked."""

import time

import pytest

from core_lab import HANDSHAKE, QR, STATUS, Core, message, text
from test_requests import events

PEER_ONLINE_SECONDS = 180  # common/control.h


@pytest.fixture(name="core")
def _core(tmp_path):
    core = Core(str(tmp_path), events=True).wait_ready()
    yield core
    core.stop()


def told(core, client, key, age=0):
    """A handshake of that age in the kernel, and printgated telling of one."""
    core.gate.handshakes[key] = int(time.time()) - age
    core.line.send(message(HANDSHAKE))
    client.ok(STATUS)  # answered after it


def actions(client):
    return [(e["action"], e["subject"]) for e in events(client) if "connect" in e["action"]]


def await_actions(client, wanted, seconds=10):
    deadline = time.monotonic() + seconds
    while actions(client) != wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    assert actions(client) == wanted


def test_coming_and_going_is_logged(core):
    c = core.client()
    key = c.ok(*c.enroll("phone")).peer["key"]
    told(core, c, key)
    await_actions(c, [("connect", "phone")])
    # its last handshake grows old without any further word from printgated
    told(core, c, key, PEER_ONLINE_SECONDS - 2)
    await_actions(c, [("disconnect", "phone"), ("connect", "phone")])
    told(core, c, key)
    await_actions(c, [("connect", "phone"), ("disconnect", "phone"), ("connect", "phone")])


def test_a_new_handshake_of_one_online_is_no_arrival(core):
    c = core.client()
    key = c.ok(*c.enroll("phone")).peer["key"]
    told(core, c, key, 100)
    told(core, c, key)
    await_actions(c, [("connect", "phone")])


def test_a_restart_is_nobodys_arrival(core):
    c = core.client()
    key = c.ok(*c.enroll("phone")).peer["key"]
    told(core, c, key)
    await_actions(c, [("connect", "phone")])
    handshakes = core.gate.handshakes
    assert core.stop() == 0, core.stderr
    core.start(events=True, handshakes=handshakes)
    core.wait_ready()
    c = core.client()
    told(core, c, key)
    await_actions(c, [("connect", "phone")])


def test_a_first_handshake_ends_the_config(core):
    c = core.client()
    key = c.ok(*c.enroll("phone")).peer["key"]
    told(core, c, key)
    await_actions(c, [("connect", "phone")])
    assert "phone" in c.fails("no_config", QR, text("phone"))


def test_nobody_looks_while_nothing_happens(core):
    """With a sealed config in the store, and nobody online: no question to the kernel."""
    c = core.client()
    c.ok(*c.enroll("phone"))
    dumps, dump = [], core.gate.dump
    core.gate.dump = lambda: (dumps.append(1), dump())
    time.sleep(11)  # the watch of a kernel that cannot tell would have looked
    assert not dumps
