# SPDX-License-Identifier: GPL-2.0-or-later
"""What each request does and what it refuses, seen from the control socket."""

import base64
import contextlib
import os
import re
import sqlite3
import stat
import time

import pytest

from core_lab import (DENY, DISABLE, ENABLE, EXPIRED, GATEWAY_KEY, LOG, OFFLINE, ONLINE, PEERS, PRINTER,
                 PRINTERS, PRINTER_REMOVE, QR, REKEY, RENAME, RESYNC, REVOKE, SHOW, STATUS,
                 WAITING, Core, Reader, message, text)


def b64(raw):
    return base64.b64encode(raw).decode()


def events(c, peer="", limit=100):
    got = c.ok(LOG, text(peer) + limit.to_bytes(4, "little"))
    return [m.event() for m in got[:-1]]


def private_key(config):
    return base64.b64decode(re.search(r"^PrivateKey = (\S{44})$", config, re.M).group(1))


# ---- enroll ------------------------------------------------------------------------------------

def test_config_is_exactly_this(core):
    c = core.client()
    got = c.ok(*c.enroll("my phone"))
    name, config = got.config
    assert name == "my-phone"
    assert re.fullmatch(
        r"\[Interface\]\nPrivateKey = [A-Za-z0-9+/]{43}=\nAddress = 10\.77\.20\.1/32\n\n"
        r"\[Peer\]\nPublicKey = " + re.escape(b64(GATEWAY_KEY)) +
        r"\nPresharedKey = [A-Za-z0-9+/]{43}=\nAllowedIPs = 10\.77\.16\.0/22\n"
        r"Endpoint = home\.example:51820\n", config), config
    assert got.peer["state"] == WAITING and got.grants == []


def test_both_families(core):
    """Derived, not stored: whoever was enrolled before has an IPv6 address too, and none after."""
    c = core.client()
    c.ok(*c.enroll("old"))
    core.restart(tunnel6="fd77:1:2:3::/64")
    c = core.client()
    got = c.ok(*c.enroll("new"))
    assert "\nAddress = 10.77.20.2/32, fd77:1:2:3::a4d:1402/128\n" in got.config[1]
    assert "\nAllowedIPs = 10.77.16.0/22, fd77:1:2:3::a4d:1000/118\n" in got.config[1]
    assert [p["address6"] for p in c.ok(PEERS).peers] == [
        "fd77:1:2:3::a4d:1401/128", "fd77:1:2:3::a4d:1402/128"]
    for name, address, length, kind, vpn6 in (
            ("host", "192.168.1.9", 32, 0, None), ("octopi", "0.0.0.0", 0, 2,
                                                   "fd77:1:2:3::a4d:1003/128")):
        made = c.ok(*c.printer(name, address, length, kind)).printers[0]
        assert made["vpn6"] == vpn6, made
    core.restart(tunnel6="fd78::/64")
    core.restart()
    assert "was fd77:1:2:3::/64 and is fd78::/64 now" in core.stderr
    c = core.client()
    assert [p["address6"] for p in c.ok(PEERS).peers] == [None, None]
    assert "fd7" not in c.ok(QR, text("new")).config[1]


@pytest.mark.parametrize("prefix", ["fd77::/48", "2001:db8::/64", "fd77::a4d:1401/128"])
def test_a_tunnel6_that_cannot_be(core, prefix):
    core.stop()
    core.start(tunnel6=prefix)
    assert core.process.wait(5) == 1


def test_own_key(core):
    c = core.client()
    key = bytes(range(7, 39))
    got = c.ok(*c.enroll("laptop", key=key))
    assert got.peer["key"] == key and list(core.gate.peers) == [key]
    assert "PrivateKey" not in got.config[1] and "PresharedKey" in got.config[1]
    assert "never here" in c.fails("no_config", QR, text("laptop"))
    c.fails("conflict", REKEY, text("laptop") + bytes(33))
    other = bytes(range(9, 41))
    assert c.ok(REKEY, text("laptop") + b"\1" + other).peer["key"] == other
    assert list(core.gate.peers) == [other]


@pytest.mark.parametrize("code, key", [
    ("bad_key", bytes(32)), ("bad_key", b"\1" + bytes(31)), ("key_taken", GATEWAY_KEY),
    ("key_taken", bytes(range(7, 39))),
])
def test_keys_that_cannot_be(core, code, key):
    c = core.client()
    c.ok(*c.enroll("laptop", key=bytes(range(7, 39))))
    c.fails(code, *c.enroll("other", key=key))
    c.ok(*c.enroll("ours"))
    c.fails(code, REKEY, text("ours") + b"\1" + key)
    assert {p["name"] for p in c.ok(PEERS).peers} == {"laptop", "ours"}
    assert len(core.gate.peers) == 2


