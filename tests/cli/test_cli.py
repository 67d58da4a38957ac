# SPDX-License-Identifier: GPL-2.0-or-later
"""The contract of the command line: exit statuses, the shapes of --json, what people read."""

import itertools
import json
import os
import re
import signal
import socket
import struct
import stat
import subprocess
import time
import unicodedata

import pytest

from cli_lab import (END, ERRORS, PROGRAM, TYPES, cli, config, error, event, gateway, grant, item, peer,
                  printer, text)

CONFIG = "[Interface]\nPrivateKey = x\n"
VALID_KEY = "mB3vZc1p9sJ2kQxLw7Yt4uHnRf0dGaE8iVoKyT5XbU4="
LOW_ORDER = "A" * 43 + "="
NAMED = [("disable", "CTL_DISABLE"), ("enable", "CTL_ENABLE"), ("revoke", "CTL_REVOKE"),
         ("show", "CTL_PEER_SHOW"), ("qr", "CTL_QR"), ("rekey", "CTL_REKEY")]

PEER = {"name": "my phone", "public_key": "A" * 43 + "=", "address": "10.77.20.1", "address6": None,
        "state": "waiting", "printers": [{"name": "voron", "expires": None}],
        "created": "2027-01-15T08:00:00Z", "expires": None, "last_handshake": None,
        "endpoint": None, "rx_bytes": 0, "tx_bytes": 0}
PRINTER = {"name": "voron", "address": "192.168.1.50", "vpn_address": "10.77.16.2",
           "vpn_address6": None,
           "services": [{"protocol": "tcp", "first": 80, "last": 80},
                        {"protocol": "tcp", "first": 7125, "last": 7125}],
           "preset": "moonraker", "host": None, "state": "open"}


def answer(done, status=0):
    """The one JSON object on standard output."""
    assert done.returncode == status, (done.stdout, done.stderr)
    assert done.stdout.endswith(b"\n") and done.stdout.count(b"\n") == 1
    return json.loads(done.stdout)


def failure(done, status, code):
    said = answer(done, status)
    assert set(said) == {"error"} and set(said["error"]) == {"code", "message"}
    assert said["error"]["code"] == code
    assert done.stderr.decode() == f"printgate: {said['error']['message']}\n"
    return said["error"]["message"]


def columns(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in line)


def readable(done):
    """Human text: at most 80 columns, nothing that moves a cursor."""
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    for line in lines:
        line = re.sub(r"(Written: |--config )/\S+$", "", line)  # a path is as long as it is
        assert columns(line) <= 80, line
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", line)
    return lines


# ---- --json ------------------------------------------------------------------------------------


@pytest.mark.parametrize("words,kind", [(["disable"], "CTL_DISABLE"), (["enable"], "CTL_ENABLE"),
                                        (["revoke"], "CTL_REVOKE")])
def test_json_of_one_peer(core, words, kind):
    core.script[kind] = [peer(), grant(), END]
    assert answer(core.cli("--json", *words, "my phone")) == {"peer": PEER}
    assert core.asked == [(kind, text("my phone"))]


@pytest.mark.parametrize("words,kind", [(["allow"], "CTL_ALLOW"), (["deny"], "CTL_DENY")])
def test_json_of_grants(core, words, kind):
    core.script[kind] = [peer(), grant(), END]
    assert answer(core.cli(*words, "my phone", "voron", "--json")) == {"peer": PEER}
    assert core.asked == [(kind, text("my phone") + text("voron") + bytes(12))]


@pytest.mark.parametrize("verb,kind", [("enroll", "CTL_ENROLL"), ("qr", "CTL_QR"),
                                       ("rekey", "CTL_REKEY")])
def test_json_with_config(core, verb, kind):
    core.script[kind] = [peer(), grant(), config(CONFIG), END]
    assert answer(core.cli("--json", verb, "my phone")) == {
        "peer": PEER, "config": CONFIG, "tunnel_name": "my-phone"}


