# SPDX-License-Identifier: GPL-2.0-or-later
"""What the package asks of systemd at start-up, done by a real one: a user's, in namespaces of its own."""

import os
import shutil
import socket
import subprocess
import sys

import pytest

UNITS = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))),
                     "packaging", "systemd")
SYSTEMD = "/lib/systemd/systemd"
PATIENCE = 120  # for failures only

# systemd wants /run to be a booted system's.
BEGIN = f"""
mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system && mkdir -m 700 /run/user-0
export XDG_RUNTIME_DIR=/run/user-0 XDG_CONFIG_HOME=$1 HOME=$1
{SYSTEMD} --user >"$1/log" 2>&1 &
until systemctl --user start "$2"; do sleep .1; done 2>>"$1/log"
exec {sys.executable} "$3" "$1/start"
"""


def be_printgated(path):
    """Connects, and waits for the end of the connection."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(PATIENCE)
        s.connect(path)
        s.send(b"to be a program")
        try:
            print(s.recv(1))
        except ConnectionResetError:
            print("ended")


@pytest.mark.skipif(not os.path.exists(SYSTEMD), reason="this machine lacks systemd")
@pytest.mark.parametrize("name", ["printgate-core", "printgate-web", "printgate-tls"])
def test_a_program_that_cannot_begin_ends_the_connection(name, tmp_path):
    """Or it would be started again and again for ever, while printgated waits for it."""
    units = tmp_path / "systemd" / "user"
    units.mkdir(parents=True)
    with open(os.path.join(UNITS, f"{name}.socket")) as f:
        text = f.read().replace(f"/run/printgate/{name}.start", str(tmp_path / "start"))
    assert "SocketUser=_printgate-net\n" in text
    (units / f"{name}.socket").write_text(text.replace("SocketUser=_printgate-net\n", ""))
    (units / f"{name}.service").write_text("[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=exec\n"
                                           f"ExecStart={shutil.which('false')}\n")
    done = subprocess.run(["unshare", "--pid", "--fork", "--kill-child", "--mount", "--cgroup", "--mount-proc",
                           "sh", "-c", BEGIN, "sh", tmp_path, f"{name}.socket", __file__], check=False,
                          timeout=2 * PATIENCE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.stdout == "ended\n", done.stdout


@pytest.mark.skipif(not shutil.which("systemd-tmpfiles"), reason="this machine lacks systemd-tmpfiles")
def test_the_control_socket_of_one_started_by_hand_gives_way_to_the_link(tmp_path):
    """Or nothing would answer there until the next boot."""
    there = tmp_path / "run" / "printgate" / "control.sock"
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "passwd").write_text("root:x:0:0::/:\n_printgate:x:901:901::/:\n_printgate-net:x:902:902::/:\n")
    (tmp_path / "etc" / "group").write_text("root:x:0:\n_printgate:x:901:\n_printgate-net:x:902:\nprintgate:x:903:\n")
    there.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.bind(str(there))
    for _ in range(2):
        subprocess.run(["systemd-tmpfiles", "--create", f"--root={tmp_path}",
                        os.path.join(UNITS, "printgate.tmpfiles")], check=True)
        assert os.readlink(there) == "core/control.sock"
    core = os.stat(there.parent / "core")
    assert (core.st_mode, core.st_uid, core.st_gid) == (0o42755, 901, 903)


if __name__ == "__main__":
    be_printgated(sys.argv[1])
