# SPDX-License-Identifier: GPL-2.0-or-later
"""An image whose root is read-only, with one partition for the state; and a file that is wrong."""

import disks
import visit


def test_a_read_only_root_stays_as_it_was_made(device, start, outside):
    card = device(visit.first_boot_file(), kind="ro")
    before = disks.contents(card.root)
    gateway = start(card)
    config = visit.see_code(gateway)
    phone = visit.enter(outside, card.folder, config)
    gateway.is_up()
    at, key = visit.places(gateway), visit.public_key(gateway)
    assert gateway.run("touch /etc/written", check=False).endswith("Read-only file system")
    assert "203.0.113.1" in gateway.run("cat /var/lib/printgate/printgate.conf")
    visit.reaches(phone, at)
    gateway.power_off()
    assert disks.contents(card.root) == before, "the first boot has written to the root partition"
    assert set(disks.fat_files(card.boot)) == {"printgate.applied.txt"}

    gateway = start(card, warm=True)
    gateway.is_up()
    assert visit.public_key(gateway) == key
    phone.renew()
    phone.connect()
    visit.serves(gateway)
    visit.reaches(phone, at)
    gateway.power_off()
    assert disks.contents(card.root) == before, "the second boot has written to the root partition"
    phone.leave()


def test_a_file_with_a_mistake_applies_nothing_and_is_told(device, start):
    files = visit.first_boot_file("[printer second]", "address = 192.168.50.300", "ports = tcp/80")
    line = files["printgate.conf"].decode().splitlines().index("address = 192.168.50.300") + 1
    card = device(files)
    gateway = start(card)
    gateway.shows(f"line {line}: .*192\\.168\\.50\\.300")
    gateway.run("until [ $(systemctl is-active printgate-firstboot) = failed ]; do busybox usleep 100000; done")
    assert gateway.run("ls -A /var/lib/printgate /etc/printgate", check=False).count("No such file") == 2
    assert gateway.run("cat /sys/class/net/wg0/ifindex", check=False).endswith("No such file or directory")
    gateway.power_off()
    found = disks.fat_files(card.boot)
    assert set(found) == {"printgate.conf", "printgate.error.txt"}
    assert found["printgate.conf"] == files["printgate.conf"]
    told = found["printgate.error.txt"].decode()
    assert told.startswith(f"printgate.conf: line {line}: ") and "192.168.50.300" in told
    assert "Nothing was applied." in told