def test_nothing_half_done(core):
    c = core.client()
    c.ok(*c.printer("voron"))
    said = c.fails("not_found", *c.enroll("phone", ["voron", "vorn"]))
    assert '"vorn"' in said and "voron" in said
    c.fails("bad_time", *c.enroll("phone", at=1))
    c.fails("bad_time", *c.enroll("phone", at=int(time.time()) + 20 * 366 * 86400))
    c.ok(*c.enroll("Phone"))
    c.fails("name_taken", *c.enroll("pHONE"))
    assert [p["name"] for p in c.ok(PEERS).peers] == ["Phone"]
    assert len(core.gate.peers) == 1 and not core.gate.grants


def test_no_endpoint_is_told(tmp_path):
    core = Core(str(tmp_path), endpoint="").wait_ready()
    c = core.client()
    assert "`endpoint`" in c.fails("config", *c.enroll("phone"))
    assert c.ok(PEERS).peers == []
    assert core.stop() == 0


def test_many_printers_are_named_within_bounds(core):
    c = core.client()
    for i in range(30):
        c.ok(*c.printer("ü" * 28 + f" {i}", "192.168.1.9"))
    said = c.fails("not_found", *c.enroll("phone", ["é" * 32]))
    assert "there are" in said and said.endswith("…")


def test_addresses_come_back_late_and_end(tmp_path):
    core = Core(str(tmp_path), tunnel=("10.9.9.0", 28)).wait_ready()
    c = core.client()
    first = c.ok(*c.enroll("a")).peer["address"]
    c.ok(REVOKE, text("a"))
    assert c.ok(*c.enroll("b")).peer["address"] != first
    for i in range(10):
        c.ok(*c.enroll(f"c{i}"))
    assert first in [p["address"] for p in c.ok(PEERS).peers]
    c.fails("pool_full", *c.enroll("one too many"))
    assert len(core.gate.peers) == 11
    assert core.stop() == 0


# ---- qr, rekey ---------------------------------------------------------------------------------

def test_qr_until_the_first_handshake(core):
    c = core.client()
    first = c.ok(*c.enroll("phone"))
    assert c.ok(QR, text("phone")).config == first.config
    core.gate.handshakes[first.peer["key"]] = int(time.time()) - 5
    said = c.fails("no_config", QR, text("phone"))
    assert "rekey" in said
    assert c.ok(SHOW, text("phone")).peer["state"] == ONLINE
    core.gate.handshakes[first.peer["key"]] -= 300
    assert c.ok(SHOW, text("phone")).peer["state"] == OFFLINE
    again = c.ok(REKEY, text("phone") + bytes(33))
    assert again.peer["key"] != first.peer["key"] and again.peer["state"] == WAITING
    assert c.ok(QR, text("phone")).config == again.config


def test_qr_after_a_restart_makes_new_keys(core):
    c = core.client()
    first = c.ok(*c.enroll("phone"))
    core.restart()
    c = core.client()
    again = c.ok(QR, text("phone"))
    assert again.config != first.config and again.peer["address"] == first.peer["address"]
    assert list(core.gate.peers) == [again.peer["key"]]
    assert not os.path.exists(os.path.join(core.folder, "config.key"))


def test_private_keys_are_nowhere_on_disk(core):
    c = core.client()
    keys = [private_key(c.ok(*c.enroll(f"phone {i}")).config[1]) for i in range(20)]
    keys.append(private_key(c.ok(REKEY, text("phone 3") + bytes(33)).config[1]))
    found = b""
    for name in os.listdir(core.folder):
        if stat.S_ISREG(os.lstat(os.path.join(core.folder, name)).st_mode):
            with open(os.path.join(core.folder, name), "rb") as f:
                found += f.read()
    assert b"phone 3" in found
    for k in keys:
        assert k not in found and b64(k).encode() not in found and k.hex().encode() not in found


def test_kept_configs_survive(tmp_path):
    core = Core(str(tmp_path), keep=True).wait_ready()
    first = core.client().ok(*core.client().enroll("phone"))
    key = tmp_path / "config.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600 and key.stat().st_size == 32
    core.restart(keep=True)
    core.gate.handshakes[first.peer["key"]] = int(time.time())
    c = core.client()
    c.ok(SHOW, text("phone"))
    assert c.ok(QR, text("phone")).config == first.config
    core.restart(keep=False)
    assert not key.exists()
    core.gate.handshakes[first.peer["key"]] = int(time.time())
    core.client().fails("no_config", QR, text("phone"))
    assert core.stop() == 0


# ---- printers ----------------------------------------------------------------------------------

