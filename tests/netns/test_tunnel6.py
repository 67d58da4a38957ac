# SPDX-License-Identifier: GPL-2.0-or-later
"""IPv6 in the tunnel, with real phones: page, ping and the gateway machine as a printer are reached
by it, nothing else is; what is taken away is taken away there too; and it can be switched."""

import os
import re
import socket
import time

import pytest

import house as h
import lab as place
from house import House
from node import await_that, inside
from phone import parse
from probes import AT_ONCE, Witness, ping, ping6, tcp_probe, udp_probe
from servers import Echoes, UdpStreamer, WebServer, download, fetch, view
from test_revoke import QUIET, WITHIN

REFUSED = ("refused", "prohibited")
ON, OFF = "tunnel6 = auto", "tunnel6 = off"


def refused(answer):
    assert answer.kind in REFUSED and answer.seconds < AT_ONCE, answer
    return True


def serve_here(house):
    """Printer `octopi`, the gateway machine itself, and what it has besides."""
    house.serve(Echoes(house.gate, tcp=[22, 8000], udp=[53]))
    house.serve(WebServer(house.gate, 5000, "::"))
    house.camera6 = house.serve(UdpStreamer(house.gate, h.CAMERA, socket.AF_INET6))
    house.octopi = house.gateway.add_printer("octopi", "self", "--port",
                                             f"tcp/5000,udp/{h.CAMERA}")
    house.gateway.json("allow", "phone", "octopi")


@pytest.fixture(scope="module")
def home():
    with House(gateway_lines=ON) as house:
        serve_here(house)
        # somebody made this machine a router for IPv6: not for the tunnel
        house.gate.sysctl("net.ipv6.conf.all.forwarding", 1)
        house.enter(house.phone2, "phone 2", "--printer", "alpha")
        house.serve(Echoes(house.phone2.node, tcp=[80], udp=[5000]))
        house.phone.grow_greedy(f"{place.LAN6}/64", f"{place.PUBLIC6}/128",
                                f"{house.phone.house6[0]}/116")
        yield house


@pytest.fixture
def at(home):
    return home.octopi["vpn_address6"]


def switch(house, line):
    """Another value of tunnel6: a restart."""
    house.gateway.stop()
    with open(house.gateway.config) as f:
        text = f.read()
    house.gateway.configure(re.sub("tunnel6 = .*", line, text))
    house.gateway.start()


# ---- what is told ---------------------------------------------------------------------------


def test_the_code_has_both_families_in_the_contracted_lines(home):
    config = home.gateway.enroll("reader")
    prefix = home.gateway.json("status")["gateway"]["tunnel6"]
    assert re.fullmatch(r"fd[0-9a-f:]+::/64", prefix)
    base = re.escape(prefix.removesuffix("/64"))
    assert re.fullmatch(
        r"\[Interface\]\nPrivateKey = \S{44}\nAddress = 10\.77\.\d+\.\d+/32, "
        + base + r"a4d:\w+/128\n\n\[Peer\]\nPublicKey = \S{44}\nPresharedKey = \S{44}\n"
        r"AllowedIPs = 10\.77\.16\.0/22, " + base + r"a4d:1000/118\nEndpoint = \S+:51820\n",
        config["config"]), config["config"]
    assert config["peer"]["address6"] in config["config"]
    peer = home.gateway.peer("phone")
    assert peer["address6"] == home.phone.address6
    four = int.from_bytes(socket.inet_aton(peer["address"]), "big")
    assert socket.inet_pton(socket.AF_INET6, peer["address6"])[12:] == four.to_bytes(4, "big")
    assert home.gateway.wireguard_peers()[peer["public_key"]].split() == [
        f"{peer['address']}/32", f"{peer['address6']}/128"]
    assert home.alpha["vpn_address6"] is None
    home.gateway.json("revoke", "reader")


# ---- what is reached, and what is not -------------------------------------------------------


def test_page_ping_and_the_machine_itself(home, at):
    phone = home.phone.node
    assert "You are phone" in fetch(phone, home.phone.gateway6)
    assert ping6(phone, home.phone.gateway6).kind == "open"
    assert fetch(phone, at, 5000) == "gate\n"
    assert ping6(phone, at).kind == "open"
    assert fetch(phone, home.vpn(home.alpha)) == "printer-a\n"  # the first family goes on


