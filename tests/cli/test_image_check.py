# SPDX-License-Identifier: GPL-2.0-or-later
"""What image-check refuses, on trees such as a builder has, friendly and hostile."""

import json
import os
import shutil
import socket
import subprocess

import pytest

from cli_lab import PROGRAM

HERE = os.getcwd()
KEY = "mB3vZc1p9sJ2kQxLw7Yt4uHnRf0dGaE8iVoKyT5XbU4="


@pytest.fixture(name="root")
def _root(tmp_path):
    """A good image."""
    root = tmp_path / "root"
    wants = root / "etc/systemd/system/multi-user.target.wants"
    sockets = root / "etc/systemd/system/sockets.target.wants"
    for folder in (wants, sockets, root / "usr/sbin", root / "var/lib", root / "boot/firmware", root / "etc/printgate"):
        folder.mkdir(parents=True)
    (root / "usr/sbin/printgated").write_text("")
    (wants / "printgate.service").symlink_to("/lib/systemd/system/printgate.service")
    (sockets / "printgate-clock.socket").symlink_to("/lib/systemd/system/printgate-clock.socket")
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


@pytest.mark.parametrize("unit", ["multi-user.target.wants/printgate.service",
                                  "sockets.target.wants/printgate-clock.socket"])
def test_one_that_does_not_start(root, unit):
    os.unlink(root / "etc/systemd/system" / unit)
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


def test_nothing_is_opened_that_is_no_file(root):
    os.makedirs(root / "etc/wireguard")
    os.mkfifo(root / "etc/wireguard/a.conf")
    os.makedirs(root / "etc/wireguard/b.conf")
    (root / "etc/wireguard/d.conf").symlink_to("d.conf")
    with socket.socket(socket.AF_UNIX) as s:
        os.chdir(root / "etc/wireguard")
        try:
            s.bind("e.conf")
        finally:
            os.chdir(HERE)
    assert check(root)[1]["keys"] == "ok"


@pytest.mark.parametrize("what", ["a large file", "a deep tree", "a file for the folder", "a large configuration"])
def test_what_cannot_be_looked_through_is_refused(root, what):
    name = "keys"
    os.makedirs(root / "etc/wireguard")
    if what == "a large file":
        with open(root / "etc/wireguard/c.conf", "wb") as f:
            f.truncate(1 << 34)
    elif what == "a deep tree":
        os.makedirs(root / "etc/wireguard" / "/".join("abcdefgh"))
    elif what == "a file for the folder":
        name = "state"
        write(root, "var/lib/printgate", "x")
    else:
        name = "state"
        write(root, "etc/printgate/printgate.conf", "#" * 70000 + "\n[paths]\nstate = /srv\n")
    status, results = check(root)
    assert status == 1 and results[name] == "fail"


# What a process that may not read is told, by the folder or file that is taken from it.
UNREADABLE = {"state": "var/lib/printgate", "keys": "etc/wireguard/wg0.conf", "machine-id": "etc/machine-id",
              "boot": "boot/firmware"}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_may_not_be_read_is_refused(root, name):
    """As somebody who is not root, and who may not look into what root keeps."""
    for path in ("var/lib/printgate/.keep", "etc/wireguard/wg0.conf"):
        write(root, path)
    os.unlink(root / "var/lib/printgate/.keep")
    os.chmod(root / UNREADABLE[name], 0)
    for folder in (root, *root.parents):
        if folder == folder.parent or os.stat(folder).st_mode & 0o001:
            continue
        os.chmod(folder, os.stat(folder).st_mode | 0o055)
    done = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", os.path.abspath(PROGRAM),
                           "--json", "image-check", str(root)], capture_output=True, text=True, timeout=20, check=False)
    results = {c["name"]: c["result"] for c in json.loads(done.stdout)["checks"]}
    assert done.returncode == 1 and results[name] == "fail"
    assert {r for n, r in results.items() if n != name} == {"ok"}


def test_a_key_hides_nowhere(root):
    """Not behind a NUL, not in a folder of the folder, not in a file of its own, not in the old place."""
    for path, text in (("etc/wireguard/a.conf", f"\0\0\nPrivateKey={KEY}\n"), ("etc/wireguard/keys/wg0.key", KEY + "\n"),
                       ("etc/systemd/network/wg.netdev.d/key.conf", f"privatekey = {KEY}\r\n"),
                       ("etc/printgate/page.key", "-----BEGIN EC PRIVATE KEY-----\n"),
                       ("etc/printgate/copy", "SQLite format 3\0")):
        write(root, path, text)
        assert check(root)[1]["keys"] == "fail", path
        os.unlink(root / path)
    write(root, "etc/printgate/printgate.conf", "[paths]\n state=/srv/gate # here\n")
    write(root, "srv/gate/lost+found/x")
    assert check(root)[0] == 0
    write(root, "var/lib/printgate/net/gateway.key", KEY)
    assert check(root)[1]["state"] == "fail"
    shutil.rmtree(root / "var/lib/printgate")
    write(root, "srv/gate/net/gateway.key", KEY)
    assert check(root)[1]["state"] == "fail"


