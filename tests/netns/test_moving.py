# SPDX-License-Identifier: GPL-2.0-or-later
"""Printers that were given by name and move: followed as the same machine, closed otherwise. A real
name server (dnsmasq) in the LAN answers the gateway's resolver; changing its file is a new lease."""

import ctypes
import os
import signal
import socket
import time

import pytest

import lab as place
from house import GRANTED, House
from node import SLOW, await_that
from probes import AT_ONCE, Witness, ping, tcp_probe
from servers import fetch

NAME = "octopi.test"
MOVED = "192.168.50.31"
OFF_LINK = "192.168.60.5"
PIN = "proto 80"  # daemon/priv/neigh.h: NEIGH_PROTOCOL


class Names:
    """The LAN's name server, at the router."""

    def __init__(self, house):
        self.path = os.path.join(house.folder, "names")
        self.set({})
        house.home.start(["dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--user=root",
                          f"--addn-hosts={self.path}", "--bind-interfaces", "--pid-file=",
                          "--conf-file=/dev/null", f"--listen-address={place.HOME_LAN}"],
                         log=os.path.join(house.folder, "dnsmasq.log"))
        await_that(lambda: house.home.pids("dnsmasq") and
                   ":53 " in house.home.net("ss", "-Hlun").stdout, what="the name server")
        self.pid, = house.home.pids("dnsmasq")

    def set(self, names):
        with open(self.path, "w") as f:
            f.writelines(f"{address} {name}\n" for name, address in names.items())

    def change(self, **names):
        """Keywords are first labels: octopi=ADDRESS."""
        self.set({f"{label}.test": address for label, address in names.items()})
        os.kill(self.pid, signal.SIGHUP)

    def hang(self, hanging):
        os.kill(self.pid, signal.SIGSTOP if hanging else signal.SIGCONT)


def resolver(house):
    """The gateway's machine asks the router and nobody else."""
    for file, text in (("resolv.conf", f"nameserver {place.HOME_LAN}\noptions timeout:2\n"),
                       ("nsswitch.conf", "hosts: files dns\n")):
        path = os.path.join(house.folder, file)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, 0o644)
        house.gate.run("mount", "--bind", path, f"/etc/{file}")
    os.chmod(house.folder, 0o755)


@pytest.fixture(scope="module")
def names_house():
    with House(enrolled=False, gateway_lines="printer_check = 1") as house:
        house.names = Names(house)
        resolver(house)
        house.home.batch(f"address add {OFF_LINK}/32 dev lo")
        house.gate.batch(f"route add {OFF_LINK}/32 via {place.HOME_LAN}")
        house.enter(house.phone, "phone")
        yield house


@pytest.fixture
def octopi(names_house):
    """The printer by name at alpha's address, granted; the LAN as it was afterwards."""
    house = names_house
    house.names.change(octopi=place.A)
    house.octopi = house.gateway.add_printer("octopi", NAME, "--port", GRANTED)
    house.gateway.run("allow", "phone", "octopi")
    yield house
    house.gateway.run("printer", "remove", "octopi")
    for node, address in ((house.printer_a, place.A), (house.host, place.HOST)):
        node.batch("address flush dev lan scope global", f"address add {address}/24 dev lan",
                   f"route replace default via {place.HOME_LAN}")


def at(node, *addresses):
    """The machine has these addresses in the LAN now, and no other."""
    node.batch("address flush dev lan scope global",
               *(f"address add {a}/24 dev lan" for a in addresses))


def hardware(node):
    return node.net("ip", "-br", "link", "show", "lan").stdout.split()[2]


def entry(house, address):
    """The gateway's neighbour entry, as ip(8) writes it."""
    return house.gate.net("ip", "-d", "neigh", "show", "to", address).stdout


def started(pid):
    with open(f"/proc/{pid}/stat") as f:
        return int(f.read().rpartition(")")[2].split()[19])


