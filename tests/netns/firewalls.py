# SPDX-License-Identifier: GPL-2.0-or-later
"""Other firewalls in a node: the real ufw and firewalld, only unpacked from Debian, with folders of
the node's own; iptables; and the chains that Docker's engine creates."""

import json
import os
import shutil

from node import BUILD, await_that
from probes import tcp_probe
from servers import BUS_ENV, start_bus

UNPACKED = os.path.join(BUILD, "unpacked")

# What Docker's engine makes for its bridge, in its order: Debian's, and a recent one.
DOCKER = {
    "20.10": """*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
COMMIT
""",
    "28": """*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-BRIDGE - [0:0]
:DOCKER-CT - [0:0]
:DOCKER-FORWARD - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A DOCKER ! -i docker0 -o docker0 -j DROP
-A DOCKER-BRIDGE -o docker0 -j DOCKER
-A DOCKER-CT -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-FORWARD -j DOCKER-CT
-A DOCKER-FORWARD -j DOCKER-ISOLATION-STAGE-1
-A DOCKER-FORWARD -j DOCKER-BRIDGE
-A DOCKER-FORWARD -i docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
COMMIT
""",
}


def docker(node, version="20.10", program="iptables"):
    node.net(f"{program}-restore", "--noflush", stdin=DOCKER[version])


def clear(node, *programs):
    """As before any of these firewalls: built-in chains accept, all others are gone."""
    for program in programs or ("iptables", "ip6tables"):
        node.net(f"{program}-restore", stdin="*filter\n:INPUT ACCEPT\n:FORWARD ACCEPT\n"
                 ":OUTPUT ACCEPT\nCOMMIT\n")


def shell(node, command, env=None):
    """What doctor prints, as a person would paste it."""
    return node.run("sh", "-c", command, env=env, timeout=120)


def doctor(house):
    """(exit status, {name: check})"""
    done = house.gateway.run("--json", "doctor", check=False)
    return done.returncode, {c["name"]: c for c in json.loads(done.stdout)["checks"]}


def reaches(house):
    return tcp_probe(house.phone.node, house.vpn(house.alpha), 80, seconds=1).kind == "open"


def reaches_nothing_else(house):
    """The phone, at what it was not granted: a port, a printer, this machine."""
    phone = house.phone.node
    return [tcp_probe(phone, address, port).kind
            for address, port in ((house.vpn(house.alpha), 22), (house.vpn(house.beta), 80),
                                  (house.phone.gateway, 22))] == ["refused"] * 3


def helped(house, name, run=None):
    """Runs what doctor says against a check that fails."""
    status, checks = doctor(house)
    assert status == 1 and checks[name]["result"] == "fail", checks
    (run or (lambda command: shell(house.gate, command)))(checks[name]["fix"])
    status, checks = doctor(house)
    assert status == 0 and checks[name]["result"] == "ok", checks
    assert checks[name]["fix"] is None
    return checks


class Ufw:
    """Debian's ufw. Its files live at fixed places, which the node sees through an overlay."""

    def __init__(self, node, folder):
        self.node = node
        self.tree = os.path.join(folder, "ufw")
        shutil.copytree(os.path.join(UNPACKED, "ufw"), self.tree, symlinks=True)
        shutil.move(f"{self.tree}/lib/ufw", f"{self.tree}/usr/lib/ufw")  # /lib is /usr/lib
        # as the package's postinst does: the rules' first versions
        for name in os.listdir(f"{self.tree}/usr/share/ufw/iptables"):
            shutil.copy(f"{self.tree}/usr/share/ufw/iptables/{name}", f"{self.tree}/etc/ufw/{name}")
        for name in ("ufw.conf", "before.init", "after.init"):
            shutil.copy(f"{self.tree}/usr/share/ufw/{name}", f"{self.tree}/etc/ufw/{name}")
        overlay(node, self.tree, folder, ("etc", "usr/sbin", "usr/lib", "usr/share"))

    def run(self, *arguments):
        return self.node.run("ufw", *arguments, timeout=120)


class Firewalld:
    """Debian's firewalld on a message bus of the node's own."""

    def __init__(self, node, folder):
        self.node = node
        tree = os.path.join(UNPACKED, "firewalld")
        overlay(node, tree, folder, ("etc", "usr/sbin", "usr/bin", "usr/lib", "usr/share"))
        start_bus(node, folder)
        self.log = os.path.join(folder, "firewalld.log")
        self.process = node.start(["env", *(f"{k}={v}" for k, v in BUS_ENV.items()),
                                   "firewalld", "--nofork", "--nopid"], log=self.log)
        await_that(lambda: "running" in node.run("firewall-cmd", "--state", check=False,
                                                 env=BUS_ENV).stdout.split("\n"), 60, "firewalld")

    def shell(self, command):
        return shell(self.node, command, BUS_ENV)


def overlay(node, tree, folder, parts):
    """The node alone sees the package's files over the machine's own, and may write to them."""
    lines = []
    for part in parts:
        over = f"{folder}/{os.path.basename(tree)}-{part.replace('/', '-')}"
        os.makedirs(over)
        lines += [f"mount -t tmpfs none {over}", f"mkdir {over}/upper {over}/work",
                  f"mount -t overlay none -o lowerdir={tree}/{part}:/{part},"
                  f"upperdir={over}/upper,workdir={over}/work /{part}"]
    node.run("sh", "-ec", "\n".join(lines))
