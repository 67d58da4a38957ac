# SPDX-License-Identifier: GPL-2.0-or-later
"""What is added is committed first, what is taken away is applied first; a refusal changes nothing.

`crash` of a change is what the disk held when the kernel was asked to commit it.
"""

import base64

from core_lab import (DENY, DISABLE, ENABLE, END, ERR, GATEWAY_KEY, GRANT_DEL, GRANT_PUT, LOCK, PEER_DEL, PEER_PUT,
                 PEERS, PRINTER_DEL, PRINTER_PUT, PRINTER_REMOVE, PRINTERS, QR, REKEY, REVOKE,
                 SERVICE_DEL, SERVICE_PUT, SHOW, RESYNC, UNLOCK, WAITING, DISABLED, message, text)


def furnish(client):
    client.ok(*client.printer("voron"))
    client.ok(*client.printer("prusa", "192.168.1.10", ports=((6, 80, 80), (6, 8080, 8080))))
    return client.ok(*client.enroll("phone", ["voron"]))


def test_additions_are_committed_first(core):
    c = core.client()
    furnish(c)
    c.ok(*c.allow("phone", "prusa"))
    start, add, _, enroll, allow = core.gate.changes
    assert start["full"] and not start["kinds"]
    assert add["kinds"] == [PRINTER_PUT, SERVICE_PUT] and add["crash"]["printers"] == {"voron"}
    assert enroll["kinds"] == [GRANT_PUT, PEER_PUT]
    assert enroll["crash"]["peers"] == {"phone"}
    assert enroll["crash"]["grants"] == {("phone", "voron")}
    assert allow["kinds"] == [GRANT_PUT]
    assert ("phone", "prusa") in allow["crash"]["grants"]


def test_revocations_are_applied_first(core):
    c = core.client()
    furnish(c)
    c.ok(*c.enroll("tablet", every=True))
    del core.gate.changes[:]
    c.ok(*c.allow("phone", "voron", kind=DENY))
    c.ok(DISABLE, text("phone"))
    c.ok(REVOKE, text("phone"))
    c.ok(PRINTER_REMOVE, text("prusa"))
    deny, disable, revoke, remove = core.gate.changes
    assert deny["kinds"] == [GRANT_DEL] and ("phone", "voron") in deny["crash"]["grants"]
    assert disable["kinds"] == [PEER_DEL] and "phone" in disable["crash"]["peers"]
    assert revoke["kinds"] == [PEER_DEL]
    assert remove["kinds"] == [GRANT_DEL, SERVICE_DEL, SERVICE_DEL, PRINTER_DEL]
    assert "prusa" in remove["crash"]["printers"]
    assert list(core.gate.grants) == [("10.77.20.2", "10.77.16.2/32")]


def test_refused_additions_are_taken_back(core):
    c = core.client()
    furnish(c)
    kernel = (dict(core.gate.peers), dict(core.gate.grants), dict(core.gate.printers))
    for request in (c.enroll("tablet", ["prusa"]), c.allow("phone", "prusa"),
                    c.printer("third", "192.168.1.11"), (REKEY, text("phone") + bytes(33))):
        core.gate.refuse = [ERR["kernel"]]
        assert "refused by the test" in c.fails("kernel", *request)
        assert core.gate.changes[-1]["full"]
        assert (core.gate.peers, core.gate.grants, core.gate.printers) == kernel
    assert [p["name"] for p in c.ok(PEERS).peers] == ["phone"]
    assert c.ok(SHOW, text("phone")).grants == ["voron"]
    assert [p["name"] for p in c.ok(PRINTERS).printers] == ["voron", "prusa"]
    # the config of the keys that are valid again can still be shown
    key = c.ok(SHOW, text("phone")).peer["key"]
    shown = c.ok(QR, text("phone"))
    assert shown.peer["key"] == key and "PrivateKey" in shown.config[1]