def confined(pid):
    """The look-up's process holds nothing but its pipe and what the resolver has opened."""
    def lines(file):
        with open(f"/proc/{pid}/{file}") as f:
            return f.read()
    assert "NoNewPrivs:\t1" in lines("status") and "CapEff:\t0000000000000000" in lines("status")
    assert lines("environ") == ""
    ends = {fd: os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    assert [ends[fd] for fd in "012"] == ["/dev/null"] * 3
    assert ends["3"].startswith("pipe:") and len(ends) == 5 and ends["4"].startswith("socket:")
    limits = {line[:25].strip(): line.split()[-3] for line in lines("limits").splitlines()[1:]}
    assert limits["Max core file size"] == limits["Max file size"] == limits["Max processes"] == "0"


def printer(house):
    return next(p for p in house.gateway.json("printer", "list")["printers"]
                if p["name"] == "octopi")


def await_state(house, state, address=None):
    def reached():
        p = printer(house)
        return p["state"] == state and (not address or p["address"] == address)
    await_that(reached, 40, f"state {state} of the printer\n{house.gateway.log_text()[-2000:]}",
               pause=0.2)


def events(house):
    return [(e["action"], e["detail"]) for e in house.gateway.json("log")["events"]
            if e["subject"] == "octopi"]


def test_a_printer_is_added_by_name_and_pinned(octopi):
    assert octopi.octopi["host"] == NAME and octopi.octopi["state"] == "open"
    assert octopi.octopi["address"] == place.A
    assert fetch(octopi.phone.node, octopi.vpn(octopi.octopi)) == "printer-a\n"
    pin = entry(octopi, place.A)
    assert hardware(octopi.printer_a) in pin and "PERMANENT" in pin and PIN in pin
    assert NAME in octopi.gateway.run("printer", "list").stdout
    assert NAME in octopi.gateway.run("status").stdout


def test_the_same_machine_is_followed_to_its_new_address(octopi):
    vpn = octopi.vpn(octopi.octopi)
    talk = octopi.phone.node.socket(kind=socket.SOCK_DGRAM)
    talk.settimeout(3 * SLOW)
    talk.connect((vpn, 5000))
    talk.send(b"before")
    assert talk.recv(100) == b"printer-a before"
    octopi.names.change(octopi=MOVED)
    at(octopi.printer_a, MOVED)
    await_state(octopi, "open", MOVED)
    assert octopi.vpn(printer(octopi)) == vpn
    assert fetch(octopi.phone.node, vpn) == "printer-a\n"
    assert octopi.gateway.peer("phone")["printers"] == [{"name": "octopi", "expires": None}]
    assert "PERMANENT" in entry(octopi, MOVED) and "PERMANENT" not in entry(octopi, place.A)
    assert events(octopi)[0][0] == "printer-moved" and MOVED in events(octopi)[0][1]
    talk.send(b"after")  # an old entry of connection tracking does not lead to the old address
    assert talk.recv(100) == b"printer-a after"
    talk.close()


def test_what_inherits_the_address_inherits_nothing(octopi):
    vpn = octopi.vpn(octopi.octopi)
    octopi.printer_a.batch("address flush dev lan scope global")
    with Witness(octopi.host, "lan") as witness:
        at(octopi.host, place.HOST, place.A)
        tcp_probe(octopi.phone.node, vpn, 80, seconds=0.3)  # pinned: not one reaches the other
        await_state(octopi, "moved")
        assert tcp_probe(octopi.phone.node, vpn, 80).kind in ("refused", "prohibited")
        assert not [p for p in witness.take() if p.destination == place.A]
    assert "PERMANENT" not in entry(octopi, place.A)
    assert "another machine" in events(octopi)[0][1]
    assert hardware(octopi.host) in octopi.gateway.log_text()
    said = octopi.gateway.run("printer", "list").stdout
    assert "printgate printer confirm octopi" in said
    # the printer itself comes back: it opens without anybody's doing
    at(octopi.host, place.HOST)
    at(octopi.printer_a, place.A)
    await_state(octopi, "open", place.A)
    assert fetch(octopi.phone.node, vpn) == "printer-a\n"


def test_another_machine_under_the_name_has_to_be_confirmed(octopi):
    vpn = octopi.vpn(octopi.octopi)
    octopi.printer_a.batch("address flush dev lan scope global")
    octopi.names.change(octopi=place.HOST)
    with Witness(octopi.host, "lan") as witness:
        await_state(octopi, "moved")
        assert tcp_probe(octopi.phone.node, vpn, 80).kind in ("refused", "prohibited")
        assert not [p for p in witness.take() if p.source == place.GATEWAY_LAN]
    assert place.HOST in events(octopi)[0][1]
    confirmed = octopi.gateway.json("printer", "confirm", "octopi")["printer"]
    assert confirmed["state"] == "open" and confirmed["address"] == place.HOST
    assert octopi.vpn(confirmed) == vpn
    assert fetch(octopi.phone.node, vpn) == "host\n"
    assert hardware(octopi.host) in entry(octopi, place.HOST)


def test_nothing_behind_a_router_is_taken_for_the_printer(octopi):
    octopi.printer_a.batch("address flush dev lan scope global")
    octopi.names.change(octopi=OFF_LINK)
    await_state(octopi, "moved")
    assert "nothing tells whether" in events(octopi)[0][1]
    confirmed = octopi.gateway.json("printer", "confirm", "octopi")["printer"]
    assert confirmed["address"] == OFF_LINK and confirmed["state"] == "open"
    # nor is a machine that was behind one known again
    octopi.home.batch(f"address del {OFF_LINK}/32 dev lo")
    at(octopi.printer_a, place.A)
    octopi.names.change(octopi=place.A)
    await_state(octopi, "moved")
    assert "nothing tells whether" in events(octopi)[0][1]
    octopi.home.batch(f"address add {OFF_LINK}/32 dev lo")


def test_a_closed_printer_stays_closed_over_a_restart(octopi):
    at(octopi.host, place.HOST, place.A)
    octopi.printer_a.batch("address flush dev lan scope global")
    await_state(octopi, "moved")
    octopi.gateway.stop()
    octopi.gateway.start()
    assert printer(octopi)["state"] == "moved"
    with Witness(octopi.host, "lan") as witness:
        assert tcp_probe(octopi.phone.node, octopi.vpn(octopi.octopi), 80).kind != "open"
        assert not [p for p in witness.take() if p.destination == place.A]
    at(octopi.host, place.HOST)
    at(octopi.printer_a, place.A)
    await_state(octopi, "open", place.A)


def test_the_pin_outlives_our_processes_and_comes_back_with_the_link(octopi):
    static = f"{place.B} lladdr 02:00:00:00:00:99 dev lan nud permanent"
    octopi.gate.batch(f"neigh replace {static}")
    octopi.gateway.stop(signal.SIGKILL)
    octopi.printer_a.batch("address flush dev lan scope global")
    at(octopi.host, place.HOST, place.A)
    with Witness(octopi.host, "lan") as witness:
        assert tcp_probe(octopi.phone.node, octopi.vpn(octopi.octopi), 80).kind != "open"
        assert not [p for p in witness.take() if p.destination == place.A]
    at(octopi.host, place.HOST)
    at(octopi.printer_a, place.A)
    octopi.gateway.start()
    octopi.gate.batch("link set lan down", "link set lan up")
    await_that(lambda: PIN in entry(octopi, place.A), what="the pin after the link came back")
    octopi.gate.batch(f"neigh replace {static}")  # went with the link
    octopi.gateway.stop()
    octopi.gateway.down()
    assert PIN not in entry(octopi, place.A)
    assert "02:00:00:00:00:99" in entry(octopi, place.B)  # not ours
    octopi.gate.batch(f"neigh del {place.B} dev lan",  # and the route that went with the link
                      f"route replace {OFF_LINK}/32 via {place.HOME_LAN}")
    octopi.gateway.start()
    await_that(lambda: ping(octopi.phone.node, octopi.phone.gateway).kind == "open", 40,
               "the phone's new session")


def test_where_the_pin_cannot_hold_there_is_no_way(octopi):
    vpn = octopi.vpn(octopi.octopi)
    octopi.gate.batch(f"route add {place.A}/32 via {place.HOME_LAN}")
    await_that(lambda: tcp_probe(octopi.phone.node, vpn, 80).kind in ("refused", "prohibited"),
               what="the end of the way by a router")
    with Witness(octopi.home, "lan") as router, Witness(octopi.printer_a, "lan") as printer_a:
        # the kernel tells of a few unreachable addresses a second, so perhaps nothing is said
        assert tcp_probe(octopi.phone.node, vpn, 8080).kind != "open"
        assert not [p for p in router.take() + printer_a.take() if p.port == 8080]
    octopi.gate.batch(f"route del {place.A}/32")
    await_that(lambda: tcp_probe(octopi.phone.node, vpn, 80).kind == "open",
               what="the way to the printer on-link")


@pytest.mark.parametrize("word,code", [
    ("nowhere.test", "not_found"), ("under_score.test", "bad_address"), ("a..test", "bad_address"),
    ("loop.test", "bad_address"), ("me.test", "bad_address"), ("silent.test", "not_found"),
    ("192.168.50.300", "bad_address")])
def test_a_name_that_leads_to_no_printer_is_refused(names_house, word, code):
    names_house.names.change(loop="127.0.0.7", me=place.GATEWAY_LAN, silent="192.168.50.77")
    before = names_house.gateway.json("printer", "list")
    status, said, sentence = names_house.gateway.fails("printer", "add", "x", word, "--port", "tcp/80")
    assert (status, said) == (1, code) and len(sentence) > 30
    assert names_house.gateway.json("printer", "list") == before


def test_a_name_server_that_hangs_keeps_nobody_waiting(names_house):
    house = names_house
    house.names.change(slow=place.B)
    house.names.hang(True)
    try:
        adding = house.gate.start(
            [os.path.join(house.gateway.bin, "printgate"), "--json", "printer", "add", "slow",
             "slow.test", "--port", "tcp/80"],
            env={**os.environ, "PRINTGATE_SOCKET": f"{house.gateway.runtime}/control.sock"})
        await_that(lambda: len(house.gate.pids("printgate-core")) == 2, what="the look-up")
        began = time.monotonic()
        house.gateway.json("status")
        house.gateway.json("enroll", "quick")
        assert time.monotonic() - began < AT_ONCE
        assert adding.poll() is None
        confined(max(house.gate.pids("printgate-core"), key=started))
    finally:
        house.names.hang(False)
    assert adding.wait(30) == 0
    await_that(lambda: len(house.gate.pids("printgate-core")) == 1, what="the end of the look-up")
    house.gateway.run("printer", "remove", "slow")
    house.gateway.run("revoke", "quick")


LOOK_UP = """import os, sys
answer, pipe = os.pipe()
if os.fork() == 0:
    os.dup2(pipe, 3)
    os.execve(sys.argv[1], ["printgate-core", "resolve", "short"], {"HOSTALIASES": sys.argv[2]})
os.close(pipe)
print(int.from_bytes(os.read(answer, 68)[:4], "little"))
"""


def test_a_look_up_does_not_see_the_store(names_house):
    """The resolver reads a file of aliases where it is told to: in /run it can, in core's folder it
    cannot, though it is core's user (here even root)."""
    libc = ctypes.CDLL(None)
    if libc.syscall(444, None, 0, 1) < 1:  # landlock_create_ruleset, asking for its version
        pytest.skip("this machine lacks Landlock")
    house = names_house
    house.names.change(octopi=place.A)
    seen = os.path.join("/run", "aliases")
    hidden = os.path.join(house.gateway.state, "core", "aliases")
    found = []
    for path in (seen, hidden):
        house.gate.run("tee", path, stdin=f"short {NAME}\n")
        found.append(house.gate.out("python3", "-c", LOOK_UP,
                                    os.path.join(house.gateway.bin, "printgate-core"), path))
    os.unlink(hidden)
    assert found == ["1\n", "0\n"]


def test_what_was_added_by_address_has_nothing_to_confirm(names_house):
    names_house.gateway.add_printer("beta", place.B, "--port", "tcp/80")
    assert names_house.gateway.fails("printer", "confirm", "beta")[1] == "conflict"
    assert names_house.gateway.json("printer", "list")["printers"][0]["host"] is None
    names_house.gateway.run("printer", "remove", "beta")
