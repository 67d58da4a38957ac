# SPDX-License-Identifier: GPL-2.0-or-later
"""The disks that the system of debian.py boots from, each its own file: root (ext4), the boot partition (FAT),
and for a read-only root the state; and kernel and initrd, which QEMU starts. All without a mount, so without
loop devices. What the tests need in the guest (guest/) is put in here, and is the only thing that a maker
of images would not."""

import os
import shutil
import subprocess
import tarfile
import tempfile

import debian
from debian import HERE, cached, contents, copy, digest, run

GUEST = os.path.join(HERE, "guest")
ROOT_MIB = 448
FAT_MIB = 34  # the least that is a FAT32
STATE_MIB = 32

FSTAB = {
    "rw": ("LABEL=root / ext4 rw,noatime 0 0\n",),
    # Where a root is read-only, what wants to write has memory.
    "ro": ("LABEL=root / ext4 ro,noatime 0 0\n", "LABEL=state /var/lib/printgate ext4 noatime 0 0\n",
           "tmpfs /tmp tmpfs mode=1777 0 0\n", "tmpfs /var/log tmpfs mode=755 0 0\n",
           "tmpfs /var/lib/systemd tmpfs mode=755 0 0\n"),
}
FSTAB_FAT = "LABEL=BOOTFS /boot/firmware vfat noatime 0 0\n"

# Nobody logs in here, and nothing is to be found out about hardware.
MASKED = ("getty-static.service", "serial-getty@hvc0.service", "systemd-firstboot.service", "ldconfig.service",
          "systemd-hwdb-update.service", "systemd-timesyncd.service", "systemd-binfmt.service",
          "systemd-journal-catalog-update.service", "systemd-update-done.service", "systemd-update-utmp.service",
          "systemd-update-utmp-runlevel.service", "systemd-user-sessions.service",
          "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer",
          "e2scrub_reap.service", "fstrim.timer", "systemd-logind.service", "systemd-pcrphase.service",
          "systemd-pcrphase-sysinit.service", "modprobe@drm.service", "modprobe@fuse.service",
          "modprobe@configfs.service", "modprobe@dm_mod.service", "modprobe@efi_pstore.service",
          "modprobe@loop.service", "dev-mqueue.mount", "dev-hugepages.mount", "getty@.service",
          "systemd-udev-settle.service", "systemd-networkd-wait-online.service",
          "systemd-network-generator.service", "systemd-machine-id-commit.service")


def write(root, path, text, mode=0o644):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


# All devices there are would be asked for otherwise, some hundred, which takes half of the boot.
COLDPLUG = """[Service]
ExecStart=
ExecStart=-udevadm trigger --type=all --action=add --prioritized-subsystem=module,block --subsystem-match=block \
	--subsystem-match=virtio --subsystem-match=net --subsystem-match=misc
ExecStart=-udevadm trigger --action=add --sysname-match=ttyAMA0 --sysname-match=random
"""


def furnish(root, kind):
    """What the maker of an image decides, and what the tests put in."""
    write(root, "etc/fstab", "".join(FSTAB[kind]) + FSTAB_FAT)
    write(root, "etc/hostname", "gateway\n")
    write(root, "etc/machine-id", "")
    # As on Raspberry Pi OS.
    write(root, "etc/systemd/journald.conf.d/volatile.conf", "[Journal]\nStorage=volatile\n")
    for path in ("boot/firmware", "var/lib/printgate" if kind == "ro" else "srv"):
        os.makedirs(os.path.join(root, path), exist_ok=True)
    units = os.path.join(root, "etc", "systemd", "system")
    write(units, "systemd-udev-trigger.service.d/few.conf", COLDPLUG)
    for unit in MASKED:
        os.symlink("/dev/null", os.path.join(units, unit))
    for name in ("shell", "moment", "lan"):
        copy(os.path.join(GUEST, name), os.path.join(root, "test", name), 0o755)
        copy(os.path.join(GUEST, f"test-{name}.service"), os.path.join(units, f"test-{name}.service"))
        run("systemctl", "--root", root, "enable", f"test-{name}.service")
    copy(os.path.join(GUEST, "10-wan.network"), os.path.join(root, "etc/systemd/network/10-wan.network"))


