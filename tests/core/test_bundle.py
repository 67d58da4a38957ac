# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole file in one transaction, seen from the control socket; and whose codes are shown."""

import hashlib
import struct

from core_lab import (END, ERR, GATEWAY, PROVISION_BEGIN, PROVISION_BEGUN, PROVISION_CODE, PROVISION_CODES,
                      PROVISION_COMMIT, PROVISION_DONE, PROVISION_PEER, PROVISION_PRINTER, QR, RENAME,
                      REVOKE, SHOW, STATUS, WEB_LOOK, message, text)

CONSOLE, BOOT = 1, 2


def file_hash(what):
    return hashlib.sha256(what.encode()).hexdigest()


def begin(what="a file", code="", minutes=60):
    return PROVISION_BEGIN, text(file_hash(what)) + text(code) + struct.pack("<H", minutes)


def printer(c, *args, **options):
    return PROVISION_PRINTER, c.printer(*args, **options)[1]


def peer(c, *args, show=CONSOLE, **options):
    return PROVISION_PEER, c.enroll(*args, **options)[1] + bytes([show])


def begun(answer):
    m, = answer.of(PROVISION_BEGUN)
    return bool(m.int(1))


def the_code(core):
    m, = core.client().ok(STATUS).of(GATEWAY)
    return m.data[-9:].decode()


def codes(core):
    out = {}
    for m in core.client().ok(PROVISION_CODES).of(PROVISION_CODE):
        name = m.text()
        out[name] = (m.int(1), m.int(2))
    return out


def store(core):
    """Peers, printers, grants, and whose code is shown."""
    got = core.client().ok(STATUS)
    return ([p["name"] for p in got.peers], [p["name"] for p in got.printers], got.grants, codes(core))


def tell_all(c, what="a file", **options):
    assert not begun(c.ok(*begin(what, **options)))
    c.ok(*printer(c, "voron"))
    c.ok(*printer(c, "prusa", "192.168.1.10"))
    c.ok(*peer(c, "phone", ["voron"]))
    c.ok(*peer(c, "tablet", every=True, show=BOOT))
    c.ok(*peer(c, "laptop", ["prusa"], key=bytes(range(32, 64)), show=0))


def test_all_of_it_in_one_change(core):
    c = core.client()
    n = len(core.gate.changes)
    tell_all(c)
    assert len(core.gate.changes) == n and not store(core)[0], "nothing before the end"
    got = c.ok(PROVISION_COMMIT)
    assert [p["name"] for p in got.peers] == ["phone", "tablet", "laptop"]
    assert [p["name"] for p in got.printers] == ["voron", "prusa"]
    assert len(core.gate.changes) == n + 1
    assert core.gate.changes[-1]["crash"]["peers"] == {"phone", "tablet", "laptop"}
    assert len(core.gate.peers) == 3 and len(core.gate.grants) == 4
    assert codes(core) == {"phone": (CONSOLE, 60), "tablet": (BOOT, 60)}
    c.fails("usage", PROVISION_COMMIT)


def test_nothing_of_it_where_one_part_is_bad(core):
    for bad in (lambda c: peer(c, "phone"), lambda c: peer(c, "watch", ["nowhere"]),
                lambda c: printer(c, "VORON", "192.168.1.11"), lambda c: printer(c, "x", "10.77.16.9"),
                lambda c: peer(c, "watch", at=1)):
        c = core.client()
        before, n = store(core), len(core.gate.changes)
        tell_all(c)
        c.ok(*bad(c))
        sentence = c.ask(PROVISION_COMMIT).error[1]
        assert sentence.startswith("[")
        assert store(core) == before and len(core.gate.changes) == n
    c = core.client()
    tell_all(c)  # neither what was told nor the file is kept from before
    c.ok(PROVISION_COMMIT)
    assert len(store(core)[0]) == 3


def test_what_the_kernel_refuses_is_taken_back(core):
    core.gate.refuse = [ERR["kernel"]]
    c = core.client()
    tell_all(c)
    c.fails("kernel", PROVISION_COMMIT)
    assert store(core) == ([], [], [], {}) and not core.gate.peers
    tell_all(c)  # and the file is not taken for one that was applied
    c.ok(PROVISION_COMMIT)
    assert len(core.gate.peers) == 3


def test_the_same_file_is_applied_once_also_after_a_restart(core):
    c = core.client()
    tell_all(c)
    c.ok(PROVISION_COMMIT)
    assert begun(c.ok(*begin()))
    c.fails("usage", PROVISION_COMMIT)
    core.restart()
    assert begun(core.client().ok(*begin()))


