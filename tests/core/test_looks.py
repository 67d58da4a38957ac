# SPDX-License-Identifier: GPL-2.0-or-later
"""The page's side of core: who is told what, logins and their limits, and where secrets are not."""

import contextlib
import ctypes
import os
import signal
import socket
import struct
import subprocess
import time

import pytest

from core_lab import (COUNTS, END, ERR, FINDINGS, GATEWAY, GRANT, LOCK, LOG, OWNER, PAGE, PAGE_INFO, PAGE_PASSWORD,
                      PAGE_SECRET, PAGE_TOKEN, PEER, PRINTER, SESSION, STATUS, WEB_LOGIN, WEB_LOGOUT, WEB_LOOK,
                      Core, Reader, endpoints, ip, text)

PASSWORD = "correct horse battery"
UNKNOWN, ANSWERS, SILENT = range(3)
OK, WARN, FAIL = range(3)


def look(web, viewers=(), owners=()):
    return web.ok(WEB_LOOK, endpoints(*((v, 0) for v in viewers))
                  + bytes([len(owners)]) + b"".join(owners))


def kinds(answer):
    return [m.kind for m in answer]


def login(password=PASSWORD, address="10.77.20.1"):
    return WEB_LOGIN, endpoints((address, 51234))[1:] + text(password)


def session_of(answer):
    m = answer.of(SESSION)[0]
    return Reader(m.data).bytes(16)


def owners_of(answer):
    found = {}
    for m in answer.of(OWNER):
        r = Reader(m.data)
        index = r.int(1)
        found[index] = {"token": bool(r.int(1)), "csrf": r.bytes(16), "ends": r.int(8)}
    return found


def printers_of(answer):
    """{name: (address, reach)}"""
    return {p["name"]: (p["address"], m.data[-1])
            for p, m in zip(answer.printers, answer.of(PRINTER))}


def page_of(answer):
    r = Reader(answer.of(PAGE_INFO)[0].data)
    lists = [[r.endpoint() for _ in range(r.int(1))] for _ in range(2)]
    return {"plain": lists[0], "tls": lists[1], "password": bool(r.int(1)), "token": bool(r.int(1)),
            "fingerprint": r.text()}


def events(client):
    return [m.event() for m in client.ok(LOG, text("") + struct.pack("<I", 100))[:-1]]


def with_password(core, password=PASSWORD):
    c = core.client()
    c.ok(PAGE_PASSWORD, text(password))
    return c


def await_true(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.002)
    return value


# ---- rights ------------------------------------------------------------------------------------

def test_the_control_socket_does_not_log_in(core):
    """Who may use it has every right already; but nothing that counts tries may be reached by another way."""
    c = with_password(core)
    for kind, body in ((WEB_LOOK, b"\0\0"), login(), (WEB_LOGOUT, bytes(32))):
        c.fails("not_permitted", kind, body)


def test_the_web_process_may_ask_nothing_else(core):
    web, c = core.web(), core.client()
    named = text("x")
    bodies = {1: b"", 2: b"", 3: named, 4: b"", 5: c.printer("x")[1], 6: named, 7: c.enroll("x")[1], 8: named,
              9: named + bytes(33), 10: named + text("y"), 11: c.allow("x", "y")[1],
              12: c.allow("x", "y")[1], 13: named, 14: named, 15: named,
              16: text("") + struct.pack("<I", 1), 17: text("fire"), 18: b"", 19: b"", 20: named, 21: b"",
              22: text(PASSWORD), 23: b"", 24: text("00") + text("") + struct.pack("<H", 60),
              25: c.printer("x")[1], 26: c.enroll("x")[1] + b"\0", 27: b"", 28: b"", 29: named}
    with open("common/control.h", encoding="utf-8") as f:
        requests = f.read().split("/* requests */")[1].split("/* items of answers */")[0]
    assert len(bodies) == requests.count("\tCTL_") - 3, "a request is missing here"
    for kind, body in bodies.items():
        web.fails("not_permitted", kind, body)
    assert events(c) == [] and not page_of(c.ok(PAGE))["password"]


