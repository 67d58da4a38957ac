# SPDX-License-Identifier: GPL-2.0-or-later
"""The sockets: who is heard, who is disconnected, who waits for whom."""

import os
import pathlib
import random
import socket
import struct
import tempfile

import pytest

from core_lab import (CONFIG, COUNTS, END, ENROLL, ERR, GATEWAY, PEERS, PRINTER_ADD, RESULT,
                 SHOW, STATUS, WEB_LOOK, Core, message, record, text)


def disconnected(client):
    try:
        return client.s.recv(8192) == b""
    except ConnectionResetError:
        return True


def test_end_of_file_ends_the_process(core):
    assert core.stop() == 0


def test_a_word_out_of_turn_ends_the_process(core):
    core.line.send(message(RESULT, struct.pack("<iI", 0, 0) + text("")))
    assert core.process.wait(10) == 1
    core.close()


def test_sigterm_is_a_clean_end(core):
    core.process.terminate()
    assert core.process.wait(10) == 0
    core.close()


@pytest.mark.parametrize("datagram", [
    b"x", b"", record(b"\x02\x00\x02\x00"), message(PEERS, b"left over"), message(999),
    message(PEERS) + message(PEERS), message(PEERS)[:-1], record(b""), message(PEERS) + b"\0",
    message(SHOW, text("a\nb")), message(SHOW, text("x" * 65)), message(SHOW),
    message(ENROLL, text("n") + b"\x02\x00"), random.Random(1).randbytes(8192), b"\0" * 20000,
    message(PRINTER_ADD, text("p") + b"\x03" + bytes(5) + text("") + b"\0"),
], ids=lambda datagram: datagram[:12].hex() or "nothing")
def test_what_cannot_be_understood_disconnects(core, datagram):
    bad, good = core.client(), core.client()
    bad.s.send(datagram)
    assert disconnected(bad)
    assert good.ok(PEERS)[-1].kind == END


def test_answers_are_no_requests(core):
    c = core.client()
    for kind, body in ((END, b""), (WEB_LOOK, b"\0\0")):
        c.fails("not_permitted", kind, body)


def test_web_may_only_look(core):
    web = core.web()
    web.fails("not_permitted", STATUS)
    web.fails("not_permitted", *web.enroll("phone"))
    assert not core.gate.peers
    got = web.ok(WEB_LOOK, b"\0\0")
    assert [m.kind for m in got] == [GATEWAY, COUNTS, END]


def test_web_view_of_a_phone(core):
    c, web = core.client(), core.web()
    c.ok(*c.printer("voron"))
    c.ok(*c.printer("prusa", "192.168.1.10"))
    address = c.ok(*c.enroll("phone", ["voron"])).peer["address"]
    got = web.ok(WEB_LOOK, b"\x01\x04" + socket.inet_aton(address) + b"\x01\x00\x00")
    assert got.peer["name"] == "phone" and got.grants == ["voron"]
    assert [(p["name"], p["address"]) for p in got.printers] == [("voron", "10.77.16.2/32")]
    got = web.ok(WEB_LOOK, b"\x01\x04" + socket.inet_aton("10.77.20.99") + b"\x01\x00\x00")
    assert not got.of(CONFIG) and [m.kind for m in got] == [GATEWAY, COUNTS, END]


def test_a_viewer_by_ipv6_is_that_peer(core):
    core.restart(tunnel6="fd77:1:2:3::/64")
    c, web = core.client(), core.web()
    got = c.ok(*c.enroll("phone"))
    assert got.peer["address6"] == "fd77:1:2:3::a4d:1401/128"

    def view(address):
        return web.ok(WEB_LOOK, b"\x01\x06" + socket.inet_pton(socket.AF_INET6, address) + b"\1\0\0")
    assert view("fd77:1:2:3::a4d:1401").peer["name"] == "phone"
    for stranger in ("fd77:1:2:3::a4d:1402", "fd77:1:2:4::a4d:1401", "fd77:1:2:3:0:1:a4d:1401",
                     "::ffff:10.77.20.1", "fd77:1:2:3::a4d:1001"):
        assert [m.kind for m in view(stranger)] == [GATEWAY, COUNTS, END], stranger


def test_fifty_at_once(core):
    clients = [core.client() for _ in range(50)]
    for i, c in enumerate(clients):
        c.send(*c.enroll(f"phone {i}"))
    addresses = {c.answer().peer["address"] for c in clients}
    assert len(addresses) == 50 and len(core.gate.peers) == 50


def test_more_than_there_is_room_for_wait(core):
    clients = [core.client() for _ in range(80)]
    clients[0].ok(PEERS)
    clients[79].send(PEERS)
    clients[79].s.settimeout(0.3)
    with pytest.raises(TimeoutError):
        clients[79].s.recv(8192)
    for c in clients[:40]:
        c.s.close()
    clients[79].s.settimeout(10)
    assert clients[79].answer()[-1].kind == END


def test_a_slow_reader_waits_alone(core):
    slow, quick = core.client(), core.client()
    for i in range(1500):
        assert quick.ok(*quick.enroll(f"phone {i}"))
    slow.send(STATUS)
    slow.send(STATUS)  # heard only after the first answer has been read
    for _ in range(5):
        quick.ok(SHOW, text("phone 7"))
    assert len(slow.answer().peers) == 1500
    assert len(slow.answer().peers) == 1500
    # one that leaves in the middle harms nobody
    slow.send(STATUS)
    slow.s.close()
    assert len(quick.ok(PEERS).peers) == 1500


def test_rights_passed_along_are_not_taken(core):
    c = core.client()
    with open("/dev/full") as f:
        socket.send_fds(c.s, [message(PEERS)], [f.fileno()])
    assert c.answer()[-1].kind == END
    folder = f"/proc/{core.process.pid}/fd"
    assert "/dev/full" not in [os.readlink(f"{folder}/{f}") for f in os.listdir(folder)]


def test_wrong_start_is_told(tmp_path):
    c = Core(str(tmp_path)).wait_ready()
    c.client().ok(*c.client().enroll("phone"))
    assert c.stop() == 0
    c.start(tunnel=("10.99.0.0", 20))
    assert c.process.wait(10) == 1
    c.close()
    assert "10.77.16.0/20" in c.stderr and "10.99.0.0/20" in c.stderr
    with open(tmp_path / "printgate.db", "r+b") as f:
        f.write(b"not a database at all")
    c.start()
    assert c.process.wait(10) == 1
    c.close()
    assert "printgate.db" in c.stderr


def test_a_refused_start_is_not_ready(tmp_path):
    c = Core(str(tmp_path), refuse=[ERR["kernel"]])
    assert c.process.wait(10) == 1
    assert not c.gate.ready.is_set()
    c.close()
    assert "refused by the test" in c.stderr


def test_nobody_shuts_out_another(core):
    """One user gets a part of the room, all users but root less than all of it."""
    os.chmod(core.path, 0o666)
    for folder in (core.folder, *map(str, pathlib.Path(core.folder).parents)):
        if folder.startswith(tempfile.gettempdir() + "/"):
            os.chmod(folder, 0o755)
    held, turned_away = [], 0
    for uid in (61701, 61702, 61703, 61704):
        os.seteuid(uid)
        try:
            mine = [core.client() for _ in range(20)]
        finally:
            os.seteuid(0)
        for c in mine:  # a request at once: the core answers, or has turned it away
            try:
                c.ok(STATUS)
                held.append(c)
            except (AssertionError, OSError):
                turned_away += 1
    assert (len(held), turned_away) == (48, 32)
    core.client().ok(STATUS)  # root
