# SPDX-License-Identifier: GPL-2.0-or-later
"""The package as a file: what is in it, what it asks for, and what its scripts do not do."""

import glob
import os
import re

import pytest

import deblab
from deblab import ROOT, out, run

UNITS = os.path.join(ROOT, "packaging", "systemd")
# Measured; docs/design.md, "The service", says what keeps it from being less.
EXPOSURE = {"printgate.service": 1.5, "printgate-core.service": 1.3, "printgate-web.service": 0.7,
            "printgate-tls.service": 1.3, "printgate-firstboot.service": 1.2, "printgate-clock@.service": 0.5}

# What others look for there: a builder of images, and what shows the text above the login.
CONFFILE = "/etc/rpi-image-gen/slot-shared.d/printgate.conf"
IN_ETC = {"/etc/", "/etc/rpi-image-gen/", "/etc/rpi-image-gen/slot-shared.d/", CONFFILE,
          "/etc/issue.d/", "/etc/issue.d/printgate.issue"}


def with_others(deb):
    """And those of the same version for other machines, if `make deb ARCH=…` has left some here."""
    version = re.sub("~deb.*", "", deblab.field(deb, "Version"))
    folder = os.path.dirname(deb)
    return sorted(p for p in glob.glob(os.path.join(folder, f"printgate_{glob.escape(version)}~deb*.deb")))


def contents(deb):
    return {w[5].removeprefix("."): (w[0], int(w[2]))
            for w in (l.split(maxsplit=5) for l in out("dpkg-deb", "-c", deb).splitlines())}


@pytest.fixture(scope="module")
def control(deb, tmp_path_factory):
    folder = tmp_path_factory.mktemp("control")
    run("dpkg-deb", "-e", deb, folder)
    return folder


def test_lintian_finds_nothing(deb):
    changes = [re.sub(r"\.deb$", ".changes", d) for d in with_others(deb)]
    done = run("lintian", "--allow-root", "--fail-on=error,warning", "--display-level=>=warning",
               *changes, check=False)
    assert done.returncode == 0 and not done.stdout, done.stdout + done.stderr


def test_everything_is_there(deb):
    found = contents(deb)
    for path in ("/usr/bin/printgate", "/usr/sbin/printgated", "/usr/lib/printgate/printgate-core",
                 "/usr/lib/printgate/printgate-web", "/usr/lib/printgate/printgate-tls",
                 "/usr/share/man/man1/printgate.1.gz",
                 "/usr/share/man/man5/printgate.conf.5.gz", "/usr/share/man/man8/printgated.8.gz",
                 "/usr/share/bash-completion/completions/printgate",
                 "/usr/share/doc/printgate/examples/printgate.conf",
                 "/usr/share/doc/printgate/examples/image.tar.gz",
                 "/usr/share/doc/printgate/README.Debian", "/usr/share/doc/printgate/changelog.gz",
                 "/usr/share/doc/printgate/copyright", "/usr/lib/sysusers.d/printgate.conf",
                 "/usr/lib/tmpfiles.d/printgate.conf"):
        assert path in found, sorted(found)
    assert any(p.endswith("lib/systemd/system/printgate.service") for p in found)


def test_it_is_small(deb):
    for path in with_others(deb):
        files = sum(size for _, size in contents(path).values())
        assert files <= 1 << 20, path
        assert int(deblab.field(path, "Installed-Size")) <= 1024, path


def test_nothing_in_it_has_more_rights_than_a_file(deb):
    for path, (mode, _) in contents(deb).items():
        assert "s" not in mode.lower() and "t" not in mode, (path, mode)
        assert mode[0] == "l" or mode[8] != "w", (path, mode)
        assert not path.startswith(("/etc/", "/var/", "/run/")) or path.split(" -> ")[0] in IN_ETC, path


def test_scripts_leave_keys_modules_and_kernel_alone(control):
    for name in ("postinst", "prerm", "postrm"):
        code = "\n".join(l for l in (control / name).read_text().splitlines()
                         if not l.startswith("#"))
        for word in ("modprobe", "sysctl", "setcap", "genkey", "provision", "/proc/", "ip link"):
            assert word not in code, (name, word)
        assert ("printgated" in code) == (name == "prerm")
    assert not (control / "preinst").exists()
    assert (control / "conffiles").read_text() == CONFFILE + "\n"