def test_a_gateway_with_peers_wants_its_code_and_it_is_good_once(core):
    c = core.client()
    c.ok(*c.enroll("mine"))
    code = the_code(core)
    core.restart()
    assert the_code(core) == code
    c = core.client()
    assert "status" in c.fails("conflict", *begin())
    c.fails("conflict", *begin(code="AAAA-AAAA"))
    c.fails("conflict", *begin(code=code[:-1]))
    tell_all(c, code=code)
    c.ok(PROVISION_COMMIT)
    assert the_code(core) != code
    c.fails("conflict", *begin("another", code=code))


def test_a_peer_that_comes_in_between_is_seen(core):
    c = core.client()
    tell_all(c)
    other = core.client()
    other.ok(*other.enroll("mine"))
    c.fails("conflict", PROVISION_COMMIT)
    assert store(core)[0] == ["mine"]


def test_what_was_told_is_its_tellers(core):
    """Another client can neither add to it nor commit it, and it goes with its connection."""
    c, other = core.client(), core.client()
    tell_all(c)
    other.fails("usage", *peer(other, "intruder"))
    other.fails("usage", PROVISION_COMMIT)
    assert "just now" in other.fails("conflict", *begin("another"))
    c.s.close()
    other.ok(STATUS)
    other.ok(*begin("another"))
    other.ok(PROVISION_COMMIT)
    assert store(core)[0] == []


def test_it_is_bounded(core):
    c = core.client()
    c.ok(*begin())
    for number in range(64):
        c.ok(*printer(c, f"printer {number}", f"192.168.2.{number + 1}"))
        c.ok(*peer(c, f"peer {number}", every=True))
    c.fails("limit", *printer(c, "one more"))
    c.fails("limit", *peer(c, "one more"))
    c.ok(PROVISION_COMMIT)
    assert len(core.gate.grants) == 64 * 64


def test_a_code_is_done_when_the_phone_has_come(core):
    c = core.client()
    tell_all(c)
    c.ok(PROVISION_COMMIT)
    key = c.ok(SHOW, text("phone")).peer["key"]
    core.gate.handshakes[key] = 1700000000
    assert set(codes(core)) == {"tablet"}
    c.ok(PROVISION_DONE, text("phone"))
    assert c.ok(SHOW, text("phone")).peer["key"] == key, "a phone that has come is not cut off"


def test_a_code_whose_time_is_over_is_worth_nothing(core):
    c = core.client()
    tell_all(c)
    c.ok(PROVISION_COMMIT)
    shown = c.ok(QR, text("tablet")).config
    before = c.ok(SHOW, text("tablet")).peer
    c.ok(PROVISION_DONE, text("tablet"))
    after = c.ok(SHOW, text("tablet")).peer
    assert after["key"] != before["key"] and after["address"] == before["address"]
    assert before["key"] not in core.gate.peers and after["key"] in core.gate.peers
    assert set(codes(core)) == {"phone"}
    assert c.ok(QR, text("tablet")).config != shown
    kept = c.ok(SHOW, text("laptop")).peer["key"]
    c.ok(PROVISION_DONE, text("laptop"))  # nothing was to be shown of it
    assert c.ok(SHOW, text("laptop")).peer["key"] == kept


def test_codes_are_known_after_a_restart_and_forgotten_with_the_peer(core):
    c = core.client()
    tell_all(c)
    c.ok(PROVISION_COMMIT)
    core.restart()
    assert codes(core) == {"phone": (CONSOLE, 60), "tablet": (BOOT, 60)}
    c = core.client()
    c.ok(RENAME, text("phone") + text("Ann"))
    c.ok(REVOKE, text("tablet"))
    assert codes(core) == {"Ann": (CONSOLE, 60)}


def test_the_page_is_not_told_the_code(core):
    """And may not ask for any of this."""
    web = core.web()
    for kind in (PROVISION_BEGIN, PROVISION_CODES, PROVISION_COMMIT):
        body = begin()[1] if kind == PROVISION_BEGIN else b""
        assert web.ask(kind, body).error[0] == ERR["not_permitted"]
    web.s.send(message(WEB_LOOK, bytes([0, 0])))
    answer = web.answer()
    assert answer[-1].kind == END
    gateway, = answer.of(GATEWAY)
    assert gateway.data[-2:] == b"\0\0" and the_code(core).encode() not in gateway.data
