# SPDX-License-Identifier: GPL-2.0-or-later
"""What the benchmarks measure with: the small programs of this folder, and printgate itself in a
namespace of its own with any number of peers."""

import atexit
import base64
import os
import secrets
import socket
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("PRINTGATE_BUILD", os.path.join(ROOT, "build"))
sys.path[:0] = [os.path.join(ROOT, "tests", "netns"), os.path.join(ROOT, "tests", "core")]

import core_lab  # noqa: E402
from gateway import Gateway  # noqa: E402
from node import ENV, Node, await_that, cable  # noqa: E402

TUNNEL = "10.77.0.0/16"  # peers from 10.77.64.0 on
FIRST_PEER = struct.unpack(">I", socket.inet_aton("10.77.64.1"))[0]
VPN = "10.77.0.2"  # the first printer's
PORT = 5000
LAN_GATEWAY, LAN_PRINTER = "192.168.5.1", "192.168.5.10"
OURS = ("printgated", "printgate-core", "printgate-web")


def address(i):
    return socket.inet_ntoa(struct.pack(">I", FIRST_PEER + i))


def random_key():
    return base64.b64encode(secrets.token_bytes(32)).decode()


def private_key():
    """Clamped, as `wg genkey` does: the kernel takes any other for a change of the key each time."""
    key = bytearray(secrets.token_bytes(32))
    key[0] &= 248
    key[31] = key[31] & 127 | 64
    return base64.b64encode(key).decode()


class Program:
    """One of our helper programs: a line in, a line out."""

    def __init__(self, *argv, node=None):
        command = node.argv(argv) if node else list(map(str, argv))
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env=ENV)
        atexit.register(self.close)

    def tell(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def ask(self, text):
        self.tell(text)
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.process.args} has ended")
        return answer.strip()

    def close(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(30)
            self.process.stdout.close()


class Spawner(Program):
    """Times whole processes: nanoseconds from before fork until reaped."""

    def __init__(self, node=None):
        self.output = os.path.join(scratch(), f"spawned-{id(self)}")
        super().__init__(os.path.join(BUILD, "bench", "spawn"), self.output, node=node)

    def run(self, *words):
        status, took = map(int, self.ask(" ".join(map(str, words))).split())
        if status:
            raise RuntimeError(f"{' '.join(map(str, words))}: status {status}")
        return took


class Driver(Program):
    """wg_driver or nft_driver: answers begin with ok."""

    def do(self, text):
        answer = self.ask(text)
        if not answer.startswith("ok"):
            raise RuntimeError(f"{text[:80]}: {answer}")
        return answer[3:]

    def took(self):
        return int(self.ask("took").removeprefix("ok "))


def wg_driver(node, interface, backend):
    driver = Driver(os.path.join(BUILD, "netns", "wg_driver"), interface, backend, 61601, node=node)
    opened = driver.process.stdout.readline()
    if not opened.startswith("ok"):
        raise RuntimeError(f"wg_driver: {opened}")
    driver.do("attach")
    driver.do(f"device {private_key()} 51820")
    return driver


def nft_driver(node, interface, grants):
    """The whole policy, for one printer and so many peers."""
    driver = Driver(os.path.join(BUILD, "netns", "nft_driver"), interface, TUNNEL, 80, 51880,
                    node=node)
    nft_load(driver, grants)
    return driver


def nft_load(driver, grants):
    """Replaces everything; nanoseconds of the transaction."""
    for line in ("begin full", f"printer put {VPN} {LAN_PRINTER}", f"service put {VPN} udp/{PORT}",
                 f"service put {VPN} tcp/80", f"grants {grants} {address(0)} {VPN}"):
        driver.tell(line)
    driver.do("commit")
    return driver.took()


_scratch = tempfile.TemporaryDirectory(prefix="printgate-bench-", dir="/var/tmp")
tempfile.tempdir = _scratch.name  # a gateway keeps its state there too


def scratch():
    """A folder on a real disk where there is one: durability costs something only there."""
    return _scratch.name


# ---- printgate itself --------------------------------------------------------------------------------


class Bench:
    """A gateway that runs, with as many peers as wanted, each with a grant of one printer."""

    def __init__(self, peers, **options):
        self.node, self.lan = Node("gate"), Node("lan")
        self.gateway = None
        atexit.register(self.close)
        cable(self.node, "lan0", self.lan, "eth0")
        self.node.address("lan0", f"{LAN_GATEWAY}/24")
        self.gateway = Gateway(self.node, "192.0.2.1:51820", tunnel=TUNNEL, **options)
        self.socket = os.path.join(self.gateway.runtime, "control.sock")
        self.count = 0
        self.gateway.start(60)
        client = core_lab.Client(self.socket)
        client.s.settimeout(60)
        client.ok(*client.printer("printer", address=LAN_PRINTER,
                                  ports=((6, 80, 80), (17, PORT, PORT))))
        for _ in range(peers):
            client.ok(*client.enroll(self.name(), ["printer"]))
        client.s.close()

    def name(self):
        self.count += 1
        return f"phone-{self.count}"

    def cli(self, *words):
        """The words of a command line."""
        return os.path.join(BUILD, "printgate"), "--socket", self.socket, *words

    def pids(self):
        return [pid for program in OURS for pid in self.node.pids(program)]

    def close(self):
        if not self.node.ended:
            self.node.close()
            self.lan.close()
            if self.gateway:
                self.gateway.close()