def test_libevent_is_one_with_the_fixes(deb):
    """Those of 2026 came to bookworm as 2.1.12-stable-8+deb12u1 and to trixie as 2.1.13."""
    asked = re.search(r"libevent-core-2\.1-7(?:t64)? \(>= ([^)]*)\)", deblab.field(deb, "Depends"))
    fixed = {"bookworm": "2.1.12-stable-8+deb12u1", "trixie": "2.1.13-stable-1~deb13u1"}
    assert asked, deblab.field(deb, "Depends")
    run("dpkg", "--compare-versions", asked.group(1), "ge", fixed[deblab.suite()])


def status_file(path, *extra, without=()):
    with open("/var/lib/dpkg/status") as f:
        stanzas = f.read().split("\n\n")
    kept = [s for s in stanzas if s.strip() and not re.match(
        rf"Package: ({'|'.join(('printgate', 'linux-image-.*', *without))})\n", s)]
    path.write_text("\n\n".join([*kept, *extra]) + "\n")
    return path


KERNEL = """Package: linux-image-rpi-v8
Status: install ok installed
Architecture: amd64
Version: 1:6.1
Maintainer: nobody <nobody@packages.invalid>
Provides: wireguard-modules (= 1.0.0)
Description: a kernel as on a Raspberry Pi
"""


@pytest.mark.parametrize("kernel", [True, False], ids=["a kernel with WireGuard", "none known"])
def test_apt_never_brings_a_kernel(deb, tmp_path, kernel):
    """In a chroot or on a kernel that apt does not know, the small program is what comes."""
    if not out("apt-cache", "madison", "wireguard-go"):
        run("apt-get", "-qq", "update")
    status = status_file(tmp_path / "status", *([KERNEL] if kernel else []),
                         without=("wireguard-go",))
    done = run("apt-get", "-s", "--no-install-recommends", "-o", f"Dir::State::status={status}",
               "install", deb)
    brought = re.findall(r"^Inst (\S+)", done.stdout, re.M)
    assert "printgate" in brought
    assert ("wireguard-go" in brought) == (not kernel), brought
    assert not [p for p in brought if p.startswith("linux-")], brought


def test_what_make_needs_the_package_needs(deb):
    with open(os.path.join(ROOT, "packaging", "deps.sh")) as f:
        group = re.search(r'^build="([^"]*)"', f.read(), re.M).group(1).split()
    with open(os.path.join(ROOT, "packaging", "debian", "control")) as f:
        asked = set(re.findall(r"^ ([a-z0-9.+-]+)", f.read().split("Standards-Version")[0], re.M))
    assert {p for p in group if p.endswith("-dev") and p != "libc6-dev"} <= asked


def test_the_example_has_every_key_and_is_good():
    with open(os.path.join(ROOT, "packaging", "printgate.conf")) as f:
        keys = set(re.findall(r"^(?:# )?([a-z0-9_]+) = ", f.read(), re.M))
    with open(os.path.join(ROOT, "daemon", "priv", "printgate.conf.5")) as f:
        told = set(re.findall(r"Ic ([a-z0-9_]+) No =", f.read()))
    assert keys == told
    run(os.path.join(deblab.BUILD, "printgated"), "--config",
        os.path.join(ROOT, "packaging", "printgate.conf"), "--check")


@pytest.mark.parametrize("unit", sorted(os.path.basename(u) for u in glob.glob(UNITS + "/*.service")))
def test_exposure(unit):
    said = out("systemd-analyze", "security", "--offline=true", "--no-pager",
               os.path.join(UNITS, unit)).splitlines()[-1]
    measured = float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", said).group(1))
    assert measured <= EXPOSURE[unit], said


def test_the_accounts_of_the_service_are_those_of_the_manual():
    with open(os.path.join(ROOT, "packaging", "systemd", "printgate.sysusers")) as f:
        made = set(re.findall(r"^u (\S+)", f.read(), re.M))
    with open(os.path.join(ROOT, "daemon", "priv", "printgate.conf.5")) as f:
        told = set(re.findall(r"^\.It Ic \w+ Ta (_printgate\S*)", f.read(), re.M))
    assert told and told <= made