# ---- disks ---------------------------------------------------------------------------------------


def ext4(path, mib, label, root=None):
    with open(path, "wb") as f:
        f.truncate(mib << 20)
    run("mke2fs", "-q", "-F", "-t", "ext4", "-L", label, "-m", "0",
        "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard", *(["-d", root] if root else []), path)


def fat(path, files):
    """`files`: {name: bytes}"""
    with open(path, "wb") as f:
        f.truncate(FAT_MIB << 20)
    run("mformat", "-i", path, "-F", "-v", "BOOTFS", "::")
    with open(path, "r+b") as f:  # mformat writes a table of partitions as well, of which there is none
        f.seek(446)
        f.write(bytes(64))
    with tempfile.TemporaryDirectory() as there:
        for name, data in files.items():
            with open(os.path.join(there, name), "wb") as f:
                f.write(data)
            run("mcopy", "-i", path, os.path.join(there, name), "::" + name)


def fat_files(path):
    """{name: bytes} of what lies on a boot partition."""
    with tempfile.TemporaryDirectory() as there:
        run("mcopy", "-i", path, "-s", "-n", "::", there)
        found = {}
        for name in os.listdir(there):
            with open(os.path.join(there, name), "rb") as f:
                found[name] = f.read()
        return found


def duplicate(path, to):
    """With its holes."""
    run("cp", "--sparse=always", path, to)
    return to


def root_disk(deb, arch, kind):
    """The path of the root disk as a maker of images would ship it; not to be written to. `kind`: rw, ro"""
    archive = debian.base(deb, arch)
    ours = [contents(os.path.join(folder, name)) for folder, _, names in sorted(os.walk(HERE))
            for name in sorted(names) if folder == GUEST or name in ("debian.py", "disks.py")]

    def make(to, there):
        root = os.path.join(there, "root")
        debian.unpack(deb, archive, root)
        debian.configure(root, deb)
        furnish(root, kind)
        shutil.rmtree(os.path.join(root, "boot"))  # it is QEMU's
        os.makedirs(os.path.join(root, "boot", "firmware"))
        ext4(to, ROOT_MIB, "root", root)

    return cached(f"root-{arch}-{kind}-{digest(archive, contents(deb), *ours)}.img", make)


# ---- what QEMU starts ----------------------------------------------------------------------------


def kernel(deb, arch):
    """Paths of Debian's kernel and an initrd for it."""
    archive = debian.base(deb, arch)
    name = os.path.basename(archive).removesuffix(".tar") + "-boot-" + contents(os.path.join(GUEST, "init"))[:16]
    folder = cached(name, lambda to, there: take_out(archive, to))
    return os.path.join(folder, "vmlinuz"), os.path.join(folder, "initrd")


def take_out(archive, there):
    """Makes a folder of both."""
    top = os.path.join(there, "top")
    os.makedirs(os.path.join(top, "bin"))
    with tarfile.open(archive) as tar:
        names = tar.getnames()

        def extract(name, to, mode=0o644):
            with tar.extractfile("./" + name) as source, open(to, "wb") as target:
                shutil.copyfileobj(source, target)
            os.chmod(to, mode)

        vmlinuz, = (n.removeprefix("./") for n in names if n.startswith("./boot/vmlinuz-"))
        extract(vmlinuz, os.path.join(there, "vmlinuz"))
        extract("usr/bin/busybox", os.path.join(top, "bin", "busybox"), 0o755)
        modules = tar.extractfile("./boot/early-modules").read().decode().split()
        for path in modules:
            extract(path, os.path.join(top, os.path.basename(path)))
    write(top, "modules.order", "".join(os.path.basename(m) + "\n" for m in modules))
    copy(os.path.join(GUEST, "init"), os.path.join(top, "init"), 0o755)
    names = sorted(os.path.relpath(os.path.join(d, n), top) for d, ds, fs in os.walk(top) for n in ds + fs)
    with open(os.path.join(there, "initrd"), "wb") as f:
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=top, stdout=f, check=True,
                       input="\n".join(names).encode())
    shutil.rmtree(top)
