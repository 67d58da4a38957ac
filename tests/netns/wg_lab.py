# SPDX-License-Identifier: GPL-2.0-or-later
"""Namespaces and the driver (wg_driver.c) for test_wg.py and test_link.py.

Everything made here has a name of its own (process id and a counter) and is taken away again;
only processes started here, or serving an interface made here, are ended.
"""

import itertools
import json
import os
import signal
import socket
import struct
import subprocess
import time

from node import SLOW, socket_in

BUILD = os.path.abspath(os.environ.get("B", os.path.join(os.path.dirname(__file__), "../../build")))
DRIVER = os.path.join(BUILD, "netns/wg_driver")
UID = 61551
_count = itertools.count(1)


def run(*argv, check=True, stdin=None):
    """Standard output of a command."""
    p = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False,
                       timeout=60 * SLOW)
    if check and p.returncode:
        raise AssertionError(f"{' '.join(argv)}: {p.stderr.strip()}")
    return p.stdout


def wait_for(what, seconds=10.0):
    """Calls what() until it is true; its last value."""
    end = time.monotonic() + seconds * SLOW
    while True:
        value = what()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.05)


def new_key():
    """A private key and its public key."""
    private = run("wg", "genkey").strip()
    return private, run("wg", "pubkey", stdin=private).strip()


def new_psk():
    return run("wg", "genpsk").strip()


def fresh_name(word):
    """An interface name that nobody else uses: sockets in /run/wireguard are of all namespaces."""
    name = f"pg{word}{os.getpid()}x{next(_count)}"
    assert len(name) <= 15
    return name


class Namespace:
    def __init__(self):
        self.name = f"pg-wg-{os.getpid()}-{next(_count)}"
        self.interfaces = []
        run("ip", "netns", "add", self.name)
        self.ip("link", "set", "lo", "up")

    def run(self, *argv, **options):
        return run("ip", "netns", "exec", self.name, *argv, **options)

    def ip(self, *argv, **options):
        return run("ip", "-n", self.name, *argv, **options)

    def json(self, *argv):
        return json.loads(self.ip("-j", *argv) or "[]")

    def socket(self, *kind):
        with open(f"/run/netns/{self.name}", "rb") as netns:
            return socket_in(netns.fileno(), *kind)

    def driver(self, interface, backend="auto", uid=UID):
        self.interfaces.append(interface)
        return Driver(self, interface, backend, uid)

    def close(self):
        for interface in self.interfaces:
            # the kernel's waits for each of its peers when it goes with them
            self.run("wg", "setconf", interface, "/dev/null", check=False)
            self.ip("link", "del", interface, check=False)
            if not wait_for(lambda i=interface: wireguard_go(i) is None, 3):
                os.kill(wireguard_go(interface), signal.SIGKILL)
            if os.path.exists(socket_path(interface)):
                os.unlink(socket_path(interface))
        run("ip", "netns", "del", self.name)


def socket_path(interface):
    return f"/run/wireguard/{interface}.sock"


def wireguard_go(interface):
    """The process that listens on the interface's UAPI socket, None if none does."""
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.connect(socket_path(interface))
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        credentials = s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return struct.unpack("3i", credentials)[0]


class Driver:
    def __init__(self, ns, interface, backend, uid):
        self.ns = ns
        self.interface = interface
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", ns.name, DRIVER, interface, backend, str(uid)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.opened = self.process.stdout.readline().strip()

    def say(self, *words):
        """The whole answer line."""
        self.process.stdin.write(" ".join(str(w) for w in words) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip("\n")

    def do(self, *words):
        """The answer's text; a failure is a test's failure."""
        line = self.say(*words)
        assert line.startswith("ok "), f"{words[0]}: {line}"
        return line[3:].strip()

    def dump(self):
        """Peers by key: (address, exact, handshake, rx, tx, endpoint)."""
        peers = {}
        for word in self.do("dump").split():
            key, *rest = word.split(",")
            assert key not in peers
            peers[key] = rest
        return peers

    def end(self):
        """As a crash would: killed."""
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