def test_the_gateways_other_ports_are_refused_at_once(home, at):
    phone, into = home.phone.node, home.phone.interface
    for address in (at, home.phone.gateway6, f"{place.LAN6}2", "2001:db8:1::10"):
        for port in (22, 8000, 51880):
            assert refused(tcp_probe(phone, address, port, device=into)), (address, port)
        assert refused(udp_probe(phone, address, 53, device=into))
    assert refused(tcp_probe(phone, home.phone.gateway6, 5000))
    assert refused(ping6(phone, f"{place.LAN6}2"))


def test_who_was_not_granted_is_refused(home, at):
    other = home.phone2.node
    assert "You are phone 2" in fetch(other, home.phone2.gateway6)
    assert refused(tcp_probe(other, at, 5000))
    assert refused(ping6(other, at))


def test_lan_internet_and_other_phones_are_refused_and_see_nothing(home):
    phone = home.phone.node
    for address, node, interface in ((f"{place.LAN6}11", home.printer_a, "lan"),
                                     (place.PUBLIC6, home.internet, "street"),
                                     (home.phone2.address6, home.phone2.node, "wg0")):
        with Witness(node, interface) as witness:
            for port in (80, 8080):
                assert refused(tcp_probe(phone, address, port)), address
            assert refused(udp_probe(phone, address, 5000)), address
            assert refused(ping6(phone, address)), address
            assert not [p for p in witness.take() if ":" in p.source and p.protocol != 58]


def test_a_granted_printer_of_the_lan_is_not_there_by_ipv6(home):
    """The look-ups know its address, and no way leads from it: routing says so."""
    alpha6 = str(home.phone.house6[int(home.vpn(home.alpha).split(".")[3])])
    with Witness(home.printer_a, "lan") as witness:
        for port in (80, 8080, 22):
            assert refused(tcp_probe(home.phone.node, alpha6, port))
        assert refused(ping6(home.phone.node, alpha6))
        assert udp_probe(home.phone.node, alpha6, 5000, seconds=0.3).kind != "open"
        assert not [p for p in witness.take() if ":" in p.source and p.protocol != 58]


def test_a_lan_host_cannot_enter_by_the_gateway(home, at):
    with Witness(home.phone.node, home.phone.interface) as witness:
        home.host.run("ip", "route", "replace", "fd00::/8", "via", f"{place.LAN6}2")
        for address in (home.phone.address6, home.phone.gateway6, at):
            for port in (80, 5000, 51880):
                assert tcp_probe(home.host, address, port, seconds=0.4).kind != "open"
            assert ping6(home.host, address, seconds=0.4).kind != "open"
        home.host.run("ip", "route", "del", "fd00::/8")
        assert witness.take() == []


def test_without_the_table_nothing_has_a_way(home, at):
    """The second barrier, alone: printgated is kept from setting the rules again."""
    phone = home.phone.node
    home.gateway.kill("printgated", 19)  # SIGSTOP
    try:
        home.gate.net("nft", "flush", "ruleset")
        for address, port in ((home.phone.gateway6, 51880), (home.phone.gateway6, 22), (at, 5000),
                              (f"{place.LAN6}2", 22), (f"{place.LAN6}11", 80)):
            assert tcp_probe(phone, address, port, seconds=0.5,
                             device=home.phone.interface).kind != "open"
    finally:
        home.gateway.kill("printgated", 18)  # SIGCONT
    await_that(lambda: tcp_probe(phone, at, 5000, seconds=1).kind == "open", 10)


@pytest.mark.parametrize("words", ["-6 addr flush dev wg0", "link set wg0 down"])
def test_an_address_that_somebody_removed_comes_back(home, at, words):
    home.gate.ip(words)
    await_that(lambda: ping6(home.phone.node, home.phone.gateway6, seconds=1).kind == "open", 10)
    assert fetch(home.phone.node, at, 5000) == "gate\n"


def test_a_phone_does_not_keep_another_from_the_page(home):
    """All phones share the /64 that is one machine elsewhere."""
    at = (home.phone.gateway6, 80)

    def served(phone):
        with inside(phone.node.netns), socket.create_connection(at, 20) as s:
            try:
                s.sendall(f"GET / HTTP/1.1\r\nHost: [{at[0]}]\r\n\r\n".encode())
                return s.recv(100)
            except ConnectionError:
                return b""

    with inside(home.phone.node.netns):
        silent = [socket.create_connection(at, 20) for _ in range(16)]
    try:
        assert served(home.phone) == b"", "it has its sixteen"
        assert served(home.phone2).startswith(b"HTTP/1.1 200")
    finally:
        for s in silent:
            s.close()


