# SPDX-License-Identifier: GPL-2.0-or-later
"""Taking rights away: running streams stop within a second, nothing is inherited; giving them
needs no new QR code."""

import time

import pytest

import house as h
import lab as place
from node import SLOW, await_that
from probes import AT_ONCE, Witness, ping, tcp_probe, udp_probe
from servers import Echoes, WebServer, download, fetch, view

WITHIN = 1.0 * SLOW  # seconds from the verb's return to the last byte
END = 3.0 * SLOW     # seconds until the end of a grant that has one
QUIET = 2.5 * SLOW   # how long the streams are watched after it


@pytest.fixture
def streams(new_house):
    """Running streams from alpha, which will be taken away, and from beta, which will not."""
    house = new_house()
    house.gateway.json("allow", "phone", "beta")
    phone = house.phone.node
    house.tcp, house.udp = [
        make(phone, house.vpn(house.alpha), port)
        for make, port in ((download, 80), (view, h.CAMERA))]
    house.other = download(phone, house.vpn(house.beta))
    yield house
    for reader in (house.tcp, house.udp, house.other):
        reader.close()


def stopped_in_time(house, returned):
    sent = house.cameras[0].sent
    await_that(lambda: time.monotonic() > returned + QUIET, QUIET + 1)
    for reader in (house.tcp, house.udp):
        assert reader.last < returned + WITHIN, f"{reader.last - returned:.2f} s"
    assert house.cameras[0].sent > sent + 10, "the camera had stopped by itself"


def test_deny_stops_running_streams_of_that_printer_only(streams):
    streams.gateway.json("deny", "phone", "alpha")
    stopped_in_time(streams, time.monotonic())
    streams.other.flows()
    answer = tcp_probe(streams.phone.node, streams.vpn(streams.alpha), 80)
    assert answer.kind == "refused" and answer.seconds < AT_ONCE

    streams.gateway.json("allow", "phone", "alpha")
    for again in (download(streams.phone.node, streams.vpn(streams.alpha)),
                  view(streams.phone.node, streams.vpn(streams.alpha), h.CAMERA)):
        again.close()


@pytest.mark.parametrize("verb", ["revoke", "disable"])
def test_shutting_a_phone_out_stops_all_its_streams(streams, verb):
    streams.gateway.json(verb, "phone")
    returned = time.monotonic()
    stopped_in_time(streams, returned)
    assert streams.other.last < returned + WITHIN
    assert streams.gateway.wireguard_peers() == {}
    assert streams.gateway.elements("grants") == []


def test_removing_a_printer_stops_its_streams(streams):
    streams.gateway.json("printer", "remove", "alpha")
    stopped_in_time(streams, time.monotonic())
    streams.other.flows()


def test_a_disabled_phone_comes_back_without_a_new_code(new_house):
    house = new_house()
    house.gateway.json("disable", "phone")
    assert tcp_probe(house.phone.node, house.vpn(house.alpha), 80, seconds=0.5).kind != "open"
    house.gateway.json("enable", "phone")
    await_that(lambda: tcp_probe(house.phone.node, house.vpn(house.alpha), 80).kind == "open", 30)


def test_a_grant_with_an_end_ends_by_itself(new_house):
    house = new_house()
    house.gateway.json("allow", "phone", "beta", "--for", f"{END:.0f}s")
    began = time.monotonic()
    reader = view(house.phone.node, house.vpn(house.beta), h.CAMERA)
    await_that(lambda: time.monotonic() > began + END + QUIET, 10)
    assert began + END * 2 / 3 < reader.last < began + END + WITHIN
    reader.close()
    assert tcp_probe(house.phone.node, house.vpn(house.beta), 80).kind == "refused"


def test_a_grant_with_an_end_ends_though_all_processes_are_dead(new_house):
    house = new_house()
    house.gateway.json("allow", "phone", "beta", "--for", f"{END:.0f}s")
    began = time.monotonic()
    reader = view(house.phone.node, house.vpn(house.beta), h.CAMERA)
    house.gateway.kill("printgated")
    house.gateway.await_end()
    await_that(lambda: time.monotonic() > began + END + QUIET, 10)
    assert began + END * 2 / 3 < reader.last < began + END + WITHIN
    reader.close()