# ---- who is told what --------------------------------------------------------------------------

def family(core):
    """Two phones, three printers; Ann reaches two of them."""
    c = core.client()
    for i, name in enumerate(("voron", "prusa", "hidden")):
        c.ok(*c.printer(name, f"192.168.1.{9 + i}"))
    ann = c.ok(*c.enroll("Ann", ["voron", "prusa"])).peer
    bob = c.ok(*c.enroll("Bob", ["prusa"])).peer
    return c, ann, bob


def test_a_stranger_is_told_numbers(core):
    family(core)
    for viewers in ((), ("10.77.20.99",), ("10.77.16.1", "192.168.1.9", "fd77::1")):
        got = look(core.web(), viewers, [bytes(16), os.urandom(16)])
        assert kinds(got) == [GATEWAY, COUNTS, END]
        for word in (b"Ann", b"Bob", b"voron", b"prusa", b"hidden"):
            assert not any(word in m.data for m in got)


def test_a_peer_is_told_its_own(core):
    _, ann, bob = family(core)
    got = look(core.web(), [bob["address"]])
    assert kinds(got) == [GATEWAY, COUNTS, PRINTER, PEER, GRANT, END]
    assert got.peer["name"] == "Bob" and got.grants == ["prusa"]
    assert printers_of(got)["prusa"][0] == "10.77.16.3/32"
    for word in (b"Ann", b"voron", b"hidden", bytes(ip("192.168.1.10"))):
        assert not any(word in m.data for m in got)


def test_peers_of_one_question_and_their_printers(core):
    core.restart(tunnel6="fd77:1:2:3::/64")
    c, ann, bob = family(core)
    got = look(core.web(), [ann["address"], "10.77.20.200", bob["address"],
                            bob["address6"].split("/")[0]])
    assert [p["name"] for p in got.peers] == ["Ann", "Bob"]  # Bob by either address, once
    assert kinds(got) == [GATEWAY, COUNTS, PRINTER, PRINTER, PEER, GRANT, GRANT, PEER, GRANT, END]
    assert {n: a for n, (a, _) in printers_of(got).items()} == {
        "voron": "10.77.16.2/32", "prusa": "10.77.16.3/32"}
    c.ok(*c.allow("Ann", "voron", kind=12))
    assert set(printers_of(look(core.web(), [ann["address"]]))) == {"prusa"}


def test_an_owner_is_told_everything(core):
    c, ann, _ = family(core)
    c.ok(LOCK, text("smells of smoke"))
    with_password(core)
    web = core.web()
    session = session_of(web.ok(*login()))
    got = look(web, [ann["address"]], [os.urandom(16), session])
    assert kinds(got) == [GATEWAY, COUNTS, OWNER, FINDINGS, *[PRINTER] * 3, PEER, GRANT, GRANT, PEER, GRANT, END]
    assert [p["name"] for p in got.peers] == ["Ann", "Bob"]
    assert printers_of(got)["hidden"][0] == "192.168.1.11/32"
    owner = owners_of(got)
    assert set(owner) == {1} and not owner[1]["token"]
    assert abs(owner[1]["ends"] - time.time() - 12 * 3600) < 60
    assert not any(b"smoke" in m.data for m in got)


def test_the_token_is_an_owner_until_there_is_another(core):
    c, web = core.client(), core.web()
    assert page_of(c.ok(PAGE)) == {
        "plain": [(socket.inet_aton("10.77.16.1"), 80), (socket.inet_aton("127.0.0.1"), 8080)], "tls": [],
        "password": False, "token": False, "fingerprint": ""}

    def new():
        got = c.ok(PAGE_TOKEN)
        assert kinds(got) == [PAGE_INFO, PAGE_SECRET, END] and page_of(got)["token"]
        return Reader(got.of(PAGE_SECRET)[0].data).bytes(16)

    first = new()
    assert owners_of(look(web, owners=[bytes(16), first])) == {
        1: {"token": True, "csrf": bytes(16), "ends": 0}}
    core.restart()
    c, web = core.client(), core.web()
    assert set(owners_of(look(web, owners=[first]))) == {0}
    second = new()
    assert set(owners_of(look(web, owners=[first, second]))) == {1}
    # no form and no login goes by it
    web.fails("not_found", WEB_LOGOUT, second + bytes(16))
    assert [e["action"] for e in events(c)] == ["token", "token"]


