# SPDX-License-Identifier: GPL-2.0-or-later
"""One machine of the lab: network, mount, pid and host-name namespaces of its own.

A node has no name outside itself: it is known by its first process alone, which ends (and the
kernel with it everything inside: processes, interfaces, mounts) when the test process does. Its
/run is a private tmpfs, so wireguard-go's sockets of many labs never meet.
"""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import threading
import time

CLONE_NEWNET = 0x40000000
# On a slow machine (an emulated one) every deadline of these tests is so many times as long, and so
# is every silence that must be believed.
SLOW = float(os.environ.get("PRINTGATE_SLOW", "1"))
_libc = ctypes.CDLL(None, use_errno=True)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("PRINTGATE_BUILD", os.path.join(ROOT, "build"))
BACKEND = os.environ.get("PRINTGATE_BACKEND", "auto")  # of the gateway; "kernel": of the phones too

ENV = dict(os.environ, PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
           LC_ALL="C.UTF-8")


class Timeout(AssertionError):
    """An awaited event did not come."""


def await_that(condition, seconds=10, what="the condition", pause=0.02):
    """Polls until condition() is true; returns its value. The deadline is for failures only, and
    longer on a SLOW machine."""
    seconds *= SLOW
    deadline = time.monotonic() + seconds
    waiter = threading.Event()
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Timeout(f"{what}: not within {seconds} s")
        waiter.wait(pause)


@contextlib.contextmanager
def inside(netns):
    """This thread, and what it starts, in that network namespace (a descriptor)."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _libc.setns(netns, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        try:
            yield
        finally:
            if _libc.setns(home, CLONE_NEWNET):
                os.abort()  # the thread would go on in the wrong namespace
    finally:
        os.close(home)


def socket_in(netns, family, kind, proto=0):
    """A socket of that network namespace in the test's own process: it stays where it was made."""
    with inside(netns):
        return socket.socket(family, kind, proto)


class Node:
    def __init__(self, name):
        self.name = name
        self.started = []
        self.ended = False
        self.holder = subprocess.Popen(
            [os.path.join(BUILD, "netns", "node"), name], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV, text=True)
        if self.holder.stdout.readline() != "ready\n":
            raise RuntimeError(f"node {name}: no namespaces (root is needed): "
                               f"{self.holder.stderr.read()}")
        with open(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children") as f:
            self.init = int(f.read().split()[0])
        self.netns = os.open(f"/proc/{self.init}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.pid_ns = os.readlink(f"/proc/{self.init}/ns/pid")

    def end(self):
        """Ends everything in the node; the kernel clears up while others are ended."""
        if self.ended:
            return
        self.ended = True
        if self.holder.poll() is None:
            os.kill(self.init, signal.SIGKILL)
        for process in self.started:
            process.kill()  # its nsenter: as a parent in the outer pid namespace it has to reap

    def close(self):
        self.end()
        for process in self.started:
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    stream.close()
        self.holder.stdin.close()
        self.holder.wait()
        self.holder.stdout.close()
        self.holder.stderr.close()
        os.close(self.netns)

    # ---- programs --------------------------------------------------------------------------

    def argv(self, command):
        return ["nsenter", "-t", str(self.init), "-n", "-m", "-u", "-p", "--", *map(str, command)]

    def start(self, command, log=None, **popen):
        """Starts a program in the node, its output appended to the file `log`. It ends with the
        node at the latest."""
        popen.setdefault("stdin", subprocess.DEVNULL)
        popen.setdefault("env", ENV)
        with open(log or os.devnull, "a") as out:
            process = subprocess.Popen(self.argv(command), **{"stdout": out, "stderr": out, **popen})
        self.started.append(process)
        return process

    def run(self, *command, check=True, stdin=None, env=None, timeout=60):
        """Runs a program to its end; text streams. stderr is part of the error if it fails."""
        return self._run(self.argv(command), check, stdin, env, timeout)

    def net(self, *command, check=True, stdin=None, timeout=60):
        """The same for a program that looks at nothing but the network (ip, nft, ss, ping): in the
        node's network namespace only, which saves a process."""
        with inside(self.netns):
            return self._run(list(map(str, command)), check, stdin, None, timeout)

    def _run(self, argv, check, stdin, env, timeout):
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True,
                              env={**ENV, **(env or {})}, timeout=timeout * SLOW,
                              **({} if stdin is not None else {"stdin": subprocess.DEVNULL}))
        if check and done.returncode:
            raise AssertionError(f"{self.name}: {' '.join(argv)}: status {done.returncode}\n"
                                 f"{stdin or ''}{done.stdout}{done.stderr}")
        return done

    def out(self, *command, **options):
        return self.run(*command, **options).stdout

    def ip(self, text):
        return self.net("ip", *text.split()).stdout

    def batch(self, *lines):
        """Many commands of ip(8) in one process."""
        self.net("ip", "-batch", "-", stdin="\n".join(lines) + "\n")

    def sysctl(self, key, value):
        """Below /proc/sys/net each sees its own network namespace's."""
        with inside(self.netns), open("/proc/sys/" + key.replace(".", "/"), "w") as f:
            f.write(str(value))

    def nft(self, text):
        self.net("nft", "-f", "-", stdin=text)

    def processes(self):
        """{pid as seen from outside: (program, pid inside)} of all but the first process."""
        found = {}
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == self.init:
                continue
            try:
                if os.readlink(f"/proc/{entry}/ns/pid") != self.pid_ns:
                    continue
                program = os.path.basename(os.readlink(f"/proc/{entry}/exe"))
                with open(f"/proc/{entry}/status") as f:
                    inner = [line.split()[-1] for line in f if line.startswith("NSpid:")][0]
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            found[int(entry)] = (program.removesuffix(" (deleted)"), int(inner))
        return found

    def pids(self, program):
        return [pid for pid, (name, _) in self.processes().items() if name == program]

    # ---- sockets and interfaces ------------------------------------------------------------

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_STREAM, proto=0):
        return socket_in(self.netns, family, kind, proto)

    def address(self, interface, *addresses):
        self.batch(*addressing(interface, *addresses))

    def interfaces(self):
        return sorted(line.split(":")[1].split("@")[0].strip()
                      for line in self.out("ip", "-o", "link").splitlines())


def addressing(interface, *addresses):
    """Lines for Node.batch: an interface gets its addresses and is set up."""
    return [*(f"address add {a} dev {interface}{' nodad' if ':' in a else ''}" for a in addresses),
            f"link set {interface} up"]


def cabling(a_interface, b, b_interface):
    """A line for Node.batch: a veth pair from there to node b. Nothing appears outside of them."""
    return f"link add {a_interface} type veth peer name {b_interface} netns {b.init}"


def cable(a, a_interface, b, b_interface):
    a.ip(cabling(a_interface, b, b_interface))
