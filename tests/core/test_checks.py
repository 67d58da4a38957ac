# SPDX-License-Identifier: GPL-2.0-or-later
"""doctor: what core itself knows, and what it makes of printgated's findings."""

import os
import sqlite3
import time

from core_lab import DOCTOR, LOCK, UNLOCK, Core, text

OK, WARN, FAIL = range(3)
DOCKER, UFW = 0, 1
TO_PRINTER, FROM_PRINTER = 0, 1


def results(client):
    return {name: c["result"] for name, c in client.ok(DOCTOR).checks.items()}


def test_all_is_well(core):
    c = core.client()
    c.ok(*c.printer("voron"))
    assert results(c) == dict.fromkeys(("endpoint", "lock", "printers", "clock", "firewalls"), OK)
    assert all(check["fix"] == "" for check in c.ok(DOCTOR).checks.values())


def test_what_core_knows(tmp_path):
    core = Core(str(tmp_path), endpoint="").wait_ready()
    c = core.client()
    c.ok(LOCK, text("fire"))
    checks = c.ok(DOCTOR).checks
    assert {n: k["result"] for n, k in checks.items()} == {
        "endpoint": FAIL, "lock": FAIL, "printers": WARN, "clock": OK, "firewalls": OK}
    assert "`endpoint = HOST`" in checks["endpoint"]["message"]
    assert checks["lock"]["fix"] == "printgate unlock"
    assert checks["printers"]["fix"].startswith("printgate printer add ")
    c.ok(UNLOCK)
    assert results(c)["lock"] == OK
    assert core.stop() == 0


def test_a_clock_that_is_behind(core):
    c = core.client()
    c.ok(*c.printer("voron"))
    assert core.stop() == 0
    with sqlite3.connect(os.path.join(core.folder, "printgate.db")) as db:
        db.execute("UPDATE meta SET value = ? WHERE key = 'clock_mark'",
                   (str(int(time.time()) + 9000),))
    db.close()
    core.start()
    core.wait_ready()
    assert results(core.client())["clock"] == WARN


def test_findings_become_one_check_a_tool(core):
    c = core.client()
    core.gate.findings = [(DOCKER, TO_PRINTER, False), (UFW, TO_PRINTER, True),
                          (DOCKER, FROM_PRINTER, True), (UFW, FROM_PRINTER, True)]
    checks = c.ok(DOCTOR).checks
    assert "firewalls" not in checks
    assert checks["docker"]["result"] == FAIL and checks["ufw"]["result"] == OK
    assert checks["docker"]["fix"] == "iptables -I DOCKER-USER -i wg0 -j ACCEPT"


def test_firewalls_that_cannot_be_read_are_a_warning(core):
    core.gate.unreadable = True
    check = core.client().ok(DOCTOR).checks["firewalls"]
    assert check["result"] == WARN and "no such thing" in check["message"]
