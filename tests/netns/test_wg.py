# SPDX-License-Identifier: GPL-2.0-or-later
"""The WireGuard device in real namespaces. wg(8) and ip(8) are the witnesses.

Runs over the back end that the machine has first; what is about wireguard-go's process asks for it.
"""

import os
import signal
import subprocess
import time

import pytest

from wg_lab import (UID, Namespace, fresh_name, new_key, new_psk, run, socket_path, wait_for,
                    wireguard_go)


@pytest.fixture(name="ns")
def _ns():
    ns = Namespace()
    try:
        yield ns
    finally:
        ns.close()


@pytest.fixture(name="two")
def _two():
    """Two namespaces joined by a wire: 192.0.2.1 and 192.0.2.2."""
    a, b = Namespace(), Namespace()
    try:
        run("ip", "link", "add", "wire", "netns", a.name, "type", "veth", "peer", "name", "wire",
            "netns", b.name)
        for ns, address in ((a, "192.0.2.1/24"), (b, "192.0.2.2/24")):
            ns.ip("addr", "add", address, "dev", "wire")
            ns.ip("link", "set", "wire", "up")
        yield a, b
    finally:
        a.close()
        b.close()


def shown(ns, interface):
    """Peers as `wg show IF dump` tells them: key → (psk, allowed ips)."""
    lines = ns.run("wg", "show", interface, "dump").splitlines()[1:]
    return {f[0]: (f[1], f[3]) for f in (line.split("\t") for line in lines)}


def device(ns, interface):
    """(private key, port) as wg tells them."""
    fields = ns.run("wg", "show", interface, "dump").splitlines()[0].split("\t")
    return fields[0], int(fields[2])


def test_attach_creates_then_adopts(ns):
    name = fresh_name("a")
    first = ns.driver(name)
    assert first.do("attach") == "created"
    link = ns.json("link", "show", name)[0]
    assert link["ifalias"] == "printgate"
    assert "UP" not in link["flags"]
    assert link["mtu"] == 1420
    assert first.do("attach") == "adopted"
    pid, index = wireguard_go(name), link["ifindex"]
    first.end()
    second = ns.driver(name)
    assert second.do("attach") == "adopted"
    assert wireguard_go(name) == pid
    assert ns.json("link", "show", name)[0]["ifindex"] == index
    second.end()


def test_process_has_one_right_and_no_stray_descriptor(ns):
    name = fresh_name("p")
    driver = ns.driver(name, backend="userspace")
    driver.do("attach")
    pid = wireguard_go(name)
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
    assert status["Uid"].split() == [str(UID)] * 4
    assert status["Gid"].split() == [str(UID)] * 4
    assert int(status["CapPrm"], 16) == int(status["CapEff"], 16) == 1 << 12  # CAP_NET_ADMIN
    assert status["NoNewPrivs"] == "1"
    assert os.getsid(pid) == pid
    open_files = [os.readlink(f"/proc/{pid}/fd/{n}") for n in (0, 1, 2)]
    assert open_files == ["/dev/null"] * 3
    with open(f"/proc/{pid}/environ", "rb") as f:
        names = {v.split(b"=")[0] for v in f.read().split(b"\0") if v}
    assert names == {b"WG_TUN_FD", b"WG_UAPI_FD", b"WG_PROCESS_FOREGROUND", b"LOG_LEVEL",
                     b"GOTRACEBACK"}
    mode = os.stat("/run/wireguard").st_mode & 0o7777
    assert mode == 0o1775
    assert os.stat(socket_path(name)).st_mode & 0o777 == 0o600
    driver.end()