def test_printer_kinds(core):
    c = core.client()
    c.ok(*c.printer("octopi", "0.0.0.0", 0, kind=2))
    c.ok(*c.printer("farm", "192.168.50.0", 24, kind=1))
    c.ok(*c.printer("voron"))
    c.ok(*c.printer("voron camera", ports=((17, 3000, 3010),)))  # the same address once more
    got = {p["name"]: (p["address"], p["vpn"]) for p in c.ok(PRINTERS).printers}
    assert got == {
        "octopi": ("10.77.16.1/32", "10.77.16.2/32"),
        "farm": ("192.168.50.0/24", "10.77.19.0/24"),
        "voron": ("192.168.1.9/32", "10.77.16.3/32"),
        "voron camera": ("192.168.1.9/32", "10.77.16.4/32"),
    }
    assert core.gate.printers["10.77.16.2/32"] == "0.0.0.0/32"
    assert ("10.77.16.4/32", 17, 3000, 3010) in core.gate.services


@pytest.mark.parametrize("code, address, length, kind", [
    ("bad_address", "127.0.0.1", 32, 0), ("bad_address", "10.77.16.9", 32, 0),
    ("bad_address", "224.0.0.1", 32, 0), ("bad_address", "192.168.1.0", 24, 0),
    ("bad_address", "192.168.1.9", 32, 1), ("pool_full", "192.168.0.0", 21, 1),
])
def test_printers_that_cannot_be(core, code, address, length, kind):
    c = core.client()
    c.fails(code, *c.printer("p", address, length, kind))
    assert c.ok(PRINTERS).printers == [] and not core.gate.printers


def test_a_printer_needs_no_new_config(core):
    c = core.client()
    c.ok(*c.enroll("phone"))
    c.ok(*c.printer("voron"))
    c.fails("name_taken", *c.printer("VORON"))
    assert c.ok(*c.allow("phone", "voron")).grants == ["voron"]
    assert core.gate.grants == {("10.77.20.1", "10.77.16.2/32"): 0}
    assert c.ok(PRINTER_REMOVE, text("voron")).printers[0]["name"] == "voron"
    assert not core.gate.grants and not core.gate.services and not core.gate.printers
    c.fails("not_found", PRINTER_REMOVE, text("voron"))


# ---- grants and ends ---------------------------------------------------------------------------

def test_grants_with_an_end(core):
    c = core.client()
    c.ok(*c.printer("voron"))
    c.ok(*c.enroll("phone", after=7200))
    pair = ("10.77.20.1", "10.77.16.2/32")
    c.ok(*c.allow("phone", "voron", after=60))
    assert 58 <= core.gate.grants[pair] <= 60
    c.ok(*c.allow("phone", "voron"))  # no end of its own: the peer's
    assert 7190 <= core.gate.grants[pair] <= 7200
    c.fails("bad_time", *c.allow("phone", "voron", at=1000))
    c.fails("not_found", *c.allow("phone", "vorn"))
    c.fails("not_found", *c.allow("fone", "voron"))
    c.ok(*c.allow("phone", "voron", kind=DENY))
    n = len(core.gate.changes)
    assert c.ok(*c.allow("phone", "voron", kind=DENY)).grants == []
    assert len(core.gate.changes) == n and not core.gate.grants


def kept_mark(core):
    """The latest time that the store knows of, after a power cut; and core runs again."""
    core.process.kill()
    core.process.wait()
    with contextlib.closing(sqlite3.connect(f"file:{core.folder}/printgate.db?mode=ro", uri=True)) as db:
        mark = int(db.execute("SELECT value FROM meta WHERE key = 'clock_mark'").fetchone()[0])
    core.close()
    core.start()
    core.wait_ready()
    return mark


def test_that_a_grant_has_ended_is_known_after_a_power_cut(core):
    """Or a clock that starts anew at the last change would open it again."""
    c = core.client()
    c.ok(*c.printer("voron"))
    c.ok(*c.printer("prusa", "192.168.1.10"))
    c.ok(*c.enroll("phone", ["voron"]))
    c.ok(*c.allow("phone", "voron", after=1))
    c.ok(*c.allow("phone", "prusa", after=2))
    last = int(time.time()) + 2
    time.sleep(3.5)
    assert kept_mark(core) >= last
    core.client().ok(*c.allow("phone", "voron", after=2))  # also of one that a restart has found
    last = int(time.time()) + 2
    core.restart()
    time.sleep(3)
    assert kept_mark(core) >= last


def test_a_peer_ends_on_time(core):
    c = core.client()
    c.ok(*c.printer("voron"))
    key = c.ok(*c.enroll("guest", ["voron"], after=2)).peer["key"]
    c.ok(*c.enroll("friend", after=3600))
    assert key in core.gate.peers
    time.sleep(2.5)
    assert key not in core.gate.peers and len(core.gate.peers) == 1
    assert c.ok(SHOW, text("guest")).peer["state"] == EXPIRED
    assert events(c)[0]["action"] == "expire" and events(c)[0]["actor"] == "printgate"
    for request in ((ENABLE, text("guest")), c.allow("guest", "voron"), (QR, text("guest"))):
        assert c.ask(*request).error[0] == -22
    core.restart()
    assert key not in core.gate.peers


