# SPDX-License-Identifier: GPL-2.0-or-later
"""The package, and Debian systems to install it in."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("PRINTGATE_BUILD", os.path.join(ROOT, "build"))
CACHE = os.path.join(BUILD, "packaging")
MIRROR = os.environ.get("MIRROR", "http://deb.debian.org")

# Besides what the package depends on: a service manager, and what the guest looks with.
TOOLS = ("systemd-sysv", "kmod", "iproute2", "nftables", "wireguard-tools", "python3", "procps",
         "libcap2-bin")


def run(*command, check=True, **options):
    done = subprocess.run([str(c) for c in command], check=False, capture_output=True, text=True,
                          **options)
    if check and done.returncode:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def out(*command, **options):
    return run(*command, **options).stdout.strip()


def suite():
    """Whose packages are tried: this machine's, or as make's SUITE says."""
    return os.environ.get("PRINTGATE_SUITE") or out("sh", "-c", ". /etc/os-release && echo $VERSION_CODENAME")


def build():
    said = out(os.path.join(ROOT, "packaging", "deb.sh"), "build", BUILD, suite(),
               out("dpkg", "--print-architecture"))
    path, = said.splitlines()
    return path


def field(deb, name):
    return out("dpkg-deb", "-f", deb, name)


def newer(deb):
    path = os.path.join(CACHE, "newer.deb")
    os.makedirs(CACHE, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as there:
        os.chmod(there, 0o755)
        run("dpkg-deb", "-R", deb, there)
        control = os.path.join(there, "DEBIAN", "control")
        with open(control) as f:
            text = f.read()
        with open(control, "w") as f:
            f.write(re.sub(r"^Version: (.*)$", r"Version: \1+newer", text, flags=re.M))
        run("dpkg-deb", "--root-owner-group", "-b", there, path)
    return path


def depends(deb):
    """The first alternative of each."""
    return sorted({d.split("|")[0].split("(")[0].strip() for d in field(deb, "Depends").split(",")})


def base(deb):
    """A small Debian system as an archive, made once for each list of packages."""
    packages = ",".join([*depends(deb), *TOOLS])
    name = suite() + "-" + hashlib.sha256(packages.encode()).hexdigest()[:16]
    path = os.path.join(CACHE, f"root-{name}.tar")
    if not os.path.exists(path):
        os.makedirs(CACHE, exist_ok=True)
        archives = [f"deb {MIRROR}/debian {suite()} main",
                    f"deb {MIRROR}/debian {suite()}-updates main",
                    f"deb {MIRROR}/debian-security {suite()}-security main"]
        run("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", f"--include={packages}",
            "--format=tar", suite(), path + ".new", *archives)
        os.replace(path + ".new", path)
    return path


def unpack(archive, folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    run("tar", "-x", "-p", "--numeric-owner", "-C", folder, "-f", archive)
    return folder
