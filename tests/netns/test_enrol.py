# SPDX-License-Identifier: GPL-2.0-or-later
"""Enrolment: configs that every reader takes, keys that are nowhere on disk, and hostile input that
ends in one sentence with nothing half done."""

import base64
import os
import re
import subprocess

import pytest

from node import BACKEND, BUILD, ENV, await_that
from phone import parse, read_qr
from probes import tcp_probe
from servers import BUS_ENV, start_bus

NETWORK_MANAGER = os.path.join(BUILD, "unpacked", "network-manager", "usr")
LOW_ORDER = [
    bytes(32), bytes([1]) + bytes(31),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
]


@pytest.fixture(scope="module")
def config(home):
    return home.gateway.enroll("reader", "--printer", "alpha", "--printer", "beta")["config"]


# ---- readers of the config ------------------------------------------------------------------


def test_the_config_has_just_the_contracted_lines(config):
    assert re.fullmatch(
        r"\[Interface\]\nPrivateKey = \S{44}\nAddress = 10\.77\.\d+\.\d+/32\n\n"
        r"\[Peer\]\nPublicKey = \S{44}\nPresharedKey = \S{44}\nAllowedIPs = 10\.77\.16\.0/22\n"
        r"Endpoint = \S+:51820\n", config), config


def test_wg_quick_reads_it(home, config):
    path = os.path.join(home.folder, "reader.conf")
    with open(path, "w", opener=lambda p, f: os.open(p, f, 0o600)) as f:
        f.write(config)
    stripped = home.host.out("wg-quick", "strip", path)
    assert parse(stripped)["Peer"] == parse(config)["Peer"]
    assert "Address" not in stripped


def test_network_manager_imports_it(home, config):
    """Debian's own, unpacked: running in a node, on a bus of its own, managing nothing."""
    node, folder = home.host, os.path.join(home.folder, "nm")
    os.mkdir(folder)
    path = os.path.join(folder, "my-phone.conf")
    with open(path, "w") as f:
        f.write(config)
    with open(os.path.join(folder, "nm.conf"), "w") as f:
        f.write("[main]\nplugins=keyfile\nauth-polkit=false\nno-auto-default=*\ndns=none\n"
                "rc-manager=unmanaged\n[keyfile]\nunmanaged-devices=*\n")
    start_bus(node, home.folder)
    env = ["env", *(f"{k}={v}" for k, v in BUS_ENV.items())]
    node.run("mount", "-t", "tmpfs", "tmpfs", "/var/lib")
    node.run("mkdir", "-p", "/run/NetworkManager", "/var/lib/NetworkManager")
    node.start([*env, f"{NETWORK_MANAGER}/sbin/NetworkManager", "--no-daemon",
                f"--config={folder}/nm.conf", f"--config-dir={folder}/none",
                f"--system-config-dir={folder}/none", f"--intern-config={folder}/intern",
                f"--state-file={folder}/state", f"--pid-file={folder}/pid"],
               log=os.path.join(folder, "log"))
    nmcli = [*env, f"{NETWORK_MANAGER}/bin/nmcli"]
    await_that(lambda: "running" in node.run(*nmcli, "-t", "-f", "RUNNING", "general",
                                             check=False).stdout.split(), 20, "NetworkManager")
    node.run(*nmcli, "connection", "import", "--temporary", "type", "wireguard", "file", path)
    kept = node.out("cat", "/run/NetworkManager/system-connections/my-phone.nmconnection")
    wanted = parse(config)
    assert f"private-key={wanted['Interface']['PrivateKey']}\n" in kept
    assert f"address1={wanted['Interface']['Address']}\n" in kept
    assert f"[wireguard-peer.{wanted['Peer']['PublicKey']}]\n" in kept
    assert f"endpoint={wanted['Peer']['Endpoint']}\n" in kept
    assert f"preshared-key={wanted['Peer']['PresharedKey']}\n" in kept
    assert f"allowed-ips={wanted['Peer']['AllowedIPs']};\n" in kept