# ---- taken away -----------------------------------------------------------------------------


@pytest.mark.parametrize("take,give", [(("deny", "phone", "octopi"), ("allow", "phone", "octopi")),
                                       (("disable", "phone"), ("enable", "phone")),
                                       (("lock",), ("unlock",))])
def test_running_streams_stop_and_do_not_come_back_by_themselves(home, at, take, give):
    phone = home.phone.node
    tcp, udp = download(phone, at, 5000), view(phone, at, h.CAMERA)
    home.gateway.json(*take)
    returned = time.monotonic()
    await_that(lambda: time.monotonic() > returned + QUIET, QUIET + 1)
    for reader in (tcp, udp):
        assert reader.last < returned + WITHIN, f"{reader.last - returned:.2f} s"
    home.gateway.json(*give)
    given, tried = udp.received, home.camera6.tried
    await_that(lambda: ping(phone, home.phone.gateway, seconds=1).kind == "open", 30)
    # the camera still sends to the phone's address and port: it has no connection any more
    await_that(lambda: home.camera6.tried > tried + 20 or udp.received > given)
    assert udp.received == given
    tcp.close()
    udp.close()
    await_that(lambda: tcp_probe(phone, at, 5000, seconds=1).kind == "open", 30)


# ---- switched -------------------------------------------------------------------------------


def test_the_chosen_prefix_stays_and_can_be_switched_off(new_house):
    house = new_house(gateway_lines=ON)
    serve_here(house)
    phone, at = house.phone.node, house.octopi["vpn_address6"]
    prefix = house.gateway.json("status")["gateway"]["tunnel6"]
    kept = os.path.join(house.gateway.state, "net", "tunnel6")
    assert os.stat(kept).st_mode & 0o777 == 0o600
    with open(kept) as f:
        assert f.read() == prefix + "\n"
    stream = download(phone, at, 5000)
    house.gateway.stop()
    house.gateway.start()
    assert house.gateway.json("status")["gateway"]["tunnel6"] == prefix
    stream.flows()  # a restart is not noticed
    stream.close()

    switch(house, OFF)
    assert house.gateway.json("status")["gateway"]["tunnel6"] is None
    assert house.gateway.peer("phone")["address6"] is None
    assert "inet6" not in house.gate.ip("addr show dev wg0")
    assert list(house.gateway.wireguard_peers().values()) == [f"{house.phone.address}/32"]
    assert "ip6" not in house.gateway.ruleset()
    for address in (at, house.phone.gateway6):
        for port in (80, 5000):
            assert tcp_probe(phone, address, port, seconds=0.5).kind != "open"
        assert ping6(phone, address, seconds=0.5).kind != "open"
    assert fetch(phone, house.vpn(house.alpha)) == "printer-a\n"  # its config stays good for IPv4
    assert "::" not in str(parse(house.gateway.enroll("four")["config"]))

    switch(house, ON)
    assert house.gateway.json("status")["gateway"]["tunnel6"] == prefix
    assert fetch(phone, at, 5000) == "gate\n"
    switch(house, "tunnel6 = fd99::/80")
    assert house.gateway.peer("phone")["address6"] == "fd99::a4d:1401"
    assert "IPv6 prefix was" in house.gateway.log_text()
    assert fetch(phone, house.vpn(house.alpha)) == "printer-a\n"

    house.gateway.stop()
    with open(kept, "w") as f:
        f.write("fd99::1/64\n")
    with open(house.gateway.config) as f:
        text = f.read()
    house.gateway.configure(re.sub("tunnel6 = .*", ON, text))
    assert "tunnel6 in the state folder is damaged" in house.gateway.run_printgated(
        check=False).stderr


def test_a_machine_without_ipv6_says_so(new_house):
    house = new_house(enrolled=False)
    house.gateway.stop()
    house.gateway.down()
    for name in ("all", "default"):
        house.gate.sysctl(f"net.ipv6.conf.{name}.disable_ipv6", 1)
    with open(house.gateway.config) as f:
        text = f.read()
    house.gateway.configure(text.replace("[web]", f"{ON}\n[web]"))
    done = house.gateway.run_printgated(check=False)
    assert done.returncode and "IPv6 is disabled on this machine" in done.stderr
    house.gateway.configure(text)
    house.gateway.start()
