# SPDX-License-Identifier: GPL-2.0-or-later
"""A small service manager: what the units in packaging/systemd ask of theirs, for a gateway whose programs
each start as who they are. Run as a program in the gateway's node, it starts a companion whenever printgated
connects to its socket (sd_listen_fds(3)), one at a time, as systemd does with Accept=no.

    units.py LISTENER COMMAND…    the number of its descriptor; what becomes the companion
"""

import os
import select
import shutil
import socket
import subprocess
import sys

from gateway import PROGRAMS, USERS
from node import BUILD

GROUP = 61699  # of those who may use the control socket
COMPANIONS = {"printgate-core": (USERS["core"], ""), "printgate-web": (USERS["web"], "sys_chroot"),
              "printgate-tls": (0, "")}


def as_user(uid, capability=""):
    """The command that makes one a user with one capability, or none."""
    if not uid:
        return []
    sets = f"-all,+{capability}" if capability else "-all"
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--no-new-privs",
            f"--inh-caps={sets}", f"--ambient-caps={sets}", f"--bounding-set={sets}"]


def prepare(gateway):
    """The folders of tmpfiles.d and StateDirectory=, and programs where every user can reach them."""
    os.chmod(gateway.folder, 0o755)
    gateway.bin = os.path.join(gateway.folder, "bin")
    os.mkdir(gateway.bin)
    for program in PROGRAMS:
        shutil.copy(os.path.join(BUILD, program), gateway.bin)
    for folder, mode, uid, gid in (
            ("run", 0o755, 0, 0), ("run/net", 0o700, USERS["net"], USERS["net"]),
            ("run/core", 0o2755, USERS["core"], GROUP), ("run/empty", 0o555, 0, 0),
            ("state", 0o755, 0, 0), ("state/net", 0o700, USERS["net"], USERS["net"]),
            ("state/core", 0o700, USERS["core"], USERS["core"]), ("state/tls", 0o700, 0, 0)):
        path = os.path.join(gateway.folder, folder)
        os.makedirs(path, exist_ok=True)
        os.chown(path, uid, gid)
        os.chmod(path, mode)
    os.symlink("core/control.sock", os.path.join(gateway.runtime, "control.sock"))
    as_udev_has_it(gateway.node)


def as_udev_has_it(node):
    """/dev/net/tun is for everybody (50-udev-default.rules): it is CAP_NET_ADMIN that counts."""
    node.run("mknod", "-m", "666", "/run/tun", "c", "10", "200")
    node.run("mount", "--bind", "/run/tun", "/dev/net/tun")


def start_manager(gateway):
    printgated = os.path.join(gateway.bin, "printgated")
    for companion, (uid, capability) in COMPANIONS.items():
        path = os.path.join(gateway.runtime, companion + ".start")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(path)
        os.chown(path, USERS["net"], 0)
        os.chmod(path, 0o600)
        listener.listen()
        gateway.node.start([sys.executable, __file__, str(listener.fileno()), *as_user(uid, capability),
                            printgated, "--config", gateway.config, "--companion", companion],
                           log=gateway.log, pass_fds=[listener.fileno()])
        listener.close()


def be_manager(listener, command):
    def in_child():
        os.dup2(listener, 3)
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
        os.execvp(command[0], command)

    while True:
        select.select([listener], [], [])
        pid = os.fork()
        if not pid:
            in_child()
        os.waitpid(pid, 0)


if __name__ == "__main__":
    be_manager(int(sys.argv[1]), sys.argv[2:])