# ---- login -------------------------------------------------------------------------------------

def test_login_and_logout(core):
    web = core.web()
    assert "printgate page password" in web.fails("not_found", *login())
    c = with_password(core)
    c.ok(*c.enroll("Ann"))
    assert web.fails("denied", *login("correct horse batterx")) == "That is not the password."
    assert web.fails("denied", *login("", "192.168.1.7")) == "That is not the password."
    assert web.fails("denied", *login("x" * 128, "fd77::7")) == "That is not the password."
    one, two = session_of(web.ok(*login())), session_of(web.ok(*login()))
    csrf = owners_of(look(web, owners=[one]))[0]["csrf"]
    assert "form" in web.fails("denied", WEB_LOGOUT, two + csrf)
    web.fails("denied", WEB_LOGOUT, one + one)
    web.ok(WEB_LOGOUT, one + csrf)
    web.fails("not_found", WEB_LOGOUT, one + csrf)
    assert set(owners_of(look(web, owners=[one, two]))) == {1}
    assert [(e["actor"], e["action"], e["subject"], e["detail"]) for e in events(c)[:7]] == [
        ("page", "logout", "page", ""),
        ("page", "login", "page", "from 10.77.20.1 (Ann)"),
        ("page", "login", "page", "from 10.77.20.1 (Ann)"),
        ("page", "login_failed", "page", "from fd77::7"),
        ("page", "login_failed", "page", "from 192.168.1.7"),
        ("page", "login_failed", "page", "from 10.77.20.1 (Ann)"),
        ("root", "enroll", "Ann", events(c)[6]["detail"])]


def test_five_tries_a_minute(core):
    with_password(core)
    web = core.web()
    for _ in range(5):
        web.fails("denied", *login("wrong wrong"))
    assert web.fails("limit", *login()) == "Too many tries: wait a minute."  # the right one too
    session_of(web.ok(*login(address="10.77.20.2")))


def test_a_phone_s_tries_are_its_own_by_either_address(core):
    """In the tunnel all phones share one /64."""
    core.restart(tunnel6="fd77:1:2:3::/64")
    c, ann, bob = family(core)
    c.ok(PAGE_PASSWORD, text(PASSWORD))
    web, six = core.web(), [p["address6"].split("/")[0] for p in (ann, bob)]
    for _ in range(5):
        web.fails("denied", *login("wrong wrong", six[0]))
    web.fails("limit", *login(address=six[0]))
    web.fails("limit", *login(address=ann["address"]))
    session_of(web.ok(*login(address=six[1])))


def test_strangers_do_not_use_up_the_phones_tries(core):
    """In the LAN one machine takes as many addresses as it likes, and a local user all of 127/8."""
    with_password(core)
    web, got = core.web(), []
    for i in range(1, 6):
        got += [web.ask(*login("wrong wrong", f"127.0.0.{i}")).error[0] for _ in range(5)]
    assert got == 5 * [ERR["denied"]] + 20 * [ERR["limit"]]
    got = [web.ask(*login("wrong wrong", f"192.168.1.{i}")).error[0] for i in range(1, 40)]
    assert got == 15 * [ERR["denied"]] + 24 * [ERR["limit"]]
    session_of(web.ok(*login(address="10.77.20.2")))