def test_key_and_port(ns):
    name = fresh_name("k")
    driver = ns.driver(name)
    driver.do("attach")
    key, _ = new_key()
    driver.do("device", key, 51001)
    assert device(ns, name) == (key, 51001)
    driver.do("up")
    assert wait_for(lambda: ":51001" in ns.run("ss", "-ulnH"))
    driver.do("device", key, 51002)
    other, _ = new_key()
    driver.do("device", other, 51002)
    assert device(ns, name) == (other, 51002)
    assert wait_for(lambda: ":51002" in ns.run("ss", "-ulnH"))
    assert ":51001" not in ns.run("ss", "-ulnH")
    driver.end()


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "127.0.0.1"])
def test_taken_port_is_named(ns, address):
    name = fresh_name("t")
    taker = ("import socket,sys;"
             f"s=socket.socket(socket.AF_INET{'6' if ':' in address else ''},socket.SOCK_DGRAM);"
             f"s.bind(('{address}',51003));print('bound',flush=True);sys.stdin.read()")
    with subprocess.Popen(["ip", "netns", "exec", ns.name, "/usr/bin/python3", "-c", taker],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"bound\n"
        driver = ns.driver(name)
        driver.do("attach")
        answer = driver.say("device", new_key()[0], 51003)
        assert answer.startswith("error kernel: ") and "51003" in answer
        driver.do("device", new_key()[0], 51004)
        driver.end()
        other.stdin.close()


def test_peers_are_put_edited_and_removed(ns):
    name = fresh_name("e")
    driver = ns.driver(name)
    driver.do("attach")
    _, a = new_key()
    _, b = new_key()
    psk = new_psk()
    driver.do("put", f"{a},{psk},10.77.20.1")
    driver.do("put", f"{b},-,10.77.20.2")
    assert shown(ns, name) == {a: (psk, "10.77.20.1/32"), b: ("(none)", "10.77.20.2/32")}
    driver.do("put", f"{a},-,10.77.20.9")
    assert shown(ns, name)[a] == ("(none)", "10.77.20.9/32")
    dumped = driver.dump()
    assert {k: v[:5] for k, v in dumped.items()} == {
        a: ["10.77.20.9", "1", "0", "0", "0"], b: ["10.77.20.2", "1", "0", "0", "0"]}
    driver.do("del", a)
    driver.do("del", a)  # absent is no error
    assert list(shown(ns, name)) == [b]
    driver.end()


def test_sync_makes_equal(ns):
    name = fresh_name("s")
    driver = ns.driver(name)
    driver.do("attach")
    keys = [new_key()[1] for _ in range(6)]
    psk, wrong = new_psk(), new_psk()
    keep, psk_off, address_off, more, extra, missing = keys
    driver.do("sync", f"{keep},{psk},10.77.20.1", f"{psk_off},{wrong},10.77.20.2",
              f"{address_off},-,10.77.20.8", f"{more},-,10.77.20.4", f"{extra},-,10.77.20.6")
    ns.run("wg", "set", name, "peer", more, "allowed-ips", "10.77.20.4/32,192.168.1.0/24,::/0")
    want = {keep: (psk, "10.77.20.1/32"), psk_off: (psk, "10.77.20.2/32"),
            address_off: ("(none)", "10.77.20.3/32"), more: ("(none)", "10.77.20.4/32"),
            missing: ("(none)", "10.77.20.6/32")}
    assert driver.dump()[more][1] == "0"
    words = [f"{k},{'-' if v[0] == '(none)' else v[0]},{v[1][:-3]}" for k, v in want.items()]
    driver.do("sync", *words)
    assert shown(ns, name) == want
    driver.do("sync", *reversed(words))
    assert shown(ns, name) == want
    driver.do("sync")
    assert not shown(ns, name)
    driver.end()


def test_peers_of_both_families(ns):
    """Switched on and off on peers that stay; what others put there goes; addresses may be swapped."""
    name = fresh_name("six")
    driver = ns.driver(name)
    driver.do("attach")
    a, b = new_key()[1], new_key()[1]

    def allowed():
        return {k: set(v[1].split(",")) for k, v in shown(ns, name).items()}

    def words(*last, six=True):
        return [f"{k},-,10.77.20.{n}" + (f",fd77::a4d:140{n}" if six else "")
                for k, n in zip((a, b), last)]

    def want(*last, six=True):
        return {k: {f"10.77.20.{n}/32"} | ({f"fd77::a4d:140{n}/128"} if six else set())
                for k, n in zip((a, b), last)}

    for six in (False, True):
        driver.do("sync", *words(1, 2, six=six))
        assert allowed() == want(1, 2, six=six)
    driver.do("sync", *words(2, 1))
    assert allowed() == want(2, 1)
    ns.run("wg", "set", name, "peer", a, "allowed-ips", "10.77.20.2/32,fd77::a4d:1402/128,fd00::/8")
    driver.do("sync", *words(2, 1))
    assert allowed() == want(2, 1)
    driver.do("sync", *words(2, 1, six=False))
    assert allowed() == want(2, 1, six=False)
    driver.end()


def test_addresses_may_be_swapped(ns):
    name = fresh_name("w")
    driver = ns.driver(name)
    driver.do("attach")
    a, b = new_key()[1], new_key()[1]
    driver.do("sync", f"{a},-,10.77.20.1", f"{b},-,10.77.20.2")
    driver.do("sync", f"{a},-,10.77.20.2", f"{b},-,10.77.20.1")
    assert shown(ns, name) == {a: ("(none)", "10.77.20.2/32"), b: ("(none)", "10.77.20.1/32")}
    driver.end()


def random_keys(n):
    """Public keys; any 32 bytes will do."""
    import base64
    return [base64.b64encode(os.urandom(32)).decode() for _ in range(n)]


def test_many_peers(ns):
    name = fresh_name("m")
    driver = ns.driver(name)
    driver.do("attach")
    keys = random_keys(1500)
    words = [f"{k},-,10.77.{20 + i // 250}.{1 + i % 250}" for i, k in enumerate(keys)]
    driver.do("sync", *words)
    assert set(shown(ns, name)) == set(keys)
    assert set(driver.dump()) == set(keys)
    driver.do("sync", *words[:700])
    assert set(shown(ns, name)) == set(keys[:700])
    driver.end()


class Pair:
    """A gateway and a phone with a session."""

    def __init__(self, gateway_ns, phone_ns, backend="auto"):
        self.gateway_ns, self.phone_ns = gateway_ns, phone_ns
        self.interface, self.phone_interface = fresh_name("g"), fresh_name("f")
        self.key, self.public = new_key()
        phone_key, self.phone = new_key()
        self.psk = new_psk()
        self.word = f"{self.phone},{self.psk},10.77.20.1"
        self.gateway = gateway_ns.driver(self.interface, backend)
        self.gateway.do("attach")
        self.configure()
        phone = phone_ns.driver(self.phone_interface)
        phone.do("attach")
        phone.do("device", phone_key, 51820)
        phone.do("put", f"{self.public},{self.psk},10.77.16.1")
        phone.do("address", "10.77.20.1", 32)
        phone.do("up")
        phone.end()
        phone_ns.run("wg", "set", self.phone_interface, "peer", self.public, "endpoint",
                     "192.0.2.1:51820")
        phone_ns.ip("route", "add", "10.77.16.0/22", "dev", self.phone_interface)
        assert wait_for(lambda: ":51820" in gateway_ns.run("ss", "-ulnH"))

    def configure(self):
        self.gateway.do("device", self.key, 51820)
        self.gateway.do("sync", self.word)
        self.gateway.do("address", "10.77.16.1", 20)
        self.gateway.do("up")

    def ping(self, seconds=8):
        return self.phone_ns.run("ping", "-c1", f"-W{seconds}", "10.77.16.1", check=False)

    def handshake(self):
        return int(self.gateway.dump()[self.phone][2])


def test_session_survives_sync_restart_and_edit(two):
    pair = Pair(*two)
    assert "1 received" in pair.ping()
    first = pair.handshake()
    assert abs(first - time.time()) < 30
    pair.gateway.do("sync", pair.word, f"{new_key()[1]},-,10.77.20.77")
    pair.gateway.do("put", pair.word)
    pair.gateway.do("sync", pair.word)
    pair.gateway.end()
    pair.gateway = two[0].driver(pair.interface)
    assert pair.gateway.do("attach") == "adopted"
    time.sleep(1.1)  # a new handshake would bear another second
    pair.configure()
    assert "1 received" in pair.ping(1)
    assert pair.handshake() == first
    state = pair.gateway.dump()[pair.phone]
    assert int(state[3]) > 0 and int(state[4]) > 0
    assert state[5] == "192.0.2.2:51820"
    pair.gateway.end()


def keepalives(ns, interface):
    """{key: "off" or seconds}"""
    lines = ns.run("wg", "show", interface, "persistent-keepalive").splitlines()
    return dict(line.split("\t") for line in lines)


def test_an_interface_made_anew_begins_the_handshakes(two):
    """The phone sends nothing. Who was never seen, or is not a peer any more, is not greeted."""
    pair, never = Pair(*two), f"{new_key()[1]},-,10.77.20.77"
    pair.gateway.do("sync", pair.word, never)
    pair.gateway.do("greet")  # it is new, but nobody was seen yet
    assert "1 received" in pair.ping()
    assert pair.handshake()  # by a dump, which is how it is remembered
    pair.gateway.do("greet")  # and nothing is lost
    assert set(keepalives(two[0], pair.interface).values()) == {"off"}
    two[0].ip("link", "del", pair.interface)
    assert pair.gateway.do("attach") == "created"
    pair.gateway.do("device", pair.key, 51820)
    pair.gateway.do("sync", pair.word, never)
    assert not pair.handshake()
    pair.gateway.do("greet")
    assert keepalives(two[0], pair.interface) == {pair.phone: "1", never.split(",")[0]: "off"}
    pair.gateway.do("up")
    assert wait_for(pair.handshake)
    assert pair.gateway.dump()[pair.phone][5] == "192.0.2.2:51820"
    pair.gateway.do("hush")
    assert set(keepalives(two[0], pair.interface).values()) == {"off"}
    pair.gateway.do("sync", never)
    pair.gateway.do("lost")
    pair.gateway.do("greet")
    assert keepalives(two[0], pair.interface) == {never.split(",")[0]: "off"}
    pair.gateway.end()


def kill_process(driver, interface):
    pid = wireguard_go(interface)
    os.kill(pid, signal.SIGKILL)
    assert driver.do("watch", "wait") == "ended"
    return pid


@pytest.mark.parametrize("adopted", [False, True])
def test_revive_keeps_interface_address_and_routes(two, adopted):
    pair = Pair(*two, backend="userspace")
    two[0].ip("route", "add", "198.51.100.0/24", "dev", pair.interface)
    if adopted:
        pair.gateway.end()
        pair.gateway = two[0].driver(pair.interface, backend="userspace")
        assert pair.gateway.do("attach") == "adopted"
    assert pair.gateway.do("watch") == "runs"
    before = two[0].json("addr", "show", pair.interface)[0]
    old = kill_process(pair.gateway, pair.interface)
    pair.gateway.do("revive")
    assert pair.gateway.do("watch") == "runs"
    assert wireguard_go(pair.interface) not in (None, old)
    after = two[0].json("addr", "show", pair.interface)[0]
    assert after["ifindex"] == before["ifindex"]
    assert after["addr_info"] == before["addr_info"]
    assert "198.51.100.0/24" in two[0].ip("route", "show", "dev", pair.interface)
    pair.configure()
    assert wait_for(lambda: "1 received" in pair.ping(2), 20)
    kill_process(pair.gateway, pair.interface)  # and once more
    pair.gateway.do("revive")
    pair.configure()
    assert shown(two[0], pair.interface) == {pair.phone: (pair.psk, "10.77.20.1/32")}
    pair.gateway.end()


def test_both_killed(ns):
    """Daemon and wireguard-go gone: the next daemon takes the interface up again as it stands."""
    name = fresh_name("b")
    first = ns.driver(name, backend="userspace")
    first.do("attach")
    first.do("address", "10.77.16.1", 20)
    index = ns.json("link", "show", name)[0]["ifindex"]
    first.end()
    os.kill(wireguard_go(name), signal.SIGKILL)
    assert wait_for(lambda: wireguard_go(name) is None)
    second = ns.driver(name, backend="userspace")
    assert second.do("attach") == "created"
    assert ns.json("link", "show", name)[0]["ifindex"] == index
    assert "10.77.16.1/20" in ns.ip("addr", "show", name)
    second.do("device", new_key()[0], 51005)
    second.end()


def test_interface_deleted_by_hand(ns):
    name = fresh_name("h")
    driver = ns.driver(name)
    driver.do("attach")
    ns.ip("link", "del", name)
    assert driver.do("attach") == "created"
    driver.do("device", new_key()[0], 51006)
    assert ns.json("link", "show", name)[0]["ifalias"] == "printgate"
    driver.end()


def test_down_removes_everything(ns):
    name = fresh_name("d")
    driver = ns.driver(name)
    driver.do("down")  # absent: no error
    driver.do("attach")
    driver.do("sync", *(f"{k},-,10.77.20.{i + 1}" for i, k in enumerate(random_keys(100))))
    driver.do("up")
    driver.end()
    other = ns.driver(name)  # as `printgated --down` does
    other.do("down")
    assert name not in ns.ip("link", "show")
    assert not os.path.exists(socket_path(name))
    assert wireguard_go(name) is None
    other.do("down")
    assert other.do("attach") == "created"
    other.do("down")
    assert not os.path.exists(socket_path(name))
    other.end()


def test_foreign_interface_is_refused_and_left_alone(ns):
    name = fresh_name("x")
    ns.ip("link", "add", name, "type", "bridge")
    before = ns.json("-d", "link", "show", name)
    driver = ns.driver(name)
    answer = driver.say("attach")
    assert answer.startswith("error conflict: ") and name in answer
    driver.do("down")
    assert ns.json("-d", "link", "show", name) == before
    driver.end()


def test_same_name_in_another_namespace_is_refused(two):
    name = fresh_name("n")
    first = two[0].driver(name, backend="userspace")
    first.do("attach")
    pid = wireguard_go(name)
    second = two[1].driver(name, backend="userspace")
    answer = second.say("attach")
    assert answer.startswith("error conflict: ") and "another" in answer
    second.do("down")
    assert wireguard_go(name) == pid
    # Not even when an interface of that name and mark is there, but without its process.
    two[1].ip("tuntap", "add", name, "mode", "tun")
    two[1].ip("link", "set", name, "alias", "printgate")
    assert second.say("attach").startswith("error conflict: ")
    second.do("down")
    assert wireguard_go(name) == pid
    first.do("device", new_key()[0], 51007)
    first.end()
    second.end()


def test_stale_socket_is_replaced(ns):
    name = fresh_name("o")
    first = ns.driver(name, uid=UID + 7, backend="userspace")
    first.do("attach")
    first.end()
    os.kill(wireguard_go(name), signal.SIGKILL)
    assert wait_for(lambda: wireguard_go(name) is None)
    assert os.stat(socket_path(name)).st_uid == UID + 7
    # another user: the stale socket is removed while it is still root
    second = ns.driver(name, backend="userspace")
    assert second.do("attach") == "created"
    assert os.stat(socket_path(name)).st_uid == UID
    second.end()


def test_kernel_back_end_missing_is_said(ns):
    driver = ns.driver(fresh_name("q"), backend="kernel")
    if driver.opened == "ok kernel":
        pytest.skip("this machine lacks a kernel without WireGuard")
    assert driver.opened.startswith("error kernel: this kernel has no WireGuard")
    assert "userspace" in driver.opened
    driver.end()
