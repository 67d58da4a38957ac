# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian 12 system of another architecture with our package, as a folder: unpacked, not installed. What
maintainer scripts would do is done from here by tools of this machine, because under emulation they take
minutes. Systemd, a kernel and its modules, and no more than that: no shell for people, no daemon of others."""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("PRINTGATE_BUILD", os.path.join(ROOT, "build"))
CACHE = os.path.join(BUILD, "image")
MIRROR = os.environ.get("MIRROR", "http://deb.debian.org")
SUITE = "bookworm"

KERNELS = {"arm64": "linux-image-arm64", "armhf": "linux-image-armmp"}
# Besides what the package depends on. busybox is the initrd's, and serves as printer.
SYSTEM = ("base-files", "base-passwd", "busybox-static", "coreutils", "dash", "iproute2", "kmod", "login",
          "mount", "systemd-sysv", "udev", "util-linux")
NOT_NEEDED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "usr/share/perl5",
              "usr/share/initramfs-tools", "usr/share/bash-completion", "usr/share/lintian",
              "usr/share/zsh", "usr/lib/klibc", "var/cache/apt", "var/lib/apt", "etc/initramfs-tools",
              "etc/kernel", "usr/share/bug", "usr/share/zoneinfo")

# What the kernel of an image has as modules and is used here. Folders with all that is in them.
# (crc32c: ext4 asks for it by name.)
INITRD_MODULES = ("virtio_mmio", "virtio_blk", "virtio_console", "crc32c_generic", "ext4")
MODULES = (*INITRD_MODULES, "virtio_net", "virtio-rng", "vfat", "nls_ascii", "nls_cp437", "nls_utf8",
           "wireguard", "veth", "tun", "autofs4")
MODULE_FOLDERS = ("net/netfilter", "net/ipv4/netfilter", "net/ipv6/netfilter")


def run(*command, **options):
    done = subprocess.run([str(c) for c in command], check=False, capture_output=True, text=True,
                          **options)
    if done.returncode:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


@contextlib.contextmanager
def alone(name):
    """What is in the cache is made by one process at a time."""
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, name + ".lock"), "w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def cached(name, make):
    """The path of what is in the cache under that name. If it is not there yet, make(to, there) makes it as
    `to`; what else lies in the folder `there` is gone afterwards."""
    path = os.path.join(CACHE, name)
    with alone(name):
        if not os.path.exists(path):
            with tempfile.TemporaryDirectory(dir=CACHE) as there:
                to = os.path.join(there, "made")
                make(to, there)
                os.rename(to, path)
    return path


def digest(*parts):
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def contents(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def needed(deb, arch):
    """Names of the packages of the system. WireGuard is the kernel's."""
    depends = run("dpkg-deb", "-f", deb, "Depends")
    ours = {d.split("|")[0].split("(")[0].strip() for d in depends.split(",")}
    return sorted({*SYSTEM, KERNELS[arch], *ours} - {"wireguard-go"})


# ---- the system without us: downloaded once ------------------------------------------------------


def strap(folder, arch, packages, archives):
    run("mmdebstrap", "--quiet", "--mode=root", "--variant=extract", f"--architectures={arch}",
        "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr", "--aptopt=APT::Install-Recommends \"false\"",
        f"--include={','.join(packages)}", "--format=directory", SUITE, folder, *archives)


def download(folder, arch, packages):
    """Some mirrors' index of the security archive is not the one that is signed for: packaging/deb.sh."""
    archives = [f"deb {MIRROR}/debian {SUITE} main", f"deb {MIRROR}/debian {SUITE}-updates main"]
    security = f"deb {MIRROR}/debian-security {SUITE}-security main"
    try:
        strap(folder, arch, packages, [*archives, security])
    except AssertionError:
        shutil.rmtree(folder, ignore_errors=True)
        strap(folder, arch, packages, archives)


