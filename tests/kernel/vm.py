#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a command inside Debian's own kernel, in QEMU under plain emulation, with this machine's file
system shared read-only and a tmpfs on top.

    vm.py [--memory MiB] [--seconds N] COMMAND…

suite.py boots several of these side by side; tests/packaging boots another system than this machine's.

The command's output comes through the first serial line. It passed if, and only if, the guest wrote
this run's nonce to the second one: silence, a hang, a panic and a time-out are failures.
"""

import argparse
import glob
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CACHE = os.path.join(os.environ.get("PRINTGATE_BUILD", os.path.join(ROOT, "build")), "kernel")

# In this order; each needs those before it. (Debian's cloud flavour has no 9p.)
MODULES = ("virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci",
           "netfs", "fscache", "9pnet", "9pnet_virtio", "9p", "overlay")

# What costs an emulated processor much and a test nothing is switched off: defences against attacks on
# real processors, the fifth level of page tables, pages cleared when they are given out, audit. And
# RCU does not wait for idle moments, which is what most of a network namespace's end is. Whether the timer ticks
# is not tried out: on a machine with much else to do an emulated one may come too late for that.
KERNEL_WORDS = ("console=ttyS0 panic=-1 quiet loglevel=3 mitigations=off no5lvl init_on_alloc=0 "
                "audit=0 nowatchdog rcupdate.rcu_expedited=1 norandmaps no_timer_check "
                "clearcpuid=erms,fsrm,rep_good")


def run(*command, **options):
    return subprocess.run(command, check=True, **options)


def fetch(package, there):
    """Downloads a package; the lists are renewed if they do not know it (any more)."""
    get = ("apt-get", "-qq", "-o", "APT::Sandbox::User=root", "-o", "Dpkg::Use-Pty=0")
    if subprocess.run([*get, "download", package], cwd=there, check=False).returncode:
        run(*get, "update")
        run(*get, "download", package, cwd=there)


def newest():
    """The name of Debian's current kernel package, or None without package lists."""
    depends = run("apt-cache", "depends", "linux-image-amd64", capture_output=True, text=True).stdout
    return next((word for word in depends.split() if word.startswith("linux-image-6")), None)


def kernel():
    """Downloads and unpacks Debian's current kernel package once. Returns its root folder and version."""
    package = newest()
    if not package:
        run("apt-get", "-qq", "update")
        package = newest()
    version = package.removeprefix("linux-image-")
    folder = os.path.join(CACHE, package)
    if not os.path.exists(os.path.join(folder, "complete")):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        with tempfile.TemporaryDirectory() as there:
            os.chmod(there, 0o755)
            fetch(package, there)
            run("dpkg", "-x", glob.glob(os.path.join(there, "*.deb"))[0], folder)
        run("depmod", "-b", folder, version)
        with open(os.path.join(folder, "complete"), "w"):
            pass
    return folder, version


def initramfs(folder, version, first=os.path.join(HERE, "guest.sh")):
    """A busybox that can mount the guest's files and switch to them, and then runs the script `first`
    there. Returns the archive's path."""
    modules = os.path.join(folder, "lib", "modules", version)
    archive = os.path.join(CACHE, "initramfs" + first.replace("/", "-"))
    with tempfile.TemporaryDirectory() as top:
        os.makedirs(os.path.join(top, "bin"))
        shutil.copy("/bin/busybox", os.path.join(top, "bin", "busybox"))
        for name in MODULES:
            found = glob.glob(os.path.join(modules, "kernel", "**", name + ".ko"), recursive=True)
            if not found:
                raise SystemExit(f"the kernel package has no module {name}")
            shutil.copy(found[0], top)
        for name, text in (("modules.order", "\n".join(m + ".ko" for m in MODULES)),
                           ("guest.path", first)):
            with open(os.path.join(top, name), "w") as f:
                f.write(text + "\n")
        shutil.copy(os.path.join(HERE, "guest-init"), os.path.join(top, "init"))
        os.chmod(os.path.join(top, "init"), 0o755)
        names = sorted(os.path.relpath(os.path.join(d, n), top)
                       for d, ds, fs in os.walk(top) for n in ds + fs)
        with tempfile.NamedTemporaryFile(dir=CACHE, delete=False) as f:
            run("cpio", "-o", "-H", "newc", "--quiet", cwd=top, stdout=f,
                input="\n".join(names).encode())
        os.replace(f.name, archive)  # other guests may be starting from it
    return archive


def boot(command, memory, seconds, processors=2, console=None, root="/", first=None, more=()):
    """Returns whether the command passed in the guest. What it writes goes to the open file `console`,
    or to ours. Another `root` than this machine's names the script in it that comes first; `more` goes
    to QEMU."""
    folder, version = kernel()
    archive = initramfs(folder, version, *([first] if first else []))
    nonce = secrets.token_hex(16)
    with tempfile.TemporaryDirectory() as there:
        verdict = os.path.join(there, "verdict")
        words = (f"{KERNEL_WORDS} pg.nonce={nonce} "
                 f"pg.dir={ROOT.encode().hex()} pg.run={command.encode().hex()}")
        share = "local,security_model=none,multidevs=remap,readonly=on"
        qemu = subprocess.Popen(
            ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
             "-no-reboot", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", str(processors),
             "-m", str(memory), "-kernel", os.path.join(folder, "boot", "vmlinuz-" + version),
             "-initrd", archive, "-append", words,
             "-virtfs", f"{share},path={root},mount_tag=host",
             "-virtfs", f"{share},path={folder}/lib/modules,mount_tag=modules",
             "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
             "-serial", f"file:{verdict}", "-device", "virtio-rng-pci", *more],
            stdin=subprocess.DEVNULL, stdout=console)
        try:
            qemu.wait(seconds)
        except subprocess.TimeoutExpired:
            print(f"vm: the guest did not end within {seconds} s", file=sys.stderr)
        finally:
            if qemu.poll() is None:
                qemu.kill()
                qemu.wait()
        with open(verdict) as f:
            return f.read().strip() == f"printgate-guest passed {nonce}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--memory", type=int, default=3072, help="MiB")
    parser.add_argument("--seconds", type=int, default=1500)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    began = time.monotonic()
    passed = boot(" ".join(given.command), given.memory, given.seconds)
    print(f"vm: {'passed' if passed else 'FAILED'} in {time.monotonic() - began:.0f} s", flush=True)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