@pytest.mark.parametrize("ended", [False, True], ids=["granted", "ended"])
def test_a_reused_address_inherits_nothing(new_house, ended):
    """A /28 has room for few phones: the address soon comes again. The old phone's grant was there
    until it was revoked, or had ended by itself before."""
    house = new_house(tunnel="10.77.16.0/28")
    address = house.phone.address
    stream = view(house.phone.node, house.vpn(house.alpha), h.CAMERA)
    if ended:
        house.gateway.json("allow", "phone", "alpha", "--for", "1s")
        await_that(lambda: house.gateway.elements("grants") == [])
    house.gateway.json("revoke", "phone")
    for number in range(20):
        peer = house.gateway.enroll(f"next {number}", "--no-qr")["peer"]
        if peer["address"] == address:
            break
        house.gateway.json("revoke", f"next {number}")
    assert peer["address"] == address
    assert house.gateway.elements("grants") == []

    house.gateway.json("revoke", f"next {number}")
    for number in range(20, 40):
        enrolled = house.gateway.enroll(f"next {number}", "--no-qr")
        if enrolled["peer"]["address"] == address:
            break
        house.gateway.json("revoke", f"next {number}")
    # the camera still streams at the old phone's address and port
    house.phone2.join(enrolled["config"])
    with Witness(house.phone2.node, house.phone2.interface) as witness:
        house.phone2.connect()
        sent = house.cameras[0].sent
        await_that(lambda: house.cameras[0].sent > sent + 50)
        assert not [p for p in witness.take() if p.protocol == 17]
    assert tcp_probe(house.phone2.node, house.vpn(house.alpha), 80).kind == "refused"
    assert udp_probe(house.phone2.node, house.vpn(house.alpha), 5000).kind == "prohibited"
    stream.close()


def test_a_new_printer_needs_no_new_code(new_house):
    house = new_house()
    printer = house.node("printer-c")
    house.plug_lan(printer, "192.168.50.13/24")
    house.serve(WebServer(printer))
    at = house.gateway.add_printer("gamma", "192.168.50.13", "--preset", "web")["vpn_address"]
    assert tcp_probe(house.phone.node, at, 80).kind == "refused"
    house.gateway.json("allow", "phone", "gamma")
    assert fetch(house.phone.node, at) == "printer-c\n"
    assert tcp_probe(house.phone.node, house.vpn(house.beta), 80).kind == "refused"


def test_a_printer_subnet_is_mapped_host_by_host(new_house):
    """A print farm's VLAN behind the gateway: no new code, and only the granted ports."""
    house = new_house()
    farm = []
    for last in (5, 77):
        node = house.node(f"farm-{last}")
        house.plug_lan(node, f"172.30.9.{last}/24")
        house.serve(WebServer(node))
        house.serve(Echoes(node, tcp=[22], udp=[5000]))
        farm.append((last, node))
    house.gate.address("lan", "172.30.9.1/24")
    vpn = house.gateway.add_printer("farm", "172.30.9.0/24", "--port", "tcp/80,udp/5000")
    assert vpn["vpn_address"].endswith("/24")
    base = vpn["vpn_address"].rsplit(".", 1)[0]
    assert tcp_probe(house.phone.node, f"{base}.5", 80).kind == "refused"
    house.gateway.json("allow", "phone", "farm")
    for last, node in farm:
        assert fetch(house.phone.node, f"{base}.{last}") == f"farm-{last}\n"
        assert udp_probe(house.phone.node, f"{base}.{last}", 5000).kind == "open"
        assert ping(house.phone.node, f"{base}.{last}").kind == "open"
        assert tcp_probe(house.phone.node, f"{base}.{last}", 22).kind == "refused"
    stream = download(house.phone.node, f"{base}.5")
    house.gateway.json("deny", "phone", "farm")
    returned = time.monotonic()
    await_that(lambda: time.monotonic() > returned + QUIET, QUIET + 1)
    assert stream.last < returned + WITHIN
    stream.close()
    assert tcp_probe(house.phone.node, f"{base}.5", 80).kind == "refused"


def test_the_gateway_itself_as_a_printer(new_house):
    house = new_house()
    house.serve(WebServer(house.gate, 5000))
    house.serve(Echoes(house.gate, tcp=[22, 8000]))
    at = house.gateway.add_printer("octopi", "self", "--port", "tcp/5000")["vpn_address"]
    assert tcp_probe(house.phone.node, at, 5000).kind == "refused"
    house.gateway.json("allow", "phone", "octopi")
    assert fetch(house.phone.node, at, 5000) == "gate\n"
    for address in (at, house.phone.gateway):
        for port in (22, 8000):
            answer = tcp_probe(house.phone.node, address, port)
            assert answer.kind == "refused" and answer.seconds < AT_ONCE
    assert tcp_probe(house.phone.node, house.phone.gateway, 5000).kind == "refused"
    stream = download(house.phone.node, at, 5000)
    house.gateway.json("deny", "phone", "octopi")
    returned = time.monotonic()
    await_that(lambda: time.monotonic() > returned + QUIET, QUIET + 1)
    assert stream.last < returned + WITHIN
    stream.close()


def test_lan_addresses_are_never_told(new_house):
    house = new_house()
    assert "192.168" not in str(house.phone.config)
    assert place.A not in fetch(house.phone.node, house.phone.gateway)
