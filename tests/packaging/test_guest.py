# SPDX-License-Identifier: GPL-2.0-or-later
"""The package on a running system: Debian with its own kernel and systemd as PID 1, in QEMU. What is
asked there is in guest.py; this only builds the system and boots it."""

import os
import shutil

import deblab
import vm

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = 1200  # for failures only


def prepare(root, deb, newer):
    test = os.path.join(root, "test")
    os.makedirs(test)
    for path, name in ((deb, "printgate.deb"), (newer, "newer.deb"),
                       (os.path.join(HERE, "guest.py"), "guest.py"),
                       (os.path.join(HERE, "guest_first.py"), "guest_first.py"),
                       (os.path.join(HERE, "first.sh"), "first.sh")):
        shutil.copy(path, os.path.join(test, name))
    units = os.path.join(root, "etc", "systemd", "system")
    shutil.copy(os.path.join(HERE, "guest.service"), units)
    # The test decides what is in the kernel, and nobody asks at a first boot.
    for unit in ("systemd-firstboot.service", "getty-static.service", "getty@.service",
                 "serial-getty@.service",
                 "apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer",
                 "e2scrub_reap.service", "fstrim.timer", "systemd-binfmt.service",
                 "dpkg-db-backup.timer", "systemd-timesyncd.service"):
        os.symlink("/dev/null", os.path.join(units, unit))
    wants = os.path.join(units, "multi-user.target.wants")
    os.makedirs(wants, exist_ok=True)
    os.symlink("/etc/systemd/system/guest.service", os.path.join(wants, "guest.service"))
    # As on Raspberry Pi OS; and the root can be made read-only only if nobody writes.
    journald = os.path.join(root, "etc", "systemd", "journald.conf.d")
    os.makedirs(journald)
    with open(os.path.join(journald, "volatile.conf"), "w") as f:
        f.write("[Journal]\nStorage=volatile\n")
    with open(os.path.join(root, "etc", "hostname"), "w") as f:
        f.write("gateway\n")
    with open(os.path.join(root, "etc", "machine-id"), "w"):
        pass


def test_the_package_lives_under_systemd(root, deb, newer, tmp_path, capfd):
    prepare(root, deb, newer)
    disk = str(tmp_path / "state.img")
    with open(disk, "wb") as f:
        f.truncate(32 << 20)
    deblab.run("mke2fs", "-q", "-t", "ext4", "-L", "state",
               "-E", "lazy_itable_init=0,lazy_journal_init=0", disk)
    passed = vm.boot("-", 1024, SECONDS, root=root, first="/test/first.sh",
                     more=("-drive", f"file={disk},format=raw,if=virtio",
                           "-rtc", "base=2001-01-01T00:00:00"))
    said = capfd.readouterr().out
    with open(os.path.join(deblab.BUILD, "packaging", "guest.log"), "w") as f:
        f.write(said)
    assert passed, said[-40000:]
    print("\n".join(l for l in said.splitlines() if l.startswith("guest: ")))