def test_setting_the_password_ends_every_session(core):
    c, web = with_password(core), core.web()
    old = session_of(web.ok(*login()))
    assert owners_of(look(web, owners=[old]))
    assert page_of(c.ok(PAGE_PASSWORD, text("another password")))["password"]
    assert not owners_of(look(web, owners=[old]))
    web.fails("denied", *login())
    session_of(web.ok(*login("another password")))
    core.restart()
    assert session_of(core.web().ok(*login("another password")))


def test_logging_out_needs_no_room_on_the_disk(tmp_path):
    """Only the log does."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", tmp_path], check=True)
    core = Core(str(tmp_path)).wait_ready()
    try:
        with_password(core)
        web = core.web()
        session = session_of(web.ok(*login()))
        csrf = owners_of(look(web, owners=[session]))[0]["csrf"]
        with contextlib.suppress(OSError), open(tmp_path / "rest", "wb", 0) as f:
            while True:
                f.write(bytes(4096))
        web.ok(WEB_LOGOUT, session + csrf)
        assert not owners_of(look(web, owners=[session]))
    finally:
        core.stop()
        subprocess.run(["umount", tmp_path], check=True)
    assert "logout of the page: " in core.stderr


def test_sessions_end_with_core(core):
    with_password(core)
    old = session_of(core.web().ok(*login()))
    core.restart()
    assert not owners_of(look(core.web(), owners=[old]))


@pytest.mark.parametrize("password", ["", "seven77", "tab\tulator", "é" * 7, "x" * 8 + "\u202e"])
def test_what_is_no_password(core, password):
    c = core.client()
    if "\t" in password:  # not even a message
        c.send(PAGE_PASSWORD, text(password))
        assert c.s.recv(8192) == b""
    else:
        c.fails("usage", PAGE_PASSWORD, text(password))
    assert not page_of(core.client().ok(PAGE))["password"]


# ---- the copy that hashes ----------------------------------------------------------------------

def copies(core):
    """The pids of core's children."""
    with open(f"/proc/{core.process.pid}/task/{core.process.pid}/children") as f:
        return [int(p) for p in f.read().split()]


def limits(pid):
    with open(f"/proc/{pid}/limits") as f:
        return {line[:26].strip(): line[26:].split()[0] for line in f.readlines()[1:]}


def stopped_copy(core, ask):
    """Asks until a copy has been stopped at its work. That takes a while, so mostly it is the first."""
    for _ in range(10):
        ask()
        deadline = time.monotonic() + 1
        while time.monotonic() < deadline:
            for pid in copies(core):
                with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                    if limits(pid).get("Max file size") != "0":
                        continue  # not yet what it is to be
                    os.kill(pid, signal.SIGSTOP)
                    with open(f"/proc/{pid}/stat") as f:
                        if f.read().rsplit(")", 1)[1].split()[0] == "T":
                            return pid
    raise AssertionError("no copy was seen")


def test_one_at_a_time_and_nobody_waits_for_it(core):
    c = with_password(core)
    others = [core.client() for _ in range(4)]
    clients = iter([core.client() for _ in range(20)])
    asked = []

    def ask():
        asked.append(next(clients))
        asked[-1].send(PAGE_PASSWORD, text(PASSWORD))

    pid = stopped_copy(core, ask)
    web = core.web()
    web.send(*login())
    for other in others[:2]:
        other.send(PAGE_PASSWORD, text(PASSWORD))
    for _ in range(20):  # everybody else is served
        c.ok(STATUS)
        assert copies(core) == [pid]
    assert "moment" in others[2].fails("limit", PAGE_PASSWORD, text(PASSWORD))
    os.kill(pid, signal.SIGCONT)
    for waiting in (asked[-1], *others[:2]):
        assert waiting.answer().error is None
    # The password has been set anew while the login waited: it is another one now.
    assert web.answer().error[1] == "That is not the password."
    await_true(lambda: copies(core) == [])
    session_of(web.ok(*login()))