def test_json_of_show_and_list(core):
    core.script["CTL_PEER_SHOW"] = [peer(), grant(), END]
    assert answer(core.cli("--json", "show", "my phone")) == {"peers": [PEER]}
    core.script["CTL_PEERS"] = [
        peer(), grant(),
        peer("b", "10.77.20.2", 1, 1_800_000_000, 1_900_000_000, 1_800_000_060,
             "[2001:db8::1]:7", 5, 2**40), grant("mk4", 1_800_003_600), grant("voron"),
        peer("c", state=4), END]
    first, second, third = answer(core.cli("--json", "list"))["peers"]
    assert first == PEER
    assert second == PEER | {
        "name": "b", "address": "10.77.20.2", "state": "online", "expires": "2030-03-17T17:46:40Z",
        "last_handshake": "2027-01-15T08:01:00Z", "endpoint": "[2001:db8::1]:7", "rx_bytes": 5,
        "tx_bytes": 2**40, "printers": [{"name": "mk4", "expires": "2027-01-15T09:00:00Z"},
                                        {"name": "voron", "expires": None}]}
    assert third["state"] == "expired" and third["printers"] == []
    core.script["CTL_PEERS"] = [END]
    assert answer(core.cli("--json", "list")) == {"peers": []}


def test_json_of_rename(core):
    core.script["CTL_RENAME"] = [peer(), grant(), END]
    assert answer(core.cli("--json", "rename", "a", "my phone"))["peer"] == PEER
    assert core.asked == [("CTL_RENAME", text("a") + text("my phone"))]


def test_json_of_printers(core):
    everything = [printer(), printer("farm", 1, "192.168.50.0/24", "10.77.19.0/24", ""),
                  printer("pi", 2, "10.77.16.1", "10.77.16.3", "octoprint")]
    core.script |= {"CTL_PRINTERS": [*everything, END], "CTL_PRINTER_ADD": [printer(), END],
                    "CTL_PRINTER_REMOVE": [printer("gone"), END]}
    voron, farm, own = answer(core.cli("--json", "printer", "list"))["printers"]
    assert voron == PRINTER
    assert farm == PRINTER | {"name": "farm", "address": "192.168.50.0/24",
                              "vpn_address": "10.77.19.0/24", "preset": None}
    assert own["address"] == "self"
    assert answer(core.cli("--json", "printer", "add", "voron", "192.168.1.50", "--preset",
                           "moonraker")) == {"printer": PRINTER}
    core.script["CTL_PRINTER_CONFIRM"] = [printer(host="octopi.local"), END]
    named = answer(core.cli("--json", "printer", "confirm", "voron"))["printer"]
    assert named == {**PRINTER, "host": "octopi.local"}
    removed = answer(core.cli("--json", "printer", "remove", "gone"))
    assert len(removed["printers"]) == 3 and removed["removed"]["name"] == "gone"


def test_json_of_status(core):
    core.script["CTL_STATUS"] = [gateway(), printer(), peer(), grant(), END]
    assert answer(core.cli("--json", "status")) == {
        "gateway": {"interface": "wg0", "backend": "userspace",
                    "public_key": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                    "listen_port": 51820, "endpoint": "home.example.net:51820",
                    "tunnel": "10.77.16.0/20", "tunnel6": None, "locked": False, "lock_reason": None,
                    "provision_code": "ABCD-2345", "uptime": 93784},
        "printers": [PRINTER], "peers": [PEER]}
    core.script["CTL_STATUS"] = [gateway(endpoint="", locked=True), END]
    said = answer(core.cli("--json", "status"))
    assert said["gateway"]["endpoint"] is None and said["gateway"]["locked"] is True
    assert said["printers"] == said["peers"] == []