def _key(text):
    return len(text) == 44 and len(base64.b64decode(text, validate=True)) == 32


def _prefixes(text):
    import ipaddress
    return all(ipaddress.ip_interface(p) for p in text.split(", "))


def test_a_reimplementation_of_the_phone_apps_rules_takes_it(config):
    """Not the apps' own parsers: their documented rules, written down again, and stricter: only
    keys that both know, each once, none empty, each value well formed, no comment."""
    rules = {
        "Interface": {"PrivateKey": _key, "Address": _prefixes},
        "Peer": {"PublicKey": _key, "PresharedKey": _key, "AllowedIPs": _prefixes,
                 "Endpoint": lambda t: re.fullmatch(r"[a-z0-9.-]+:\d{1,5}", t)},
    }
    section, seen = None, set()
    for line in config.split("\n"):
        assert "#" not in line and line == line.strip()
        if line.startswith("["):
            section = line[1:-1]
            assert section in rules and section not in seen
            seen.add(section)
        elif line:
            key, value = line.split(" = ")
            assert rules[section][key](value), line
            assert (section, key) not in seen
            seen.add((section, key))
    assert {("Interface", "PrivateKey"), ("Interface", "Address"), ("Peer", "PublicKey"),
            ("Peer", "AllowedIPs"), ("Peer", "Endpoint")} <= seen


def test_two_decoders_read_the_qr_code_byte_for_byte(home):
    png = os.path.join(home.folder, "two.png")
    config = home.gateway.enroll("two decoders", "--printer", "alpha", "--output",
                                 png)["config"]
    assert read_qr(png) == config + "\n"  # zbarimg ends each code with a newline of its own
    done = subprocess.run(["ZXingReader", "-format", "QRCode", "-1", png], capture_output=True,
                          text=True, env=ENV)
    zxing = done.stdout[done.stdout.index("[Interface]"):].split("\n\n[Interface]")[0]
    assert zxing.replace("<LF>", "\n").startswith(config)


# ---- secrets --------------------------------------------------------------------------------


def _search(home, needle):
    """Where the bytes are: files of the gateway, environments and command lines of its processes."""
    found = []
    for folder, _, files in os.walk(home.gateway.folder):
        for name in files:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    if needle in f.read():
                        found.append(path)
    for pid in home.gate.processes():
        for what in ("environ", "cmdline"):
            with open(f"/proc/{pid}/{what}", "rb") as f:
                if needle in f.read():
                    found.append(f"{pid}/{what}")
    return found


def _forms(key):
    raw = base64.b64decode(key)
    return [raw, key.encode(), key.rstrip("=").encode(), raw.hex().encode(),
            raw.hex().upper().encode(), base64.urlsafe_b64encode(raw)]


@pytest.mark.parametrize("when", ["before the first handshake", "after it", "after a restart"])
def test_a_phones_private_key_is_nowhere_on_disk(new_house, when):
    home = new_house(enrolled=when != "before the first handshake")
    if when == "before the first handshake":
        config = parse(home.gateway.enroll("secret one")["config"])
    else:
        config = home.phone.config
    if when == "after a restart":
        home.gateway.stop()
        home.gateway.start()
    for form in _forms(config["Interface"]["PrivateKey"]):
        assert _search(home, form) == []
    name = home.gateway.json("list")["peers"][0]
    shown = [place for form in _forms(name["public_key"]) for place in _search(home, form)]
    assert any("printgate.db" in place for place in shown), "the search does not find anything"


def test_the_gateways_key_is_in_one_file_only(home):
    with open(os.path.join(home.gateway.state, "net", "gateway.key")) as f:
        key = f.read().strip()
    places = {place for form in _forms(key) for place in _search(home, form)}
    assert places == {os.path.join(home.gateway.state, "net", "gateway.key")}


# ---- hostile input --------------------------------------------------------------------------