def test_what_is_no_secret_is_none(root):
    write(root, "etc/wireguard/wg0.conf", f"[Interface]\nPrivateKey =\n[Peer]\nPublicKey = {KEY}\n")
    write(root, "etc/wireguard/wg0.pub", KEY + "\n")
    write(root, "etc/systemd/network/wg.netdev", "PrivateKeyFile=/run/key\nPrivateKey=@network.wireguard.private.wg\n")
    write(root, "etc/NetworkManager/system-connections/office", "[802-1x]\nprivate-key=/etc/ssl/private/me.pem\n")
    write(root, "etc/printgate/page.crt", "-----BEGIN CERTIFICATE-----\n")
    assert check(root)[0] == 0


def test_capitals_are_the_same_on_fat(root):
    write(root, "boot/firmware/PRINTGATE.APPLIED.TXT")
    assert check(root)[1]["boot"] == "fail"


def test_the_identity_of_dbus(root):
    (root / "var/lib/dbus").mkdir()
    (root / "var/lib/dbus/machine-id").symlink_to("/etc/machine-id")
    assert check(root)[0] == 0
    os.unlink(root / "var/lib/dbus/machine-id")
    write(root, "var/lib/dbus/machine-id", "0123456789abcdef0123456789abcdef\n")
    assert check(root)[1]["machine-id"] == "fail"


def fixes(root, name):
    done = subprocess.run([PROGRAM, "--json", "image-check", str(root)], capture_output=True, timeout=20, check=False)
    found, = [c for c in json.loads(done.stdout.decode())["checks"] if c["name"] == name]
    assert found["result"] in ("fail", "warn") and found["message"]
    return found["fix"]


def test_the_command_does_what_it_says(root):
    """And nothing else, run by the shell that it is copied to."""
    write(root, "var/lib/printgate/net/gateway.key", KEY)
    write(root, "etc/wireguard/my $(key) `a`.conf", f"PrivateKey={KEY}\n")
    write(root, "etc/machine-id", "0123456789abcdef0123456789abcdef\n")
    write(root, "etc/ssh/ssh_host_rsa_key")
    write(root, "boot/printgate.error.txt")
    for name in ("state", "keys", "machine-id", "ssh", "boot"):
        subprocess.run(["sh", "-c", fixes(root, name)], check=True, timeout=20)
    assert check(root) == (0, {n: "ok" for n in ("installed", "state", "keys", "boot", "machine-id", "ssh")})


def test_no_command_leaves_the_image(root, tmp_path):
    """A hostile image's names and links are not handed to the builder's shell."""
    for name in (b"x'; rm -rf y; '", b"x\ny", b"x\x1b[2J", b"x\xff", b"x" * 250):
        path = os.path.join(os.fsencode(root), b"etc/wireguard", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(f"PrivateKey={KEY}\n")
        fix = fixes(root, "keys")
        assert fix is None or name == b"x" * 250 and fix.endswith(name.decode())
        os.unlink(path)
    write(root, "srv/machine", "0123456789abcdef0123456789abcdef\n")
    os.unlink(root / "etc/machine-id")
    (root / "etc/machine-id").symlink_to("/srv/machine")
    assert fixes(root, "machine-id") is None
    write(root, "etc/printgate/printgate.conf", "[paths]\nstate = /../../../etc\n")
    assert fixes(root, "state") is None
    write(root, "real/x")
    (root / "linked").symlink_to("/real")
    write(root, "etc/printgate/printgate.conf", "[paths]\nstate = /linked\n")
    assert fixes(root, "state") is None
    write(root, "ssh/ssh_host_rsa_key")
    (root / "etc/ssh").symlink_to("/ssh")
    assert fixes(root, "ssh") is None


def test_no_such_root(tmp_path):
    done = subprocess.run([PROGRAM, "--json", "image-check", str(tmp_path / "none")], capture_output=True, text=True,
                          timeout=20, check=False)
    assert done.returncode == 1 and json.loads(done.stdout)["error"]["code"] == "not_found"