def test_a_copy_that_dies_is_no_yes(core):
    with_password(core)
    web, c = core.web(), core.client()

    def ask():
        with contextlib.suppress(BlockingIOError):
            web.s.setblocking(False)
            while web.s.recv(8192):
                pass
        web.s.settimeout(10)
        web.send(*login(address=f"10.77.21.{ask.n}"))
        ask.n += 1
    ask.n = 1
    pid = stopped_copy(core, ask)
    waiting = core.client()
    waiting.send(PAGE_PASSWORD, text(PASSWORD))
    c.ok(STATUS)
    os.kill(pid, signal.SIGKILL)
    assert "could not be looked at" in web.answer().error[1]
    assert waiting.answer().error is None  # and the next has its turn
    assert [e["action"] for e in events(c)][:1] == ["password"]


def test_the_copy_has_nothing(core):
    with_password(core)
    web = core.web()

    def ask():
        web.send(*login(address=f"10.77.21.{ask.n}"))
        ask.n += 1
    ask.n = 1
    pid = stopped_copy(core, ask)
    folder = f"/proc/{pid}/fd"
    found = {int(f): os.readlink(f"{folder}/{f}") for f in os.listdir(folder)}
    assert [found.pop(f) for f in range(3)] == ["/dev/null"] * 3
    assert list(found) == [3] and found[3].startswith("socket:")
    with open(f"/proc/{pid}/environ") as f:
        assert f.read() == ""
    with open(f"/proc/{pid}/cmdline") as f:
        assert f.read() == "printgate-core\0password\0"
    got = limits(pid)
    assert got["Max core file size"] == got["Max file size"] == got["Max processes"] == "0"
    os.kill(pid, signal.SIGKILL)


def peak(core):
    with open(f"/proc/{core.process.pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM"))


def test_a_copy_does_not_outlive_core(core):
    with_password(core)
    web = core.web()
    pid = stopped_copy(core, lambda: web.send(*login()))
    core.process.kill()
    core.process.wait(10)
    await_true(lambda: not os.path.exists(f"/proc/{pid}/fd") or not os.listdir(f"/proc/{pid}/fd"))
    core.close()


def test_core_stays_small(core):
    """The 19 MiB are the copy's."""
    core.client().ok(STATUS)
    core.web().ok(WEB_LOOK, b"\0\0")
    before = peak(core)
    with_password(core)
    session_of(core.web().ok(*login()))
    assert peak(core) - before < 4096


# ---- secrets -----------------------------------------------------------------------------------

