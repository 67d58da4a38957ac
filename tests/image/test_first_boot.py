# SPDX-License-Identifier: GPL-2.0-or-later
"""The first boot of an image without a person, the second, and that of another device."""

import base64

import pytest

import disks
import visit
from probes import udp_probe
from screen import codes


class First:
    """A device after its first boot, with a phone that took the code from the console."""

    def __init__(self, device, start, outside):
        self.disks = device(visit.first_boot_file())
        self.pristine = disks.contents(self.disks.root)
        self.found_before = leftovers(self.disks, provisioning_text())
        self.machine = start(self.disks)
        self.config = visit.see_code(self.machine)
        self.phone = visit.enter(outside, self.disks.folder, self.config)
        self.machine.is_up()
        self.at = visit.places(self.machine)
        self.key = visit.public_key(self.machine)


def provisioning_text():
    return [visit.REMARK.encode(), f"[enroll {visit.NAME}]".encode(), "“203.0.113.1".encode()]


def leftovers(device, patterns):
    """Which of these bytes are anywhere on its disks."""
    found = set()
    for path in device.all().values():
        with open(path, "rb") as f:
            data = f.read()
        found |= {p for p in patterns if p in data}
    return found


@pytest.fixture(scope="module", name="first")
def _first(device, start, outside):
    return First(device, start, outside)


def test_a_phone_takes_the_code_from_the_console_and_reaches_its_printers_only(first):
    assert first.config.count("PrivateKey") == 1
    visit.serves(first.machine)
    visit.reaches(first.phone, first.at)
    visit.is_refused(first.phone, first.at)
    assert udp_probe(first.phone.node, "203.0.113.1", 51820, seconds=1).kind == "timeout"


def test_the_boot_partition_says_what_was_applied_and_keeps_no_secret(first):
    first.machine.run("sync")
    files = disks.fat_files(first.disks.boot)
    assert set(files) == {"printgate.applied.txt"}
    told = files["printgate.applied.txt"].decode()
    for word in (first.key, "203.0.113.1:51820", "voron", "own", visit.NAME):
        assert word in told
    assert first.phone.config["Interface"]["PrivateKey"] not in told


def test_the_code_goes_away_when_the_phone_has_connected(first):
    gateway = first.machine
    gateway.run("until [ ! -e /run/printgate-firstboot/printgate.issue ]; do busybox usleep 100000; done")
    gateway.run("until [ $(systemctl is-active printgate-firstboot) = inactive ]; do busybox usleep 100000; done")
    assert "Result=success" in gateway.run("systemctl show -p Result printgate-firstboot")
    peer, = visit.ask(gateway, "list")["peers"]
    assert peer["name"] == visit.NAME and peer["state"] != "waiting"
    assert "PrivateKey" not in gateway.run("journalctl -b --no-pager")
    assert "█" not in gateway.run("journalctl -b --no-pager")


def test_another_start_is_the_same_gateway_without_a_code(first, start):
    first.machine.power_off()
    again = start(first.disks, warm=True)
    again.is_up()
    assert visit.public_key(again) == first.key
    first.phone.renew()
    first.phone.connect()
    visit.serves(again)
    visit.reaches(first.phone, first.at)
    assert "login:" in again.console and not codes(again.console)
    again.power_off()


def test_another_device_from_the_same_image_has_other_keys(first, device, start):
    other = device(visit.first_boot_file())
    assert disks.contents(other.root) == first.pristine
    machine = start(other, warm=True)
    config = visit.see_code(machine)
    assert visit.public_key(machine) != first.key
    assert first.phone.config["Interface"]["PrivateKey"] not in config
    assert first.phone.config["Peer"]["PresharedKey"] not in config
    machine.pull_the_plug()


def test_no_disk_keeps_a_phones_private_key_or_the_file(first):
    """The controls: what is looked for was there, and is found by this way of looking."""
    private = first.phone.config["Interface"]["PrivateKey"]
    assert first.found_before == set(provisioning_text())
    assert first.machine.process.poll() is not None
    forbidden = {private.encode(), private.rstrip("=").encode(), base64.b64decode(private),
                 base64.b64decode(private).hex().encode(), *provisioning_text()}
    there = {first.key.encode(), b"203.0.113.1:51820",
             base64.b64decode(first.phone.config["Peer"]["PresharedKey"])}
    assert leftovers(first.disks, forbidden | there) == there