def test_both_families_are_told(core):
    core.script["CTL_STATUS"] = [gateway(tunnel6="fd77::/64"),
                                 printer(kind=2, vpn6="fd77::a4d:1003"),
                                 peer(address6="fd77::a4d:1401"), grant(), END]
    said = answer(core.cli("--json", "status"))
    assert said["gateway"]["tunnel6"] == "fd77::/64"
    assert said["printers"][0]["vpn_address6"] == "fd77::a4d:1003"
    assert said["peers"][0]["address6"] == "fd77::a4d:1401"
    assert "tunnel 10.77.16.0/20 and fd77::/64," in core.cli("status").stdout.decode()
    core.script["CTL_ENROLL"] = [peer(address6="fd77::a4d:1401"), config(CONFIG), END]
    said = core.cli("enroll", "my phone", "--no-qr").stdout.decode()
    assert "with address 10.77.20.1 and fd77::a4d:1401 in the tunnel" in " ".join(said.split())
    core.script["CTL_PRINTER_ADD"] = [printer(kind=2, vpn6="fd77::a4d:1003"), END]
    said = core.cli("printer", "add", "octopi", "self", "--port", "tcp/80").stdout.decode()
    assert "at 10.77.16.2 and fd77::a4d:1003" in " ".join(said.split())


def test_json_of_log(core):
    core.script["CTL_LOG"] = [event(1_800_000_000, "uid 0", "enroll", "my phone", "a\nb"), END]
    assert answer(core.cli("--json", "log", "--peer", "my phone", "--limit", "7")) == {
        "events": [{"time": "2027-01-15T08:00:00Z", "actor": "uid 0", "action": "enroll",
                    "subject": "my phone", "detail": "a\nb"}]}
    assert core.asked == [("CTL_LOG", text("my phone") + struct.pack("<I", 7))]


def test_json_of_presets():
    said = {p["name"]: p for p in answer(cli("--json", "presets"))["presets"]}
    assert {"octoprint", "moonraker", "bambu", "prusalink", "elegoo", "creality", "ipp",
            "web"} <= set(said)
    for p in said.values():
        assert set(p) == {"name", "title", "services", "source", "verified"}
        assert p["verified"] in ("source", "observation") and p["services"] and p["source"]
    assert {"protocol": "udp", "first": 3000, "last": 3000} in said["elegoo"]["services"]


# ---- what is asked -----------------------------------------------------------------------------


def test_enroll_asks(core):
    core.script["CTL_ENROLL"] = [peer(), config(CONFIG), END]
    head, tail = text("my phone"), bytes(32) + struct.pack("<qI", 0, 0)
    assert core.cli("--json", "enroll", "my phone").returncode == 0
    assert core.asked.pop() == ("CTL_ENROLL", head + b"\0\0" + tail + b"\0")
    assert core.cli("--json", "enroll", "my phone", "--all-printers").returncode == 0
    assert core.asked.pop() == ("CTL_ENROLL", head + b"\1\0" + tail + b"\0")
    assert core.cli("enroll", "--printer", "a", "my phone", "--printer=b", "--expires", "2h",
                    "--json").returncode == 0
    assert core.asked.pop() == ("CTL_ENROLL", head + b"\0\0" + bytes(32)
                                + struct.pack("<qI", 0, 7200) + b"\2" + text("a") + text("b"))
    assert core.cli("--json", "enroll", "my phone", "--expires", "2030-01-01T00:00:00Z"
                    ).returncode == 0
    assert core.asked.pop()[1] == head + bytes(34) + struct.pack("<qI", 1893456000, 0) + b"\0"


def test_printer_add_asks(core):
    core.script["CTL_PRINTER_ADD"] = [printer(), END]
    for word, kind, address in (("self", 2, bytes(5)), ("192.168.1.9", 0, b"\x09\x01\xa8\xc0\x20"),
                                ("192.168.1.9/32", 0, b"\x09\x01\xa8\xc0\x20"),
                                ("192.168.50.0/24", 1, b"\0\x32\xa8\xc0\x18"),
                                ("OctoPi.local.", 0, b"\0\0\0\0\x20")):
        assert core.cli("printer", "add", "x", word, "--port", "udp/5-7,tcp/80").returncode == 0
        assert core.asked.pop() == (
            "CTL_PRINTER_ADD", text("x") + bytes([kind]) + address + text("") + b"\2"
            + struct.pack("<BHHBHH", 6, 80, 80, 17, 5, 7)
            + text("octopi.local" if "octo" in word.lower() else ""))


