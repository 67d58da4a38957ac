# SPDX-License-Identifier: GPL-2.0-or-later
"""A phone reaches exactly the granted services, and everything else is refused at once."""

import pytest

import lab as place
from house import House
from probes import AT_ONCE, Witness, ping, ping6_sent, tcp_probe, udp_probe
from servers import Echoes, fetch, start_ipp_printer

REFUSED = ("refused", "prohibited")


def refused(answer):
    assert answer.kind in REFUSED and answer.seconds < AT_ONCE, answer
    return True


@pytest.fixture(scope="module", params=["on the internet", "behind a forwarding router"])
def home(request):
    with House(behind_router=request.param != "on the internet") as h:
        h.serve(Echoes(h.gate, tcp=[22, 8000], udp=[53]))
        h.serve(Echoes(h.internet, tcp=[80], udp=[53]))
        h.enter(h.phone2, "phone 2", "--printer", "alpha")
        h.serve(Echoes(h.phone2.node, tcp=[80], udp=[5000]))
        yield h


@pytest.fixture
def greedy(home):
    """The phone sends everything it is asked to into the tunnel."""
    home.phone.grow_greedy(place.LAN, "203.0.113.80/32", f"{home.phone2.address}/32",
                           "198.51.100.0/24")
    yield home.phone.node


def test_granted_services_answer(home):
    phone, at = home.phone.node, home.vpn(home.alpha)
    assert fetch(phone, at) == "printer-a\n"
    assert tcp_probe(phone, at, 8080).kind == "open"
    assert udp_probe(phone, at, 5000).data == b"printer-a probe"
    assert ping(phone, at).kind == "open"


def test_the_page_answers_and_knows_the_viewer(home):
    assert "alpha" in fetch(home.phone.node, home.phone.gateway)
    assert ping(home.phone.node, home.phone.gateway).kind == "open"


def test_ungranted_services_of_a_granted_printer_are_refused_at_once(home):
    phone, at = home.phone.node, home.vpn(home.alpha)
    with Witness(home.printer_a, "lan") as witness:
        for port in (22, 631, 1, 65535):
            assert refused(tcp_probe(phone, at, port))
        for port in (53, 80, 8080, 1):
            assert refused(udp_probe(phone, at, port))
        assert tcp_probe(phone, at, 80).kind == "open"
        arrived = witness.await_one(lambda p: p.port == 80)
    assert {(p.protocol, p.port) for p in arrived} == {(6, 80)}


def test_a_printer_without_a_grant_is_refused_at_once_and_sees_nothing(home):
    phone, at = home.phone.node, home.vpn(home.beta)
    with Witness(home.printer_b, "lan") as witness:
        for port in (80, 8080, 22):
            assert refused(tcp_probe(phone, at, port))
        assert refused(udp_probe(phone, at, 5000))
        assert refused(ping(phone, at))
        assert witness.take() == []


def test_unused_addresses_of_the_house_are_refused(home):
    for address in (str(home.phone.house[40]), str(home.phone.house[-2])):
        assert refused(tcp_probe(home.phone.node, address, 80))
        assert refused(udp_probe(home.phone.node, address, 5000))
        assert refused(ping(home.phone.node, address))


def test_lan_addresses_are_refused_even_those_of_granted_printers(home, greedy):
    nodes = {place.A: home.printer_a, place.B: home.printer_b, place.HOST: home.host,
             place.HOME_LAN: home.home}
    for address, node in nodes.items():
        with Witness(node, "lan") as witness:
            for port in (80, 8080, 22):
                assert refused(tcp_probe(greedy, address, port))
            assert refused(udp_probe(greedy, address, 5000))
            assert refused(ping(greedy, address))
            assert [p for p in witness.take() if p.source != place.GATEWAY_LAN
                    or p.protocol != 17] == [], address


def test_the_internet_is_refused(home, greedy):
    assert refused(tcp_probe(greedy, place.PUBLIC, 80))
    assert refused(udp_probe(greedy, place.PUBLIC, 53))
    assert refused(ping(greedy, place.PUBLIC))


