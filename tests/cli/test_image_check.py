# SPDX-License-Identifier: GPL-2.0-or-later
"""What image-check refuses, on trees such as a builder has, friendly and hostile."""

import json
import os
import subprocess

import pytest

from cli_lab import PROGRAM

KEY = "mB3vZc1p9sJ2kQxLw7Yt4uHnRf0dGaE8iVoKyT5XbU4="


@pytest.fixture(name="root")
def _root(tmp_path):
    """A good image."""
    root = tmp_path / "root"
    wants = root / "etc/systemd/system/multi-user.target.wants"
    for folder in (wants, root / "usr/sbin", root / "var/lib", root / "boot/firmware", root / "etc/printgate"):
        folder.mkdir(parents=True)
    (root / "usr/sbin/printgated").write_text("")
    (wants / "printgate.service").symlink_to("/lib/systemd/system/printgate.service")
    (root / "etc/machine-id").write_text("uninitialized\n")
    return root


def check(root, *options):
    """(exit status, result by check)"""
    done = subprocess.run([PROGRAM, "--json", "image-check", *options, str(root)], capture_output=True, text=True,
                          timeout=20, check=False)
    assert done.stderr == ""
    return done.returncode, {c["name"]: c["result"] for c in json.loads(done.stdout)["checks"]}


def write(root, path, text=""):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_a_good_image(root):
    status, results = check(root)
    assert status == 0 and set(results.values()) == {"ok"} and len(results) == 6
    write(root, "etc/printgate/printgate.conf", "[gateway]\nendpoint = home.example.net\n")
    write(root, "boot/firmware/printgate.conf", f"[enroll x]\npublic_key = {KEY}\n")
    write(root, "var/lib/printgate/lost+found/x")
    os.unlink(root / "etc/machine-id")
    assert check(root)[0] == 0


BAD = {
    "a store": ("state", "fail", "var/lib/printgate/core/printgate.db", "x"),
    "a key": ("state", "fail", "var/lib/printgate/net/gateway.key", "x"),
    "wg-quick's": ("keys", "fail", "etc/wireguard/wg0.conf", f"[Interface]\nPrivateKey = {KEY}\n"),
    "NetworkManager's": ("keys", "fail", "etc/NetworkManager/system-connections/wg", f"private-key={KEY}\n"),
    "networkd's": ("keys", "fail", "etc/systemd/network/wg.netdev", f"PresharedKey={KEY}\n"),
    "one in our configuration": ("keys", "fail", "etc/printgate/old.conf", f"# {KEY}\n"),
    "an identity": ("machine-id", "fail", "etc/machine-id", "0123456789abcdef0123456789abcdef\n"),
    "a host key": ("ssh", "warn", "etc/ssh/ssh_host_ed25519_key", "x"),
    "an applied file": ("boot", "fail", "boot/firmware/printgate.applied.txt", "x"),
    "an error": ("boot", "fail", "boot/printgate.error.txt", "x"),
    "a picture": ("boot", "fail", "boot/firmware/printgate-phone.png", "x"),
    "a code": ("boot", "warn", "boot/firmware/printgate.conf", "[provision]\r\ncode = ABCD-2345\r\n"),
}


@pytest.mark.parametrize("what", BAD)
def test_it_names(root, what):
    name, result, path, text = BAD[what]
    write(root, path, text)
    status, results = check(root)
    assert results[name] == result and status == (result == "fail")
    assert {r for n, r in results.items() if n != name} == {"ok"}
    assert check(root, "--skip", name)[0] == 0 and name not in check(root, "--skip", name)[1]


def test_it_says_which_file_and_what_to_do(root):
    write(root, "var/lib/printgate/core/printgate.db")
    done = subprocess.run([PROGRAM, "image-check", str(root)], capture_output=True, text=True, timeout=20, check=False)
    assert "var/lib/printgate/core" in done.stdout.replace("\n", "") and f"rm -r {root}/var/lib/printgate" in done.stdout
    assert all(len(line) <= 80 or line.startswith("    ") for line in done.stdout.splitlines())


def test_the_state_folder_is_the_configuration_s(root):
    write(root, "etc/printgate/printgate.conf", "[paths]\nstate = /srv/gate\n")
    write(root, "srv/gate/core/printgate.db")
    assert check(root)[1]["state"] == "fail"


def test_an_image_without_it(root):
    os.unlink(root / "usr/sbin/printgated")
    assert check(root)[1]["installed"] == "fail"


def test_one_that_does_not_start(root):
    os.unlink(root / "etc/systemd/system/multi-user.target.wants/printgate.service")
    assert check(root)[1]["installed"] == "warn"


def test_links_lead_nowhere_but_into_the_image(root, tmp_path):
    """Absolute ones as in the image when it runs; none to the builder's own files."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "printgate.db").write_text("")
    (root / "var/lib/printgate").symlink_to(outside)
    assert check(root)[1]["state"] == "ok"
    os.unlink(root / "var/lib/printgate")
    (root / "var/lib/printgate").symlink_to("/data/printgate")
    write(root, "data/printgate/core/printgate.db")
    assert check(root)[1]["state"] == "fail"
    (root / "etc/wireguard").symlink_to("../../../../" + str(outside))
    assert check(root)[1]["keys"] == "ok"


def test_nothing_blocks_or_is_too_large(root):
    os.makedirs(root / "etc/wireguard")
    os.mkfifo(root / "etc/wireguard/a.conf")
    os.makedirs(root / "etc/wireguard/b.conf")
    with open(root / "etc/wireguard/c.conf", "wb") as f:
        f.truncate(1 << 34)
    (root / "etc/wireguard/d.conf").symlink_to("d.conf")
    assert check(root)[1]["keys"] == "ok"


def test_no_such_root(tmp_path):
    done = subprocess.run([PROGRAM, "--json", "image-check", str(tmp_path / "none")], capture_output=True, text=True,
                          timeout=20, check=False)
    assert done.returncode == 1 and json.loads(done.stdout)["error"]["code"] == "not_found"
