# SPDX-License-Identifier: GPL-2.0-or-later
"""The plug is pulled again and again during the first boot, each time when something has just come to be: QEMU is
ended by force, and with it goes what the guest had not written yet. Each boot goes on from where the disks
are, and in the end a phone gets in by the code that is shown then, to its printers, as if nothing had been."""

import disks
import visit

BOOT, STATE = "/boot/firmware", "/var/lib/printgate"

# What the guest waits for, in the order in which it happens.
MOMENTS = {
    "the configuration is being written": "[ -e /etc/printgate ]",
    "the gateway has a key": f"[ -e {STATE}/net/gateway.key ]",
    "the store is being made": f"[ -e {STATE}/core/printgate.db ]",
    "the file is gone": f"[ ! -e {BOOT}/printgate.conf ]",
    "the code is shown": "[ -e /run/printgate-firstboot/printgate.issue ]",
}


def test_power_cuts_during_the_first_boot(device, start, outside):
    card = device(visit.first_boot_file())
    for moment in MOMENTS.values():
        gateway = start(card, moment=moment, warm=True)
        gateway.await_moment()
        gateway.pull_the_plug()

    gateway = start(card, warm=True)
    phone = visit.enter(outside, card.folder, visit.see_code(gateway))
    gateway.is_up()
    peer, = visit.ask(gateway, "list")["peers"]
    assert peer["name"] == visit.NAME and {p["name"] for p in peer["printers"]} == {"voron", "own"}
    assert set(visit.places(gateway)) == {"voron", "own"}
    visit.serves(gateway)
    visit.reaches(phone, visit.places(gateway))
    phone.leave()
    gateway.power_off()
    assert set(disks.fat_files(card.boot)) == {"printgate.applied.txt"}