def test_other_phones_are_refused_and_see_nothing(home, greedy):
    with Witness(home.phone2.node, home.phone2.interface) as witness:
        assert refused(tcp_probe(greedy, home.phone2.address, 80))
        assert refused(udp_probe(greedy, home.phone2.address, 5000))
        assert refused(ping(greedy, home.phone2.address))
        assert witness.take() == []


def test_the_gateway_is_refused_at_all_its_addresses(home, greedy):
    addresses = [home.phone.gateway, place.GATEWAY_LAN]
    if not home.behind_router:
        addresses.append(place.GATEWAY_WAN)
    into = home.phone.interface  # the endpoint's address too: the route would lead past the tunnel
    for address in addresses:
        for port in (22, 8000, 51880):
            assert refused(tcp_probe(greedy, address, port, device=into)), (address, port)
        assert refused(udp_probe(greedy, address, 53, device=into))
        if address != home.phone.gateway:
            assert refused(ping(greedy, address, device=into))


def test_ipv6_from_the_tunnel_reaches_nothing(home, greedy):
    interface = home.phone.interface
    greedy.sysctl(f"net.ipv6.conf.{interface}.disable_ipv6", 0)
    greedy.address(interface, "fd77::2/64")
    targets = {f"{place.LAN6}11": home.printer_a, f"{place.LAN6}2": home.gate}
    for address, node in targets.items():
        greedy.run("ip", "-6", "route", "replace", f"{address}/128", "dev", interface)
        with Witness(node, "lan") as witness:
            ping6_sent(greedy, address, interface)
            assert tcp_probe(greedy, address, 80, seconds=0.3).kind != "open"
            assert udp_probe(greedy, address, 5000, seconds=0.3).kind != "open"
            # through the same tunnel, later: what went before would have arrived before
            assert tcp_probe(home.phone.node, home.vpn(home.alpha), 80).kind == "open"
            assert not [p for p in witness.take() if ":" in p.source and p.source[:4] == "fd77"]


def test_a_lan_host_cannot_enter_by_the_gateway(home):
    tunnel = home.gateway.tunnel
    with Witness(home.phone.node, home.phone.interface) as witness:
        home.host.run("ip", "route", "replace", tunnel, "via", place.GATEWAY_LAN)
        for address in (home.phone.address, home.phone.gateway, home.vpn(home.alpha)):
            assert tcp_probe(home.host, address, 80, seconds=0.4).kind != "open"
            assert ping(home.host, address, seconds=0.4).kind != "open"
        assert witness.take() == []


def test_the_gateway_does_not_become_a_router_for_its_lan(home):
    home.host.run("ip", "route", "replace", "203.0.113.80/32", "via", place.GATEWAY_LAN)
    with Witness(home.internet, "street") as witness:
        assert tcp_probe(home.host, place.PUBLIC, 80, seconds=0.4).kind != "open"
        assert not [p for p in witness.take() if p.destination == place.PUBLIC]
    home.host.run("ip", "route", "del", "203.0.113.80/32")


def test_two_phones_use_one_printer_side_by_side(home):
    at = home.vpn(home.alpha)
    for phone in (home.phone, home.phone2):
        assert fetch(phone.node, at) == "printer-a\n"


def test_a_real_ipp_printer_answers_through_the_tunnel(new_house):
    house = new_house(enrolled=False)
    printer = house.node("ipp")
    house.plug_lan(printer, "192.168.50.30/24")
    start_ipp_printer(printer, house.folder)
    at = house.gateway.add_printer("paper", "192.168.50.30", "--preset", "ipp")["vpn_address"]
    house.enter(house.phone, "phone", "--printer", "paper")
    answer = house.phone.node.out("ipptool", "-tv", f"ipp://{at}:631/ipp/print",
                                  "get-printer-attributes.test")
    assert "[PASS]" in answer