def module_files(top):
    """Paths, below the folder of modules, of those that are used with those that they need, in loading
    order; and the same of the initrd's alone."""
    needs = {}
    with open(os.path.join(top, "modules.dep")) as f:
        for line in f:
            name, _, others = line.partition(":")
            needs[name] = others.split()
    by_name = {os.path.basename(p).split(".")[0].replace("_", "-"): p for p in needs}

    def closure(names):
        wanted = [by_name[n.replace("_", "-")] for n in names if n.replace("_", "-") in by_name]
        return list(dict.fromkeys(p for path in wanted for p in (*reversed(needs[path]), path)))

    inside = [os.path.basename(p).split(".")[0] for p in needs
              if os.path.dirname(p).removeprefix("kernel/") in MODULE_FOLDERS]
    return closure([*MODULES, *inside]), closure(INITRD_MODULES)


def slim(root):
    """Takes out what is not used; leaves the list of the initrd's modules in /boot."""
    for path in NOT_NEEDED:
        shutil.rmtree(os.path.join(root, path), ignore_errors=True)
    modules = os.path.join(root, "usr", "lib", "modules")
    version, = os.listdir(modules)
    run("depmod", "-b", root, version)
    top = os.path.join(modules, version)
    kept, early = module_files(top)
    for folder, _, names in os.walk(os.path.join(top, "kernel")):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.relpath(path, top) not in kept:
                os.remove(path)
    run("depmod", "-b", root, version)
    with open(os.path.join(root, "boot", "early-modules"), "w") as f:
        f.writelines(f"usr/lib/modules/{version}/{p}\n" for p in early)
    for name in os.listdir(os.path.join(root, "usr", "lib")):
        if name.startswith("linux-image-"):  # device trees: the machine brings its own
            shutil.rmtree(os.path.join(root, "usr", "lib", name))


def base(deb, arch):
    """The archive of a system with all that ours needs, made once for each list of packages."""
    packages = needed(deb, arch)
    with open(os.path.abspath(__file__)) as f:
        name = f"base-{arch}-{digest(*packages, f.read())}.tar"

    def make(to, there):
        root = os.path.join(there, "root")
        download(root, arch, packages)
        slim(root)
        run("tar", "-c", "--numeric-owner", "-C", root, "-f", to, ".")

    return cached(name, make)


# ---- with us: what the scripts would do ----------------------------------------------------------


def copy(source, target, mode=0o644):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copyfile(source, target)
    os.chmod(target, mode)


def unpack(deb, archive, root):
    os.makedirs(root)
    run("tar", "-x", "-p", "--numeric-owner", "-C", root, "-f", archive)
    # Not dpkg-deb -x, which would put folders in the place of the links that merge /usr.
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as unpacked:
        run("tar", "-x", "-p", "--keep-directory-symlink", "-C", root, stdin=unpacked.stdout)
    assert unpacked.returncode == 0


def enabled_by_its_script(deb):
    """Units that the package's installation enables."""
    script = run("dpkg-deb", "-I", deb, "postinst")
    return sorted(set(re.findall(r"deb-systemd-helper --quiet was-enabled '([^']+)'", script)))


def configure(root, deb):
    for name in ("passwd", "group"):
        copy(os.path.join(root, "usr", "share", "base-passwd", name + ".master"),
             os.path.join(root, "etc", name))
    for path, to in (("var/run", "/run"), ("var/lock", "/run/lock"), ("etc/mtab", "../proc/self/mounts")):
        path = os.path.join(root, path)
        if os.path.isdir(path) and not os.path.islink(path):
            os.rmdir(path)
        if not os.path.lexists(path):
            os.symlink(to, path)
    run("ldconfig", "-r", root)
    run("systemd-sysusers", "--root", root)
    units = enabled_by_its_script(deb)
    assert "printgate.service" in units, units
    run("systemctl", "--root", root, "enable", "systemd-networkd.service", *units)
