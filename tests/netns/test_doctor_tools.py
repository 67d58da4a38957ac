# SPDX-License-Identifier: GPL-2.0-or-later
"""doctor beside the real ufw and firewalld. Both are long Python programs, and what they ask of the
kernel is nftables as in test_doctor.py: the emulated run does without this file."""

import pytest

import firewalls
from firewalls import doctor, helped, reaches, reaches_nothing_else
from node import Timeout
from phone import read_qr
from probes import PROBE_SECONDS, tcp_probe


def test_ufw(home, tmp_path):
    house = home
    ufw = firewalls.Ufw(house.gate, str(tmp_path))
    try:
        ufw.run("--force", "enable")
        assert not reaches(house)
        checks = helped(house, "ufw")
        assert reaches(house) and reaches_nothing_else(house)
        ufw.run("reload")
        assert reaches(house) and doctor(house)[0] == 0, checks
    finally:
        firewalls.clear(house.gate)


def test_firewalld(new_house, tmp_path):
    """Its policy for what was translated lets phones to printers; it is WireGuard's own port that it
    shuts, and this machine to the tunnel. The port's zone is another than the default one."""
    house = new_house()
    self_printer = house.gateway.add_printer("octopi", "self", "--port", "tcp/22")
    firewalld = firewalls.Firewalld(house.gate, str(tmp_path))
    firewalld.shell("firewall-cmd --permanent --zone=external --add-interface=wan && "
                    "firewall-cmd --reload")
    png = str(tmp_path / "late.png")
    house.gateway.run("enroll", "late", "--printer", "alpha", "--output", png)
    house.phone2.join(read_qr(png))
    with pytest.raises(Timeout):
        house.phone2.connect(PROBE_SECONDS)
    helped(house, "firewalld", firewalld.shell)
    house.phone2.connect()
    assert tcp_probe(house.phone2.node, house.vpn(house.alpha), 80).kind == "open"
    assert reaches(house) and reaches_nothing_else(house)
    assert tcp_probe(house.phone.node, house.vpn(self_printer), 22).kind != "open"  # not granted