def test_options_anywhere(core):
    core.script["CTL_DISABLE"] = [peer(), END]
    socket = ["--socket", core.path]
    for words in ([*socket, "--json", "disable", "x"], ["disable", "x", "--json", *socket],
                  ["--json", "disable", *socket, "x"], [*socket, "disable", "--json", "--", "x"]):
        assert "peer" in answer(cli(*words)), words
    assert "peer" in answer(cli("disable", "x", "--json", env={"PRINTGATE_SOCKET": core.path}))
    assert core.cli("disable", "--", "-x").returncode == 0
    assert core.asked[-1] == ("CTL_DISABLE", text("-x"))


# ---- exit statuses -----------------------------------------------------------------------------


@pytest.mark.parametrize("words", [
    [], ["frobnicate"], ["printer"], ["printer", "paint"], ["enroll"], ["enroll", "a", "b"],
    ["list", "a"], ["allow", "a"], ["list", "--frob"], ["--frob", "list"], ["enroll", "a", "--printer"],
    ["status", "--watch=yes"], ["printer", "add", "x", "self"], ["enroll", "a", "--output", "x.jpg"],
    ["enroll", "a", "--expires", "1h", "--expires", "2h"], ["list", "--socket"],
    ["enroll", "a", "--printer", "b", "--all-printers"], ["help", "frobnicate"]])
def test_usage(core, words):
    failure(core.cli(*words, "--json") if words[-1:] not in (["--printer"], ["--socket"])
            else core.cli("--json", *words), 2, "usage")
    assert not core.asked


BAD_NAMES = ["", " a", "a ", "a\nPostUp = id", "x" * 65, "\033[31m", "a\u202eb", "a\u2028b", "\x7f",
             b"\xff\xfe", b"\xc0\xae"]


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize("words", [["enroll", None], ["disable", None], ["rename", "a", None],
                                   ["enroll", "a", "--printer", None], ["allow", "a", None],
                                   ["printer", "add", None, "self", "--preset", "web"]])
def test_bad_names(core, words, name):
    said = failure(core.cli("--json", *[name if w is None else w for w in words]), 1, "bad_name")
    assert all(c.isprintable() for c in said)
    assert not core.asked


@pytest.mark.parametrize("name", ["../x", "emoji 🖨", "ä" * 32, "-", "a'b", "$(id)"])
def test_good_names(core, name):
    core.script["CTL_DISABLE"] = [peer(name), END]
    assert answer(core.cli("--json", "disable", "--", name))["peer"]["name"] == name
    assert readable(core.cli("disable", "--", name))


@pytest.mark.parametrize("words,code", [
    (["enroll", "a", "--expires", "soon"], "bad_time"),
    (["enroll", "a", "--expires", "0h"], "bad_time"),
    (["allow", "a", "b", "--for", "99999w"], "bad_time"),
    (["enroll", "a", "--public-key", "x"], "bad_key"),
    (["enroll", "a", "--public-key", LOW_ORDER], "bad_key"),
    (["rekey", "a", "--public-key", VALID_KEY[:-1]], "bad_key"),
    (["printer", "add", "a", "999.1.1.1", "--preset", "web"], "bad_address"),
    (["printer", "add", "a", "192.168.1.5/24", "--preset", "web"], "bad_address"),
    (["printer", "add", "a", "self", "--preset", "nope"], "bad_preset"),
    (["printer", "add", "a", "self", "--port", "tcp/0"], "bad_service"),
    (["printer", "add", "a", "self", "--port", "icmp/1"], "bad_service"),
    (["log", "--limit", "0"], "limit"), (["log", "--limit", "x"], "limit"),
    (["log", "--limit", "10001"], "limit"),
    (["enroll", "a", *["--printer", "p"] * 33], "limit"),
    (["init", "--tunnel", "10.0.0.0/29"], "bad_prefix"),
    (["init", "--tunnel", "8.8.0.0/20"], "bad_prefix"),
    (["init", "--tunnel", "nonsense"], "bad_prefix"),
    (["init", "--endpoint", "a b"], "bad_address"),
    (["init", "--endpoint", "x:0"], "bad_address")])
