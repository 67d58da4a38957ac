# SPDX-License-Identifier: GPL-2.0-or-later
"""A printer whose address is public, as in a university's network, while the gateway has no address
there: a lease has ended, a cable is out. It alone is closed; before, the whole gateway did not start."""

import pytest

from house import GRANTED
from node import await_that
from probes import Witness, tcp_probe

PUBLIC, OURS = "130.89.1.12", "130.89.1.2/24"


@pytest.fixture
def campus(home):
    home.gate.batch(f"address add {OURS} dev lan")
    home.printer_b.batch(f"address add {PUBLIC}/24 dev lan")
    home.campus = home.gateway.add_printer("campus", PUBLIC, "--port", GRANTED)
    home.gateway.run("allow", "phone", "campus")
    yield home
    home.gateway.run("printer", "remove", "campus")
    home.printer_b.batch(f"address del {PUBLIC}/24 dev lan")
    home.gate.net("ip", "address", "del", OURS, "dev", "lan", check=False)


def kind(house, printer):
    return tcp_probe(house.phone.node, house.vpn(printer), 80, 1).kind


def is_switched(house, interface):
    return house.gate.net("cat", f"/proc/sys/net/ipv4/conf/{interface}/forwarding").stdout == "1\n"


def test_the_others_are_open_and_it_is_closed_until_the_network_is_back(campus):
    gate = campus.gate
    assert kind(campus, campus.campus) == "open"
    gate.batch(f"address del {OURS} dev lan")
    # The kernel has another way at once; that there is none is printgated's word, moments later.
    await_that(lambda: kind(campus, campus.campus) == "prohibited", what="the printer without a network")
    with Witness(campus.internet, "street") as street:
        for again in (lambda: None, lambda: campus.gateway.run("lock"),
                      lambda: campus.gateway.run("unlock"), campus.gateway.stop, campus.gateway.start):
            again()
        await_that(lambda: kind(campus, campus.alpha) == "open", what="the other printer")
        await_that(lambda: kind(campus, campus.campus) == "prohibited", what="the answer that it is closed")
        assert not [p for p in street.take() if p.destination == PUBLIC], "it was led to the internet"
    assert not is_switched(campus, "wan")
    gate.batch(f"address add {OURS} dev lan")
    await_that(lambda: kind(campus, campus.campus) == "open", what="the printer's return")


def test_it_is_not_added_while_it_is_nobodys(campus):
    campus.gate.batch(f"address del {OURS} dev lan")
    status, code, sentence = campus.gateway.fails("printer", "add", "another", PUBLIC, "--port", "tcp/80")
    assert (status, code) == (1, "bad_address") and "own network" in sentence
    assert kind(campus, campus.alpha) == "open"
