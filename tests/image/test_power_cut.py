# SPDX-License-Identifier: GPL-2.0-or-later
"""The plug is pulled during the first boot, at the moments at which something has just come to be: QEMU is
ended by force, and with it goes what the guest had not written yet. The next boot completes it, and a phone
gets in by the code that is shown then."""

import pytest

import disks
import visit

STATE = "/var/lib/printgate"

# A condition in the guest, and whether anything of the file may have been applied by then.
MOMENTS = {
    "the configuration is being written": "[ -e /etc/printgate ]",
    "the gateway has a key": f"[ -e {STATE}/net/gateway.key ]",
    "the store is there": f"[ -s {STATE}/core/printgate.db-wal ]",
    "the peer is enrolled": "[ -e /boot/firmware/printgate.applied.txt ] || "
                            "wg0=$(cat /sys/class/net/wg0/ifindex 2>/dev/null) && [ -n \"$wg0\" ]",
    "the file is gone": "[ ! -e /boot/firmware/printgate.conf ]",
    "the code is shown": "[ -e /run/printgate-firstboot/printgate.issue ]",
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_power_cut_while(moment, device, start, outside):
    card = device(visit.first_boot_file())
    gateway = start(card, moment=MOMENTS[moment])
    gateway.await_moment()
    gateway.pull_the_plug()

    gateway = start(card)
    phone = visit.enter(outside, card.folder, visit.see_code(gateway))
    gateway.is_up()
    peer, = visit.ask(gateway, "list")["peers"]
    assert peer["name"] == visit.NAME and {p["name"] for p in peer["printers"]} == {"voron", "own"}
    visit.serves(gateway)
    visit.reaches(phone, visit.places(gateway))
    phone.leave()
    gateway.power_off()
    assert set(disks.fat_files(card.boot)) <= {"printgate.applied.txt"}