def test_bad_values(core, tmp_path, words, code):
    if words[0] == "init":
        words = [*words, "--config", str(tmp_path / "new" / "x.conf")]
    failure(core.cli("--json", *words), 1, code)
    assert not core.asked and not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", [e for e in ERRORS if e not in ("ERR_NONE", "ERR_LAST")])
def test_errors_of_core(core, name):
    core.script["CTL_PEERS"] = [peer(), grant(), error(name, "so it is")]
    status = {"ERR_USAGE": 2, "ERR_NOT_PERMITTED": 3, "ERR_UNREACHABLE": 4}.get(name, 1)
    assert failure(core.cli("list", "--json"), status, name[4:].lower()) == "so it is"
    done = core.cli("list")
    assert done.returncode == status and done.stderr == b"printgate: so it is\n"


def test_not_running(tmp_path):
    for path in (tmp_path / "none", tmp_path):
        said = failure(cli("--json", "--socket", str(path), "list"), 4, "unreachable")
        assert str(path) in said and "start" in said


def test_stale_socket(tmp_path):
    path = str(tmp_path / "stale.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stale:
        stale.bind(path)
    failure(cli("--json", "--socket", path, "list"), 4, "unreachable")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_not_permitted(core, tmp_path):
    os.chmod(core.path, 0o600)
    program = tmp_path / "printgate"
    program.write_bytes(open(PROGRAM, "rb").read())
    program.chmod(0o755)
    for folder in itertools.takewhile(lambda f: str(f) != "/tmp", [tmp_path, *tmp_path.parents]):
        folder.chmod(0o755)
    done = subprocess.run([program, "--json", "--socket", core.path, "list"], user=65534,
                          group=65534, extra_groups=[], capture_output=True, check=False)
    said = failure(done, 3, "not_permitted")
    assert "root" in said and "group printgate" in said


# ---- hostile and broken answers ----------------------------------------------------------------


@pytest.mark.parametrize("datagrams,code", [
    ([], "unreachable"),
    ([peer()], "unreachable"),
    ([grant(), END], "protocol"),
    ([printer(), END], "protocol"),
    ([peer("\033[2J"), END], "protocol"),
    ([peer(state=9), END], "protocol"),
    ([peer()[:-1], END], "protocol"),
    ([peer() + b"x", END], "protocol"),
    ([struct.pack("<HH", 2, TYPES["CTL_END"])], "protocol"),
    ([item("CTL_END", b"x")], "protocol"),
    ([struct.pack("<HH", 1, 999)], "protocol"),
    ([b"\0"], "protocol"),
    ([b"\xff" * 8000], "protocol")])
def test_broken_answers(core, datagrams, code):
    core.script["CTL_PEERS"] = datagrams
    failure(core.cli("--json", "list"), 4 if code == "unreachable" else 1, code)


@pytest.mark.parametrize("datagrams", [[END], [peer(), peer(), END], [peer(), config("x"), END],
                                       [grant(), peer(), END]])
def test_incomplete_answers(core, datagrams):
    core.script["CTL_DISABLE"] = datagrams
    failure(core.cli("--json", "disable", "x"), 1, "protocol")


def test_error_text_is_cleaned(core):
    core.script["CTL_PEERS"] = [error("ERR_STORE", "two\nlines")]
    done = core.cli("list")
    assert done.stderr == b"printgate: two lines\n"


def test_unwritable_output(core):
    core.script["CTL_PEERS"] = [END]
    with open("/dev/full", "wb") as full:
        done = subprocess.run([PROGRAM, "--socket", core.path, "list"], stdout=full,
                              stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1 and b"standard output" in done.stderr


# ---- what people read --------------------------------------------------------------------------


def test_lists_fit_and_align(core):
    now = int(time.time())
    long = "🖨" * 16
    core.script["CTL_PEERS"] = [
        peer("my phone", handshake=now - 125, state=1), grant("voron"), grant("x" * 64),
        peer(long, state=2, handshake=now - 4000), peer("y" * 64, state=3),
        *[grant(f"printer number {n}") for n in range(9)], END]
    lines = readable(core.cli("list"))
    assert lines[0].split() == ["PEER", "STATE", "ADDRESS", "LAST", "SEEN", "PRINTERS"]
    at = {columns(l[:l.index(w)]) for l, w in zip(lines, ["STATE", "online"])}
    assert len(at) == 1
    assert "2 minutes ago" in lines[1]
    wide = next(l for l in lines if "🖨" in l)
    assert columns(wide[:wide.index("offline")]) == at.pop()
    assert "67 minutes ago" in wide
    assert sum(l.count("number") for l in lines) == 9, "the last column must wrap"


def test_status_for_people(core):
    core.script["CTL_STATUS"] = [gateway(locked=True), printer(), peer(), grant(), END]
    lines = readable(core.cli("status"))
    assert lines[0].startswith("LOCKED")
    assert any("up for 26 hours" in l for l in lines)
    assert any("10.77.16.0/20" in l for l in lines)
    assert any("ABCD-2345" in l for l in lines)


def test_a_closed_printer_is_told_with_what_to_do(core):
    core.script["CTL_PRINTERS"] = [printer("the pi", host="octopi.local", moved=True), END]
    said = readable(core.cli("printer", "list"))
    assert any("octopi.local" in l and "192.168.1.50" in l for l in said)
    assert "  printgate printer confirm 'the pi'" in said
    assert answer(core.cli("--json", "printer", "list"))["printers"][0]["state"] == "moved"
    core.script["CTL_PEER_SHOW"] = [peer(), grant("the pi"), END]
    assert any("closed, it moved" in l for l in readable(core.cli("show", "my phone")))


def test_empty_lists_say_what_to_do(core):
    core.script |= {"CTL_PEERS": [END], "CTL_PRINTERS": [END], "CTL_LOG": [END]}
    assert any("printgate enroll" in l for l in readable(core.cli("list")))
    assert any("printgate printer add" in l for l in readable(core.cli("printer", "list")))
    assert readable(core.cli("log"))


def test_next_steps(core):
    core.script |= {"CTL_ENROLL": [peer("it's mine"), config(CONFIG), END],
                    "CTL_PRINTER_ADD": [printer("big one"), END]}
    said = readable(core.cli("enroll", "it's mine", "--no-qr"))
    assert "  printgate allow 'it'\\''s mine' voron" in said
    said = readable(core.cli("printer", "add", "big one", "192.168.1.50", "--preset", "moonraker"))
    assert "10.77.16.2" in said[0]
    assert "  printgate allow PHONE 'big one'" in said


def test_done_is_done(core):
    """What was asked for has happened: that the printers cannot be listed is no failure."""
    core.script |= {"CTL_ENROLL": [peer(), grant(), config(CONFIG), END], "CTL_PRINTERS": [peer()]}
    done = core.cli("enroll", "my phone")
    assert done.returncode == 0 and b"voron" in done.stdout and b"\033" in done.stdout


def test_missing_ports_lists_presets(core):
    done = core.cli("printer", "add", "x", "self")
    assert done.returncode == 2 and b"octoprint, moonraker, bambu" in done.stderr


def test_addresses_to_open(core):
    core.script["CTL_PEER_SHOW"] = [peer(), grant(), END]
    said = "\n".join(readable(core.cli("show", "my phone")))
    assert "http://10.77.16.2/" in said and "never" in said


def test_log_wraps(core):
    core.script["CTL_LOG"] = [event(1_800_000_000, "uid 1000", "enroll", "s" * 64, "word " * 60), END]
    lines = readable(core.cli("log"))
    assert "2027-01-15 08:00:00" in lines[1]
    assert sum(l.count("word") for l in lines) == 60


@pytest.mark.parametrize("words", [["help"], ["--help"], ["help", "enroll"], ["enroll", "--help"],
                                   ["help", "printer"], ["help", "printer", "add"], ["help", "page"], ["presets"],
                                   ["--version"]])
def test_help(words):
    assert readable(cli(*words))


def test_every_verb_has_help():
    listed = [l[2:] for l in readable(cli("help")) if re.match("  [a-z]", l)]
    assert len(listed) >= 18
    for line in listed:
        verb = re.match(r"(printer |page (?=[pt]))?[a-z-]+", line).group()
        assert readable(cli("help", *verb.split()))[0].startswith(f"usage: printgate {verb}")


# ---- watch -------------------------------------------------------------------------------------


def test_watch(core):
    core.script["CTL_STATUS"] = [gateway(), END]
    process = subprocess.Popen([PROGRAM, "--socket", core.path, "--json", "status", "--watch"],
                               stdout=subprocess.PIPE)
    for _ in range(2):
        assert json.loads(process.stdout.readline())["gateway"]["interface"] == "wg0"
    process.send_signal(signal.SIGINT)
    assert process.wait(5) == 0
    assert len(core.asked) == 2


# ---- init --------------------------------------------------------------------------------------


def init(tmp_path, *words):
    path = tmp_path / "etc" / "printgate.conf"
    return path, cli("init", "--config", str(path), *words)


def test_init_writes_what_a_service_can_read_whatever_the_umask(tmp_path):
    """Its programs are not root: the folder that is made is for everybody to pass through."""
    path = tmp_path / "new" / "printgate.conf"
    mask = os.umask(0o077)
    try:
        assert cli("init", "--config", str(path), "--endpoint", "home.example.net").returncode == 0
    finally:
        os.umask(mask)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o644
    assert stat.S_IMODE(os.stat(path.parent).st_mode) == 0o755


def test_init(tmp_path):
    path, done = init(tmp_path, "--endpoint", "Home.example.net")
    said = "\n".join(readable(done))
    assert "UDP port 51820" in said and "Warning" not in said
    body = path.read_text()
    assert "endpoint = Home.example.net:51820\n" in body
    assert path.stat().st_mode & 0o777 == 0o644
    assert path.parent.stat().st_mode & 0o777 == 0o755
    assert os.listdir(path.parent) == ["printgate.conf"]
    _, again = init(tmp_path, "--json")
    failure(again, 1, "conflict")
    assert path.read_text() == body


def test_init_json_is_the_file(tmp_path):
    path, done = init(tmp_path, "--json", "--endpoint", "[2001:db8::1]:4000", "--tunnel",
                      "10.203.16.0/20")
    said, section, seen = answer(done), None, {}
    for line in path.read_text().splitlines():
        if line.startswith("["):
            section = seen.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, value = line.split(" = ", 1)
            section[key] = int(value) if value.isdigit() else value
    assert said.pop("users") == {"net": "_printgate-net", "core": "_printgate",
                                 "web": "_printgate-web", "tls": "_printgate-tls"}
    assert seen.pop("users") == {}, "accounts that are named must exist"
    assert said == seen
    assert said["gateway"] | {"interface": None} == {
        "interface": None, "listen_port": 51820, "endpoint": "[2001:db8::1]:4000",
        "tunnel": "10.203.16.0/20", "tunnel6": "off", "backend": "auto", "keep_configs": "no",
        "coexist": "off"}


def test_init_without_endpoint_warns(tmp_path):
    _, done = init(tmp_path)
    assert any(l.startswith("Warning: ") for l in readable(done))


UP = "ip link set eth7 up && ip link set eth8 up"


def elsewhere(setup, *words):
    """The program in a network namespace of its own, which ends with it."""
    shell = f'ip link add eth7 type veth peer name eth8 && {UP} && {setup} && exec "$@"'
    return subprocess.run(["unshare", "-n" if os.getuid() == 0 else "-rn", "sh", "-ec", shell, "sh",
                           PROGRAM, *words], capture_output=True, check=False)


def octets(prefix):
    return [int(n) for n in prefix.split("/")[0].split(".")]


def test_init_chooses_apart(tmp_path):
    """Half of 10.0.0.0/8 is taken: by the address of an interface and by a route. Default routes in
    halves, as VPN clients set them, say nothing about what is free."""
    setup = ("ip addr add 10.0.0.1/10 dev eth7 && ip route add 10.64.0.0/10 dev eth7 &&"
             " ip route add 0.0.0.0/1 dev eth7 && ip route add 128.0.0.0/1 dev eth7")
    tunnels = set()
    for n in range(12):
        done = elsewhere(setup, "init", "--json", "--config", str(tmp_path / f"{n}.conf"))
        tunnels.add(answer(done)["gateway"]["tunnel"])
    assert len(tunnels) > 10
    for tunnel in tunnels:
        assert re.fullmatch(r"10\.\d+\.\d+\.0/20", tunnel)
        assert octets(tunnel)[1] >= 128 and octets(tunnel)[2] % 16 == 0


def test_init_when_all_is_taken(tmp_path):
    words = ["init", "--json", "--config", str(tmp_path / "x.conf")]
    ten = "ip route add 10.0.0.0/8 dev eth7"
    failure(elsewhere(ten + " && ip route add 172.16.0.0/12 dev eth7", *words), 1, "conflict")
    assert os.listdir(tmp_path) == []
    assert octets(answer(elsewhere(ten, *words))["gateway"]["tunnel"])[0] == 172


@pytest.mark.parametrize("tunnel", ["10.77.16.0/20", "10.64.0.0/12", "10.77.17.16/28"])
def test_init_refuses_a_collision(tmp_path, tunnel):
    words = ["init", "--json", "--config", str(tmp_path / "x.conf"), "--tunnel", tunnel]
    for setup in ("ip addr add 10.77.17.20/30 dev eth7", "ip route add 10.77.17.16/28 dev eth7"):
        assert "eth7" in failure(elsewhere(setup, *words), 1, "bad_prefix")
    assert os.listdir(tmp_path) == []


def test_init_finds_the_address_at_home(tmp_path):
    setup = ("ip addr add 192.168.9.1/24 dev eth7 && ip addr add 192.168.10.5/24 dev eth8 &&"
             " ip route add default via 192.168.10.1")
    done = elsewhere(setup, "init", "--json", "--config", str(tmp_path / "a.conf"))
    assert answer(done)["gateway"]["endpoint"] == "192.168.10.5:51820"
    done = elsewhere("true", "init", "--json", "--config", str(tmp_path / "b.conf"))
    assert answer(done)["gateway"]["endpoint"] is None
    assert "# endpoint = " in (tmp_path / "b.conf").read_text()


def test_init_leaves_other_tunnels_alone(tmp_path):
    done = elsewhere("ip link add wg0 type veth peer name x", "init", "--json", "--config",
                     str(tmp_path / "a.conf"))
    assert answer(done)["gateway"]["interface"] == "wg1"


@pytest.mark.parametrize("host,good", [
    ("home.example.net", True), ("home.example.net:1", True), ("a", True), ("1.2.3.4:65535", True),
    ("[::1]", True), ("xn--nxasmq6b.example", True), ("a" * 63 + ".b", True),
    ("", False), (":1", False), ("a:", False), ("a:65536", False), ("a:-1", False), ("a:1x", False),
    ("-a.b", False), ("a-.b", False), ("a..b", False), ("a_b", False), ("a" * 64 + ".b", False),
    ("1.2.3", False), ("256.1.1.1", False), ("0.0.0.0", False), ("127.0.0.1", False),
    ("224.0.0.1", False), ("2001:db8::1", False), ("[2001:db8::1", False), ("[1.2.3.4]", False),
    ("[::1]x", False), ("a\nPostUp = id", False), (".".join(["abcdefgh"] * 30), False)])
def test_endpoints(tmp_path, host, good):
    path, done = init(tmp_path, "--json", "--endpoint", host)
    if not good:
        failure(done, 1, "bad_address")
        assert not path.exists()
        return
    said = answer(done)["gateway"]["endpoint"]
    assert said == host or said == host + ":51820"