def nothing_changed(home, action, code):
    before = home.gateway.run("--json", "list").stdout, home.gateway.run(
        "--json", "printer", "list").stdout, home.gateway.elements("grants"), \
        home.gateway.wireguard_peers()
    status, error, sentence = home.gateway.fails(*action)
    assert status in (1, 2) and error in code, (status, error, sentence)
    assert len(sentence) > 10 and sentence.isprintable(), sentence
    plain = home.gateway.run(*action, check=False)
    assert plain.returncode == status
    assert all(c.isprintable() or c == "\n" for c in plain.stdout + plain.stderr)
    after = home.gateway.run("--json", "list").stdout, home.gateway.run(
        "--json", "printer", "list").stdout, home.gateway.elements("grants"), \
        home.gateway.wireguard_peers()
    assert _without_counters(before[0]) == _without_counters(after[0])
    assert before[1:] == after[1:]


def _without_counters(text):
    """A phone that has been idle for three minutes is offline: that is no change of ours either."""
    return re.sub(r'"(rx_bytes|tx_bytes|last_handshake|state)": ?[^,}\n]*', "", text)


@pytest.mark.parametrize("name", [
    "a\nPostUp = id", "x" * 300, "\x1b[31mred\x1b[0m", "", " ", " lead", "trail ", "\t",
    "a\u202eb", "nul\x7f", "bad\udcff",
], ids=lambda n: repr(n)[:20])
def test_bad_names_are_refused(home, name):
    nothing_changed(home, ["enroll", name, "--no-qr"], ("bad_name",))
    nothing_changed(home, ["printer", "add", name, "192.168.50.44", "--preset", "web"],
                    ("bad_name",))


@pytest.mark.parametrize("name", ["../x", "Ω phone 🖨️", "x" * 64, "/etc/passwd", "%n%s", "'; DROP"],
                         ids=lambda n: repr(n)[:20])
def test_odd_names_are_just_names(home, name):
    home.gateway.enroll(name, "--printer", "alpha")
    assert home.gateway.peer(name)["name"] == name
    assert name in home.gateway.run("list").stdout or len(name) > 30
    home.gateway.json("revoke", name)
    assert not os.path.exists(os.path.join(home.gateway.state, "x"))


def test_a_name_is_taken_in_any_case(home):
    for name in ("PHONE", "Phone", "phone"):
        nothing_changed(home, ["enroll", name, "--no-qr"], ("name_taken",))
    nothing_changed(home, ["printer", "add", "ALPHA", "192.168.50.44", "--preset", "web"],
                    ("name_taken",))


@pytest.mark.parametrize("key", ["", "x", "A" * 44, "A" * 43 + "=" + "=", "é" * 22,
                                 *(base64.b64encode(k).decode() for k in LOW_ORDER)],
                         ids=lambda k: k[:12])
def test_unusable_keys_are_refused(home, key):
    nothing_changed(home, ["enroll", "key", "--public-key", key], ("bad_key", "usage"))


def test_the_gateways_own_key_and_a_taken_key_are_refused(home):
    gateway = home.gateway.json("status")["gateway"]["public_key"]
    nothing_changed(home, ["enroll", "key", "--public-key", gateway], ("key_taken",))
    taken = home.gateway.peer("phone")["public_key"]
    nothing_changed(home, ["enroll", "key", "--public-key", taken], ("key_taken",))


def test_unknown_printers_and_peers_are_refused(home):
    nothing_changed(home, ["enroll", "new", "--printer", "alpha", "--printer", "nosuch"],
                    ("not_found",))
    nothing_changed(home, ["allow", "phone", "nosuch"], ("not_found",))
    nothing_changed(home, ["allow", "nosuch", "alpha"], ("not_found",))
    nothing_changed(home, ["revoke", "nosuch"], ("not_found",))