def test_refused_enable_stays_disabled(core):
    c = core.client()
    furnish(c)
    c.ok(DISABLE, text("phone"))
    core.gate.refuse = [ERR["kernel"]]
    c.fails("kernel", ENABLE, text("phone"))
    assert c.ok(SHOW, text("phone")).peer["state"] == DISABLED and not core.gate.peers
    assert c.ok(ENABLE, text("phone")).peer["state"] == WAITING
    assert len(core.gate.peers) == 1 and len(core.gate.grants) == 1


def test_refused_revocations_are_not_acknowledged(core):
    c = core.client()
    furnish(c)
    for request in (c.allow("phone", "voron", kind=DENY), (DISABLE, text("phone")),
                    (REVOKE, text("phone")), (PRINTER_REMOVE, text("voron"))):
        core.gate.refuse = [ERR["kernel"]]
        c.fails("kernel", *request)
        assert core.gate.changes[-1]["full"]
    assert c.ok(SHOW, text("phone")).grants == ["voron"]
    assert len(core.gate.peers) == 1 and len(core.gate.grants) == 1


def test_a_refused_lock_is_one_all_the_same(core):
    """The kernel is asked once more; and then a restart asks it."""
    c = core.client()
    furnish(c)
    core.gate.refuse = [ERR["kernel"]]
    c.ok(LOCK, text("fire"))
    assert len(core.gate.peers) == 1 and not core.gate.grants
    c.ok(UNLOCK)
    assert core.gate.grants
    core.gate.refuse = [ERR["kernel"]] * 2
    c.send(LOCK, text("fire"))
    assert core.process.wait(10) == 1
    core.close()
    core.start()
    core.wait_ready()
    assert len(core.gate.peers) == 1 and not core.gate.grants


def test_nothing_left_to_go_by_ends_the_process(core):
    c = core.client()
    furnish(c)
    core.gate.refuse = [ERR["kernel"]] * 2
    c.send(*c.enroll("tablet"))
    assert core.process.wait(10) == 1
    core.close()
    assert "refused by the test" in core.stderr
    core.start()
    core.wait_ready()
    assert [p["name"] for p in core.client().ok(PEERS).peers] == ["phone"]


def test_restart_makes_the_kernel_equal(core):
    c = core.client()
    furnish(c)
    c.ok(*c.enroll("tablet", ["prusa"]))
    c.ok(*c.enroll("guest", ["prusa"], after=3600))
    c.ok(DISABLE, text("tablet"))
    had = (core.gate.peers, set(core.gate.grants), core.gate.printers, core.gate.services)
    core.restart()
    assert had == (core.gate.peers, set(core.gate.grants), core.gate.printers, core.gate.services)
    assert 3590 < core.gate.grants[("10.77.20.3", "10.77.16.3/32")] <= 3600


def test_resync_is_answered_with_everything(core):
    c = core.client()
    furnish(c)
    n = len(core.gate.changes)
    core.gate.peers, core.gate.grants = {}, {}
    core.line.send(message(RESYNC))
    assert c.ask(PEERS)[-1].kind == END
    while len(core.gate.changes) == n:
        c.ok(PEERS)
    assert core.gate.changes[-1]["full"] and len(core.gate.peers) == 1
    # and in the middle of an exchange as well
    core.gate.result, result = (lambda *a: (core.line.send(message(RESYNC)), result(*a))), \
        core.gate.result
    c.ok(*c.allow("phone", "prusa"))
    core.gate.result = result
    c.ok(PEERS)
    assert core.gate.changes[-1]["full"] and len(core.gate.grants) == 2


def test_rekey_replaces_the_key_in_one_change(core):
    c = core.client()
    old = furnish(c).peer["key"]
    new = c.ok(REKEY, text("phone") + bytes(33))
    assert core.gate.changes[-1]["kinds"] == [PEER_DEL, PEER_PUT]
    assert core.gate.changes[-1]["crash"]["keys"] == {new.peer["key"]}
    assert list(core.gate.peers) == [new.peer["key"]] != [old]
    assert base64.b64encode(GATEWAY_KEY).decode() in new.config[1]