def test_an_end_is_not_lost_among_changes(core):
    """Each change sets the timer anew, also in the second in which an end is due."""
    c = core.client()
    c.ok(*c.enroll("phone"))
    c.ok(*c.enroll("friend", after=3600))
    for _ in range(2):
        key = c.ok(*c.enroll("guest", after=1)).peer["key"]
        stop = time.time() + 1.5
        while time.time() < stop:
            c.ok(RENAME, text("phone") + text("phone"))
        assert key not in core.gate.peers
        c.ok(REVOKE, text("guest"))


def test_a_clock_that_is_behind_opens_nothing(core):
    """The mark of time is in the future and the clock is not known to be right: what has an end is
    closed, what has none works."""
    c = core.client()
    c.ok(*c.printer("voron"))
    c.ok(*c.enroll("guest", ["voron"], after=3600))
    c.ok(*c.enroll("phone", ["voron"]))
    c.ok(*c.allow("phone", "voron"))
    assert core.stop() == 0
    db = sqlite3.connect(os.path.join(core.folder, "printgate.db"))
    db.execute("UPDATE meta SET value = ? WHERE key = 'clock_mark'", (str(int(time.time()) + 9000),))
    db.commit()
    db.close()
    core.start()
    core.wait_ready()
    assert list(core.gate.peers.values()) == ["10.77.20.2"]
    assert list(core.gate.grants) == [("10.77.20.2", "10.77.16.2/32")]
    assert core.client().ok(SHOW, text("guest")).peer["state"] == EXPIRED


# ---- the rest ----------------------------------------------------------------------------------

def test_rename_and_log(core):
    c = core.client()
    c.ok(*c.enroll("phone"))
    assert c.ok(RENAME, text("phone") + text("Ann's phone 📱")).peer["name"] == "Ann's phone 📱"
    c.ok(*c.enroll("tablet"))
    c.fails("name_taken", RENAME, text("tablet") + text("ann's PHONE 📱"))
    c.ok(DISABLE, text("tablet"))
    got = [(e["actor"], e["action"], e["subject"]) for e in events(c)]
    me = Reader(b"\0" * 4 + text(_user())).text()
    assert got == [(me, "disable", "tablet"), (me, "enroll", "tablet"),
                   (me, "rename", "Ann's phone 📱"), (me, "enroll", "phone")]
    assert len(events(c, limit=2)) == 2
    assert {e["subject"] for e in events(c, "tablet")} == {"tablet"}


def _user():
    import pwd
    return pwd.getpwuid(os.getuid()).pw_name


def test_status(core):
    c = core.client()
    c.ok(*c.printer("voron"))
    c.ok(*c.enroll("phone", ["voron"]))
    got = c.ok(STATUS)
    g = got[0]
    assert (g.text(), g.text(), g.bytes(32), g.int(2), g.text(), g.prefix(), g.int(1)) == \
        ("wg0", "kernel", GATEWAY_KEY, 51820, "home.example:51820", "10.77.16.0/20", 0)
    assert [m.kind for m in got][1] == PRINTER and got.grants == ["voron"]
    assert got.peer["rx"] == 7 and got.peer["tx"] == 9


def test_nothing_is_written_while_idle(core):
    c = core.client()
    c.ok(*c.enroll("phone"))
    c.ok(STATUS)

    def written():
        with open(f"/proc/{core.process.pid}/io") as f:
            return dict(line.split(": ") for line in f.read().splitlines())["write_bytes"]

    before = written()
    for _ in range(5):
        c.ok(STATUS)
        c.ok(SHOW, text("phone"))
        time.sleep(0.3)
    assert written() == before


def test_a_first_handshake_is_noticed_by_itself(core):
    """Within the ten seconds of the watch, and the sealed key is gone from the store then."""
    c = core.client()
    key = c.ok(*c.enroll("phone")).peer["key"]
    core.gate.handshakes[key] = int(time.time())
    # printgated asks for everything anew in the middle of the watch's own question
    dump, core.gate.dump = core.gate.dump, lambda: (core.line.send(message(RESYNC)), dump())
    changes = len(core.gate.changes)
    deadline = time.time() + 14
    while time.time() < deadline and not [e for e in events(c) if e["action"] == "connect"]:
        time.sleep(0.5)
    assert events(c)[0]["action"] == "connect" and events(c)[0]["subject"] == "phone"
    assert core.gate.changes[changes]["full"]
    assert core.stop() == 0
    db = sqlite3.connect(os.path.join(core.folder, "printgate.db"))
    assert db.execute("SELECT count(*) FROM sealed").fetchone() == (0,)
    db.close()