@pytest.mark.parametrize("address", [
    "0.0.0.0", "255.255.255.255", "127.0.0.1", "224.0.0.1", "10.77.16.1", "10.77.20.1",
    "10.77.0.0/16", "0.0.0.0/0", "192.168.50.0/33", "nonsense", "fd50::11", "192.168.50.11/24"])
def test_addresses_that_cannot_be_printers_are_refused(home, address):
    nothing_changed(home, ["printer", "add", "odd", address, "--preset", "web"],
                    ("bad_address", "conflict", "usage", "not_found"))


@pytest.mark.parametrize("ports", ["tcp/0", "tcp/65536", "tcp/80-70", "icmp/1", "80", "tcp/", "",
                                   "tcp/80,,udp/1", "tcp/80;id"])
def test_bad_ports_are_refused(home, ports):
    nothing_changed(home, ["printer", "add", "odd", "192.168.50.44", "--port", ports],
                    ("bad_service", "usage"))


def test_a_full_pool_is_a_sentence(new_house):
    home = new_house(tunnel="10.77.16.0/28")
    for number in range(20):
        if home.gateway.run("enroll", f"n{number}", "--no-qr", check=False).returncode:
            break
    assert 8 <= number < 13
    nothing_changed(home, ["enroll", "one more", "--no-qr"], ("pool_full",))
    home.gateway.json("revoke", "n0")
    home.gateway.enroll("one more")
    assert tcp_probe(home.phone.node, home.vpn(home.alpha), 80).kind == "open"


def test_without_the_daemon_status_4(new_house):
    home = new_house(enrolled=False)
    home.gateway.stop()
    assert home.gateway.fails("list")[:2] == (4, "unreachable")


def test_a_user_without_rights_gets_status_3(home):
    done = home.gate.run("setpriv", "--reuid=61999", "--regid=61999", "--clear-groups", "env",
                         f"PRINTGATE_SOCKET={home.gateway.runtime}/control.sock",
                         os.path.join(BUILD, "printgate"), "list", check=False)
    assert done.returncode in (3, 4), done  # 4 where the folder's way is closed to it already
    assert done.stdout == "" and done.stderr


# ---- configuration --------------------------------------------------------------------------


@pytest.mark.parametrize("old,new,line", [
    ("listen_port = 51820", "listen_port = 0", 3),
    ("listen_port = 51820", "listen_prot = 51820", 3),
    ("listen_port = 51820", "listen_port = 51820\nlisten_port = x", 4),
    ("tunnel = 10.77.16.0/20", "tunnel = 10.77.16.0/29", 5),
    ("tunnel = 10.77.16.0/20", "tunnel = 8.8.0.0/20", 5),
    ("tunnel = 10.77.16.0/20", "tunnel = 10.77.16.1/20", 5),
    ("interface = wg0", "interface = ../../etc", 2),
    ("interface = wg0", "interface = muchtoolongforthat", 2),
    (f"backend = {BACKEND}", "backend = magic", 6),
    ("net = 61601", "net = 0", 15),
    ("net = 61601", "net = nosuchuser", 15),
    ("[gateway]", "[gatewya]", 2),
    ("[gateway]", "nonsense\n[gateway]", 1),
])
def test_a_bad_configuration_stops_it_with_file_and_line(home, old, new, line):
    with open(home.gateway.config) as f:
        text = f.read()
    assert old in text
    bad = os.path.join(home.folder, "bad.conf")
    with open(bad, "w") as f:
        f.write(text.replace(old, new, 1))
    for more in ([], ["--check"]):
        done = home.gateway.run_printgated(*more, config=bad, check=False)
        assert done.returncode == os.EX_CONFIG and done.stdout == "", done
        where = f"{bad}:{line}: "
        assert where in done.stderr, done.stderr


def test_check_takes_a_good_configuration_and_does_nothing(home):
    assert home.gateway.run_printgated("--check").returncode == 0
    missing = home.gateway.run_printgated("--check", config="/nonexistent.conf", check=False)
    assert missing.returncode == os.EX_CONFIG and "/nonexistent.conf" in missing.stderr