def memory(pid):
    """All that the process could read and write."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            where, rights = line.split()[:2]
            if rights.startswith("rw"):
                start, end = (int(x, 16) for x in where.split("-"))
                mem.seek(start)
                with contextlib.suppress(OSError):
                    yield mem.read(end - start)


def test_secrets_stay_nowhere(core):
    c, web = with_password(core), core.web()
    token = Reader(c.ok(PAGE_TOKEN).of(PAGE_SECRET)[0].data).bytes(16)
    session = session_of(web.ok(*login()))
    csrf = owners_of(look(web, owners=[session, token]))[0]["csrf"]
    wrong = "a wrong password"
    web.fails("denied", *login(wrong))
    secrets = {"password": PASSWORD.encode(), "wrong": wrong.encode(), "token": token, "session": session,
               "form": csrf}
    known = b"".join(memory(core.process.pid))
    assert b"$argon2id$" in known or b"printgate.db" in known  # it is looked at
    assert [n for n, s in secrets.items() if s in known] == []
    said = repr(events(c)).encode()
    assert core.stop() == 0
    for name in os.listdir(core.folder):
        path = os.path.join(core.folder, name)
        if os.path.isfile(path):
            with open(path, "rb") as f:
                said += f.read()
    said += core.stderr.encode()
    assert b"$argon2id$v=19$m=19456,t=2,p=1$" in said
    for secret in secrets.values():
        assert secret not in said and secret.hex().encode() not in said


# ---- the doctor's line -------------------------------------------------------------------------

def findings_of(answer):
    r = Reader(answer.of(FINDINGS)[0].data)
    return r.int(1), r.int(2), r.int(2), r.text()


def test_findings_come_after_the_answer_and_once_a_minute(core):
    with_password(core)
    web, c = core.web(), core.client()
    session = session_of(web.ok(*login()))
    look(web)
    assert core.gate.checks == 0  # no owner has looked
    assert findings_of(look(web, owners=[session])) == (OK, 0, 0, "")
    worst, warnings, failures, said = await_true(
        lambda: (f := findings_of(look(web, owners=[session])))[0] and f)
    assert (worst, warnings, failures) == (WARN, 1, 0) and "no printer yet" in said
    c.ok(*c.printer("voron"))
    for _ in range(5):
        assert findings_of(look(web, owners=[session])) == (worst, warnings, failures, said)
    assert core.gate.checks == 1


# ---- does a printer answer? --------------------------------------------------------------------

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


@pytest.fixture
def lan(tmp_path):
    """A core in a network namespace of its own, in which 192.168.1.9 serves tcp/80, and what has no
    route cannot answer."""
    with subprocess.Popen(["unshare", "-n", "sleep", "600"]) as holder:
        try:
            mine = os.readlink("/proc/self/ns/net")
            await_true(lambda: os.readlink(f"/proc/{holder.pid}/ns/net") != mine)
            there = os.open(f"/proc/{holder.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            subprocess.run(["nsenter", "-t", str(holder.pid), "-n", "ip", "-batch", "-"], check=True, text=True,
                           input="link set lo up\naddress add 192.168.1.9/32 dev lo\n"
                                 "address add 10.77.16.1/32 dev lo\n")
            home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            libc.setns(there, CLONE_NEWNET)
            try:
                servers = [socket.create_server((a, 80)) for a in ("192.168.1.9", "10.77.16.1")]
            finally:
                libc.setns(home, CLONE_NEWNET)
            core = Core(str(tmp_path), netns=there).wait_ready()
            for s in servers:
                s.settimeout(5)
            yield core, servers
            assert core.stop() == 0, core.stderr
            for s in servers:
                s.close()
            os.close(there)
            os.close(home)
        finally:
            holder.kill()


def nobody_calls(server, seconds):
    server.settimeout(seconds)
    with pytest.raises(TimeoutError):
        server.accept()
    server.settimeout(5)


def test_printers_are_asked_only_when_looked_at(lan):
    core, (printer, gateway) = lan
    c, web = core.client(), core.web()
    c.ok(*c.printer("voron"))
    c.ok(*c.printer("off", "192.168.7.7"))
    c.ok(*c.printer("pi", "0.0.0.0", 0, 2))
    c.ok(*c.printer("farm", "192.168.9.0", 24, 1))
    c.ok(*c.printer("udp", "192.168.1.9", ports=((17, 80, 80),)))
    ann = c.ok(*c.enroll("Ann", ["voron", "farm"])).peer["address"]
    c.ok(STATUS)
    look(web)
    nobody_calls(printer, 0.3)
    # a peer looks: its own printers are asked
    assert printers_of(look(web, [ann]))["voron"][1] == UNKNOWN
    printer.accept()[0].close()
    await_true(lambda: printers_of(look(web, [ann]))["voron"][1] == ANSWERS)
    nobody_calls(gateway, 0.3)
    nobody_calls(printer, 0.3)  # not again within ten seconds, however often it is looked at
    with_password(core)
    session = session_of(web.ok(*login()))

    def reach():
        return {n: r for n, (_, r) in printers_of(look(web, owners=[session])).items()}

    wanted = {"voron": ANSWERS, "off": SILENT, "pi": ANSWERS, "farm": UNKNOWN, "udp": UNKNOWN}
    await_true(lambda: reach() == wanted)
    gateway.accept()[0].close()
    # nobody is told by other questions, and locked nobody is asked
    assert all(m.data[-1] == UNKNOWN for m in c.ok(STATUS).of(PRINTER))
    c.ok(LOCK, text(""))
    assert set(reach().values()) == {UNKNOWN}
